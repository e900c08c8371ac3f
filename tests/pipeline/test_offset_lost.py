"""Logs that a real Kafka cut, made anew or grew while a model was down, or read them: what is refused, and what goes on where."""

import pipeline_test
from pipeline_case import PipelineCase, records

LEARNED = 100  # of each partition, before anything happens


class OffsetLost(PipelineCase):
    def topic(self, partitions=1):
        self.broker.create_topic(self.name, partitions)
        for partition in range(partitions):
            self.broker.produce(self.name, records(LEARNED * partition, LEARNED), partition)

    def going_on(self, where, more=""):
        return self.settings(more, source=f"{{topics: [{self.name}], on_offset_lost: {where}}}")

    def make_anew(self, counts):
        self.broker.delete_topic(self.name)
        self.broker.create_topic(self.name, len(counts))
        for partition, count in enumerate(counts):
            self.broker.produce(self.name, records(5000 + 1000 * partition, count), partition)

    def moved(self, settings, *partitions):
        """A run that says of exactly these partitions that they are lost."""
        done = self.workspace.run_riffle("run", settings, "--until", "end", "--json")
        said = [line for line in done.errors.splitlines() if "offset lost, going on elsewhere" in line]
        self.assertEqual(len(said), len(partitions), done.errors)
        for line, (partition, wanted, first, end, now) in zip(said, partitions):
            for word in (f"topic={self.name}", f"partition={partition}", f"wanted={wanted}", f"log_first={first}", f"log_end={end}",
                         f"now_at={now}"):
                self.assertIn(f" {word}", line + " ")
        return done.json()

    def test_retention_beyond_the_position(self):
        self.topic(2)
        settings = self.settings()
        self.run_to_end(settings)
        self.broker.produce(self.name, records(1000, 60), 1)
        self.broker.delete_records(self.name, 1, 120)
        sentence = self.refused(settings, 1, f"offset 100 of {self.name} [1] is no longer there: the log holds 120 to 160")
        self.assertIn("source.on_offset_lost", sentence)
        checked = self.workspace.run_riffle("check", "--connect", settings, status=1)
        self.assertIn(f"{self.name} [0]: committed 100 ", checked.output)
        self.assertIn(f"offset 100 of {self.name} [1] is not there: the log holds 120 to 160", checked.errors)
        self.assertEqual(self.moved(self.going_on("earliest"), (1, 100, 120, 160, 120))["learned"], 240)
        self.assertEqual(self.positions(), {(self.name, 0): (100, 100), (self.name, 1): (160, 140)})
        self.assertEqual(self.run_to_end(settings)["learned"], 240)  # once and for all
        self.assertIn("the log holds 120 to 160", self.workspace.run_riffle("check", "--connect", settings).output)
        self.workspace.run_riffle("snapshot", "verify", "state")

    def test_retention_up_to_the_position_is_no_loss(self):
        self.topic()
        settings = self.settings()
        self.run_to_end(settings)
        self.broker.produce(self.name, records(1000, 60))
        self.broker.delete_records(self.name, 0, 100)
        self.assertEqual(self.run_to_end(settings)["learned"], 160)

    def test_topic_made_anew_with_fewer_records(self):
        self.topic(2)
        self.run_to_end(self.settings())
        self.make_anew([30, 0])
        self.refused(self.settings(), 1, f"offset 100 of {self.name} [0] is beyond the end: the log holds 0 to 30")
        result = self.moved(self.going_on("earliest"), (0, 100, 0, 30, 0), (1, 100, 0, 0, 0))
        self.assertEqual(result["learned"], 230)
        self.assertEqual(self.positions(), {(self.name, 0): (30, 130), (self.name, 1): (0, 100)})

    def test_topic_made_anew_with_more_records(self):
        self.topic(2)
        self.run_to_end(self.settings("sinks: [{file: {path: scores}}]"))
        scores = (self.workspace.folder / "scores").read_bytes()
        self.make_anew([150, 170])
        self.refused(self.settings("sinks: [{file: {path: scores}}]"), 1,
                     f"offset 99 of {self.name} [0] holds another record than the one that was learned")
        self.assertEqual((self.workspace.folder / "scores").read_bytes(), scores)
        result = self.moved(self.going_on("latest", "sinks: [{file: {path: scores}}]"), (0, 100, 0, 150, 150), (1, 100, 0, 170, 170))
        self.assertEqual(result["learned"], 200)
        self.broker.produce(self.name, records(9000, 5), 1)
        self.assertEqual(self.run_to_end(self.settings("sinks: [{file: {path: scores}}]"))["learned"], 205)

    def test_one_partition_of_several_that_is_another_is_found_before_anything_is_learned(self):
        """The good partition has records waiting, and files hold lines behind the snapshot: all stay as they are."""
        self.topic(1)
        settings = self.settings("sinks: [{file: {path: scores}}]")
        self.run_to_end(settings)
        self.make_anew([100])  # as many as before: only the fingerprint tells
        self.broker.create_partitions(self.name, 2)
        self.broker.produce(self.name, records(100, 1000), 1)
        with open(self.workspace.folder / "scores", "ab") as file:
            file.write(b"behind the snapshot\n")
        before = (self.workspace.folder / "scores").read_bytes()
        self.refused(settings, 1, f"offset 99 of {self.name} [0] holds another record")
        self.assertEqual((self.workspace.folder / "scores").read_bytes(), before)

    def test_partitions_added_while_stopped_and_while_running(self):
        self.topic(1)
        settings = self.settings()
        self.run_to_end(settings)
        self.broker.create_partitions(self.name, 2)
        self.broker.produce(self.name, records(200, 50), 1)
        with self.workspace.riffle("run", settings, "--json") as worker:
            worker.wait_for(lambda: self.broker.committed(self.name).get((self.name, 1), (0, ""))[0] == 50, "50 of the second")
            self.broker.create_partitions(self.name, 4)
            for partition in range(4):
                self.broker.produce(self.name, records(300 + 10 * partition, 10), partition)
            worker.wait_for_words("partitions were added")
            done = worker.terminate()
        self.assertEqual(done.status, 0)
        self.assertEqual(self.run_to_end(settings)["learned"], 190)
        self.assertEqual(self.positions(), {(self.name, 0): (110, 110), (self.name, 1): (60, 60), (self.name, 2): (10, 10),
                                            (self.name, 3): (10, 10)})


if __name__ == "__main__":
    pipeline_test.main()
