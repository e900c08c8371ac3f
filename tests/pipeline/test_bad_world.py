"""When the world around a worker fails, it says so in one sentence, ends with a sensible code, and loses nothing."""

import os
import resource
import shutil
import socket

import pipeline_test
from kafka_cluster import KafkaBroker, free_ports
from pipeline_case import PipelineCase, records


class BadWorld(PipelineCase):
    # Settings.

    def test_misspelt_settings_are_named_with_the_nearest(self):
        self.refused(self.settings("lerner: linear"), 2, 'unknown setting "lerner", did you mean "learner"?')
        self.refused(self.settings("snapshots: {keep: many}", name="types"), 2, "snapshots.keep")
        self.refused(self.workspace.folder / "absent.yaml", 2, "absent.yaml")
        done = self.workspace.run_riffle("run", "x.yaml", "--untill", "end", status=2)
        self.assertIn("unknown flag --untill, did you mean --until?", done.errors)
        done = self.workspace.run_riffle("rum", status=2)
        self.assertIn('unknown verb "rum", did you mean "run"?', done.errors)

    # Kafka.

    def test_missing_topic(self):
        self.refused(self.settings(), 1, f"topic {self.name} is not there")

    def test_broker_that_comes_late_is_waited_for(self):
        with KafkaBroker() as late:
            late.create_topic(self.name, 1)
            late.produce(self.name, records(0, 10))
            late.stop()
            with self.workspace.riffle("run", self.settings(bootstrap=late.bootstrap), "--until", "end", "--json") as worker:
                worker.wait_for_words("waiting for the source")
                late.restart()
                done = worker.wait()
        self.assertEqual((done.status, done.json()["records"]), (0, 10))

    def test_broker_killed_in_the_middle_costs_nothing(self):
        with KafkaBroker() as broker:
            broker.create_topic(self.name, 2)
            broker.produce(self.name, records(0, 500), settings=["acks=all"])
            settings = self.settings("sinks: [{file: {path: scores}}]", bootstrap=broker.bootstrap)
            with self.workspace.riffle("run", settings) as worker:
                scores = self.workspace.folder / "scores"
                worker.wait_for(lambda: scores.exists() and scores.read_bytes().count(b"\n") >= 0 and "learning" in worker.errors, "a start")
                broker.kill()
                worker.wait_for_words("source interrupted")
                broker.restart()
                broker.produce(self.name, records(500, 500), settings=["acks=all"])
                worker.wait_for(lambda: b"\"id\":\"999\"" in scores.read_bytes(), "the last record", 90)
                self.assertEqual(worker.terminate().status, 0)
            lines = (self.workspace.folder / "scores").read_text().splitlines()
        self.assertEqual(len(lines), 1000)

    def test_topic_made_anew_is_noticed(self):
        self.fill(100)
        settings = self.settings()
        self.run_to_end(settings)
        self.broker.delete_topic(self.name)
        self.broker.create_topic(self.name, 1)
        self.refused(settings, 1, "is beyond the end")
        self.broker.produce(self.name, records(5000, 300))
        sentence = self.refused(settings, 1, "holds another record than the one that was learned")
        self.assertIn(f"offset 99 of {self.name} [0]", sentence)

    def test_records_that_were_deleted_before_they_were_learned_are_named(self):
        self.fill(100)
        settings = self.settings()
        self.run_to_end(settings)
        self.broker.produce(self.name, records(100, 100))
        self.broker.delete_records(self.name, 0, 150)
        self.refused(settings, 1, f"offset 100 of {self.name} [0] is no longer there: the log holds 150 to 200")

    def test_committed_offsets_without_their_snapshot_are_refused(self):
        self.fill(100)
        settings = self.settings()
        self.run_to_end(settings)
        shutil.rmtree(self.workspace.folder / "state")
        self.refused(settings, 3, "of another worker")
        self.refused(settings, 1, "holds no snapshot of what was learned", "--take-over")
        result = self.run_to_end(settings, "--fresh")
        self.assertEqual(result["records"], 100)
        self.refused(settings, 2, "holds a snapshot, and --fresh starts anew", "--fresh")

    def test_two_workers_on_one_model_are_told_apart(self):
        self.fill(100)
        self.run_to_end(self.settings())
        other = self.settings("snapshots: {directory: elsewhere}")
        self.refused(other, 3, "stop the other worker")

    # Sinks.

    def test_taken_port(self):
        self.fill(10)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused(self.settings(f"sinks: [{{zeromq: {{publish: 'tcp://127.0.0.1:{port}'}}}}]"), 1, "Address already in use")

    def test_full_file_sink(self):
        self.fill(10)
        self.refused(self.settings("sinks: [{file: {path: /dev/full}}]"), 1, "/dev/full: No space left on device")
        self.assertEqual(self.run_to_end(self.settings())["learned"], 10)

    def test_push_without_reader_waits_and_then_says_so(self):
        self.fill(100)
        port = free_ports(1)[0]
        settings = self.settings(f"sinks: [{{zeromq: {{push: 'tcp://127.0.0.1:{port}'}}}}]\nworker: {{shutdown_seconds: 1}}")
        with self.workspace.riffle("run", settings, "--until", "end") as worker:
            worker.wait_for_words("a sink has no room")
            done = worker.terminate()
        self.assertEqual(done.status, 1)
        self.assertIn("had no room", done.errors)
        self.assertEqual(self.run_to_end(self.settings())["learned"], 100)

    # The state folder.

    def test_locked_folder(self):
        self.fill(10)
        settings = self.settings()
        with self.workspace.riffle("run", settings) as worker:
            worker.wait_for_words("learning")
            self.refused(settings, 3, "state folder state is held by another worker")

    def test_read_only_folder(self):
        self.fill(10)
        os.chmod(self.workspace.folder, 0o755)
        (self.workspace.folder / "state").mkdir()
        settings = self.settings()
        if os.geteuid() == 0:  # root may write anywhere: be nobody
            done = self.workspace.run_riffle("run", settings, "--until", "end", status=1, user="nobody")
            self.assertIn("cannot lock state/lock: Permission denied", done.errors)
        else:
            os.chmod(self.workspace.folder / "state", 0o555)
            self.refused(settings, 1, "cannot lock state/lock: Permission denied")

    def test_folder_that_is_a_file(self):
        self.fill(10)
        (self.workspace.folder / "state").write_text("")
        self.refused(self.settings(), 1, "cannot make folder state: Not a directory")

    def test_full_disk(self):
        self.fill(1000)
        settings = self.settings()
        limit = 1500  # bytes a file may have: enough for what it says, not for a snapshot
        done = self.workspace.run_riffle("run", settings, "--until", "end", status=1,
                                         before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertIn("cannot write state/snapshot.tmp: File too large", done.errors)
        self.assertEqual(self.run_to_end(settings)["learned"], 1000)

    def test_torn_snapshot_falls_back_to_the_one_before(self):
        self.fill(1000)
        settings = self.settings("snapshots: {every: {records: 200}}\nworker: {batch_records: 100}")
        whole = self.run_to_end(settings)
        newest = self.snapshots()[-1]
        newest.write_bytes(newest.read_bytes()[:-7])
        self.assertEqual(self.workspace.run_riffle("snapshot", "verify", newest, status=1).status, 1)
        done = self.workspace.run_riffle("run", settings, "--until", "end", "--json")
        self.assertIn("snapshot passed over", done.errors)
        self.assertIn("is cut after", done.errors)
        again = done.json()
        self.assertEqual((again["records"], again["learned"]), (1000, 1000))
        self.assertEqual(again["model_sha256"], whole["model_sha256"])

    def test_foreign_files_for_snapshots(self):
        self.fill(100)
        settings = self.settings()
        self.run_to_end(settings)
        for path in self.snapshots():
            path.write_bytes(b"This is a text that somebody put here.\n" * 10)
        self.refused(settings, 1, "snapshots in state verifies")

    def test_snapshots_under_names_of_others(self):
        self.fill(100)
        settings = self.settings()
        whole = self.run_to_end(settings)
        newest = self.snapshots()[-1]
        shutil.copy(newest, newest.with_name("snapshot-18446744073709551615.riffle"))
        os.mkfifo(newest.with_name("snapshot-18446744073709551614.riffle"))
        done = self.workspace.run_riffle("run", settings, "--until", "end", "--json", status=None)
        self.assertIn("614.riffle: it is no plain file", done.errors)  # refused, not waited for
        newest.with_name("snapshot-18446744073709551614.riffle").unlink()
        again = self.workspace.run_riffle("run", settings, "--until", "end", "--json")
        self.assertIn("not the one its name tells", again.errors)
        self.assertEqual(again.json()["model_sha256"], whole["model_sha256"])
        self.assertTrue(all(int(path.name[9:29]) > 0 for path in self.snapshots()))

    def test_weights_of_another_model_are_not_exported(self):
        self.fill(100)
        self.run_to_end(self.settings())
        self.workspace.run_riffle("snapshot", "export", self.settings())
        other = self.settings(name="another")
        done = self.workspace.run_riffle("snapshot", "export", other, status=1)
        self.assertIn(f"is of the model {self.name}, not of another", done.errors)
        self.assertEqual(done.output, "")

    def test_snapshot_of_other_settings(self):
        self.fill(100)
        self.run_to_end(self.settings())
        other = self.settings()
        other.write_text(other.read_text().replace("hash_bits: 10", "hash_bits: 11"))
        self.refused(other, 1, "learner.hash_bits was 10, is 11")


if __name__ == "__main__":
    pipeline_test.main()
