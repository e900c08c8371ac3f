"""Whole flows of a running worker, seen by foreign clients: pyzmq and protobuf for Python, kcat."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import zmq

import pipeline_test
from kafka_cluster import free_ports
from pipeline_case import PipelineCase

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MESSAGES = tempfile.TemporaryDirectory()
subprocess.run(["protoc", f"--python_out={MESSAGES.name}", f"--proto_path={ROOT / 'proto'}", "riffle.proto"], check=True)
sys.path.insert(0, MESSAGES.name)
import riffle_pb2  # noqa: E402 (made just now)

def records(first, count):
    return [f'{{"id": "t{i}", "amount": {i % 13}, "fraud": {int(i % 13 > 9)}}}' for i in range(first, first + count)]


class Flows(PipelineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.context = zmq.Context()

    def socket(self, kind, endpoint, subscription=None):
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.LINGER, 0)
        self.addCleanup(socket.close)
        if subscription is not None:
            socket.setsockopt(zmq.SUBSCRIBE, subscription)
        socket.connect(endpoint)
        return socket

    def receive(self, socket, seconds=60):
        self.assertTrue(socket.poll(seconds * 1000), "nothing came")
        return socket.recv_multipart()

    def test_push_gives_every_prediction_once_and_in_order(self):
        self.broker.create_topic(self.name, 1)
        self.broker.produce(self.name, records(0, 20000))
        endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        pull = self.socket(zmq.PULL, endpoint)
        with self.workspace.riffle("run", self.settings(f"sinks: [{{zeromq: {{push: '{endpoint}'}}}}]"), "--until", "end", "--json") as worker:
            offsets, sequence = [], 0
            while len(offsets) < 20000:
                topic, body = self.receive(pull)
                batch = riffle_pb2.Predictions.FromString(body)
                self.assertEqual(topic, f"predictions/{self.name}".encode())
                self.assertEqual((batch.model, batch.sequence, batch.epoch), (self.name, sequence + 1, 1))
                sequence = batch.sequence
                for prediction in batch.predictions:
                    self.assertEqual(prediction.id, f"t{prediction.offset}")
                    self.assertEqual(prediction.label, float(prediction.offset % 13 > 9))
                    self.assertTrue(0 <= prediction.score <= 1)
                    offsets.append(prediction.offset)
            self.assertEqual(worker.wait().status, 0)
        self.assertEqual(offsets, list(range(20000)))

    def test_versions_are_never_used_twice_and_a_new_base_begins_with_a_snapshot(self):
        self.broker.create_topic(self.name, 1)
        endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        more = f"sinks: [{{zeromq: {{push: '{endpoint}'}}}}]\nsnapshots: {{every: {{records: 100, seconds: 0}}}}\nworker: {{batch_records: 50}}"
        seen = {}
        pull = self.socket(zmq.PULL, endpoint)
        for life in range(3):
            self.broker.produce(self.name, records(1000 * life, 1000))
            with self.workspace.riffle("run", self.settings(more)) as worker:
                while len(seen) < 1000 * (life + 1):
                    batch = riffle_pb2.Predictions.FromString(self.receive(pull)[1])
                    for prediction in batch.predictions:
                        version = prediction.version
                        key = (version.line, version.base_number, version.epoch, version.since)
                        self.assertNotIn(key, seen)
                        seen[key] = prediction.offset
                self.assertEqual(worker.terminate().status, 0)
        self.assertEqual(sorted(seen.values()), list(range(3000)))
        self.assertEqual({epoch for _, _, epoch, _ in seen}, {1, 2, 3})
        self.assertGreaterEqual(len({base for _, base, _, _ in seen}), 3)

    def test_predictions_go_to_a_topic_as_json(self):
        self.broker.create_topic(self.name, 3)
        self.broker.create_topic(f"{self.name}.scores", 1)
        self.broker.produce(self.name, records(0, 3000))
        self.workspace.run_riffle("run", self.settings(f"sinks: [{{kafka: {{topic: {self.name}.scores}}}}]"), "--until", "end")
        scores = [json.loads(record.value) for record in self.broker.consume(f"{self.name}.scores")]
        self.assertEqual(len({(score["partition"], score["offset"]) for score in scores}), 3000)
        self.assertEqual({score["id"] for score in scores}, {f"t{i}" for i in range(3000)})

    def test_a_late_joiner_gets_the_newest_snapshot_at_once_and_follows(self):
        self.broker.create_topic(self.name, 1)
        publish, serve = (f"tcp://127.0.0.1:{port}" for port in free_ports(2))
        more = f"snapshots: {{every: {{seconds: 0.3}}, clone: {{publish: '{publish}', serve: '{serve}'}}}}"
        self.broker.produce(self.name, records(0, 500))
        kept = self.workspace.folder / "kept"
        example = None
        with self.workspace.riffle("run", self.settings(more)) as worker:
            worker.wait_for(lambda: len(self.snapshots()) >= 2, "a snapshot")
            try:
                example = subprocess.Popen([sys.executable, ROOT / "docs/examples/snapshots.py", publish, serve, self.name, kept],
                                           stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": MESSAGES.name})
                first = example.stdout.readline()
                self.assertRegex(first, f"^{self.name} epoch 1 snapshot")
                self.broker.produce(self.name, records(500, 500))
                second = example.stdout.readline()
                self.assertNotEqual(first, second)
            finally:
                if example:
                    example.kill()
                    example.communicate()
            self.assertEqual(worker.terminate().status, 0)
        copies = list(kept.rglob("*.snapshot"))
        self.assertGreaterEqual(len(copies), 2)
        for copy in copies:
            self.workspace.run_riffle("snapshot", "verify", copy)
        digests = {hashlib.sha256(copy.read_bytes()).hexdigest() for copy in copies}
        self.assertTrue(any(line.split("sha256 ")[1].strip() in digests for line in (first, second)))

    def test_several_topics_and_several_models_in_one_process(self):
        for topic in ("left", "right"):
            self.broker.create_topic(f"{self.name}.{topic}", 2)
            self.broker.produce(f"{self.name}.{topic}", records(0, 1000))
        both = f"{{topics: [{self.name}.left, {self.name}.right], format: json}}"
        settings = [self.settings(f"snapshots: {{directory: state.{i}}}", f"{self.name}{i}", both) for i in range(2)]
        done = self.workspace.run_riffle("run", *settings, "--until", "end", "--json")
        for result in done.lines():
            self.assertEqual((result["records"], result["learned"]), (2000, 2000))
        self.assertEqual(len(done.lines()), 2)

    def test_protobuf_records_are_learned_as_the_same_json_ones(self):
        messages = []
        for line in records(0, 300):
            fields = json.loads(line)
            example = riffle_pb2.Example(id=fields["id"], label=fields["fraud"])
            example.numbers.add(name="amount", value=fields["amount"])
            messages.append(example.SerializeToString())
        self.broker.create_topic(self.name, 1)
        for first in range(0, len(messages), 100):
            paths = []
            for index, message in enumerate(messages[first:first + 100]):
                path = self.workspace.folder / f"message.{first + index}"
                path.write_bytes(message)
                paths.append(str(path))
            self.broker._run(["kcat", "-q", "-b", self.broker.bootstrap, "-P", "-t", self.name, "-p", "0", *paths])
        source = f"{{topics: [{self.name}], format: protobuf}}"
        found = self.workspace.run_riffle("run", self.settings(source=source), "--until", "end", "--json").json()
        path = self.workspace.write("records.json", "".join(f"{line}\n" for line in records(0, 300)))
        expected = self.workspace.run_riffle("evaluate", self.settings(name="file"), "--file", path, "--json").json()
        self.assertEqual(found["model_sha256"], expected["model_sha256"])
        self.assertEqual(found["learned"], 300)

    def test_standard_input_and_compressed_files_give_the_same_model(self):
        text = "".join(f"{line}\n" for line in records(0, 5000))
        plain = self.workspace.write("plain.json", text)
        for command, suffix in (("gzip", "gz"), ("zstd", "zst")):
            with open(self.workspace.folder / f"plain.json.{suffix}", "wb") as packed:
                subprocess.run([command, "-c", plain], stdout=packed, check=True)
        settings = self.settings()
        results = [self.workspace.run_riffle("evaluate", settings, "--file", self.workspace.folder / f"plain.json{suffix}", "--json").json()
                   for suffix in ("", ".gz", ".zst")]
        piped = subprocess.run([os.environ["RIFFLE_BIN"], "evaluate", settings, "--file", "-", "--json"], input=text, text=True,
                               capture_output=True, check=True)
        results.append(json.loads(piped.stdout))
        self.assertEqual(len({result["model_sha256"] for result in results}), 1)
        self.assertEqual(results[0]["learned"], 5000)

    def test_a_stopped_worker_goes_on_where_it_stopped(self):
        self.broker.create_topic(self.name, 2)
        settings = self.settings()
        for life in range(3):
            self.broker.produce(self.name, records(1000 * life, 1000))
            result = self.workspace.run_riffle("run", settings, "--until", "end", "--json").json()
            self.assertEqual(result["learned"], 1000 * (life + 1))
        committed = self.broker.committed(self.name)
        self.assertEqual(sum(offset for offset, _ in committed.values()), 3000)

    def test_termination_is_quick_when_idle(self):
        self.broker.create_topic(self.name, 1)
        with self.workspace.riffle("run", self.settings()) as worker:
            worker.wait_for_words("learning")
            began = time.monotonic()
            done = worker.terminate()
        self.assertEqual(done.status, 0)
        self.assertLess(time.monotonic() - began, 20)  # far below the deadline of 30 s

    def test_tail_prints_what_a_worker_publishes(self):
        self.broker.create_topic(self.name, 1)
        endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        settings = self.settings(f"sinks: [{{zeromq: {{publish: '{endpoint}'}}}}]")
        with self.workspace.riffle("tail", settings, "--json", "--count", "10") as tail:
            with self.workspace.riffle("run", settings) as worker:
                worker.wait_for_words("learning")
                first = 0
                while tail.process.poll() is None and first < 100000:  # a subscriber sees what comes after it has joined
                    self.broker.produce(self.name, records(first, 100))
                    first += 100
                    time.sleep(0.05)
                done = tail.wait()
                self.assertEqual(worker.terminate().status, 0)
        self.assertEqual(len(done.lines()), 10)
        for line in done.lines():
            self.assertEqual((line["model"], line["topic"]), (self.name, self.name))
            self.assertIn("score", line)


if __name__ == "__main__":
    pipeline_test.main()
