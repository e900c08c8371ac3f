"""Avro by fastavro: container files of every codec, and raw records of a topic, are the same model as their twins in JSON."""

import os
import pathlib
import subprocess
import sys

import pipeline_test
from pipeline_case import PipelineCase

COUNT = 3000
LIVE = 200
FEATURES = """
features: {id: id, time: at, label: fraud, numbers: [amount, items.0.price], categories: [card, items.sku, attrs.colour],
           derived: [hour: {}]}
learner: {type: linear, hash_bits: 12}
"""


class Avro(PipelineCase):
    @classmethod
    def setUpClass(cls):
        cls.serialisers = pipeline_test.serialisers()
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.folder = self.workspace.folder
        subprocess.run([sys.executable, "-B", pathlib.Path(__file__).with_name("avro_payments.py"), self.folder, str(COUNT), str(LIVE)],
                       check=True, env=os.environ | {"PYTHONPATH": str(self.serialisers)})

    def evaluated(self, source, **options):
        settings = self.workspace.write("evaluated.yaml", f"name: payments\nsource: {source}\n{FEATURES}")
        return self.workspace.run_riffle("evaluate", settings, "--json", **options)

    def of_json(self):
        return self.evaluated("{file: payments.jsonl, format: json}").json()

    def running(self, source):
        return self.workspace.write("running.yaml", f"""
name: payments
kafka: {{bootstrap.servers: {self.broker.bootstrap}}}
source: {source}
rejected: {{file: rejected.jsonl}}
sinks: [{{file: {{path: scores}}}}]
{FEATURES}
""")

    def produce(self, paths):
        self.broker._run(["kcat", "-q", "-b", self.broker.bootstrap, "-P", "-t", self.name, "-p", "0", *map(str, paths)])

    def test_files_of_every_codec(self):
        expected = self.of_json()
        self.assertEqual((expected["records"], expected["rejected"]), (COUNT, 0))
        for codec in ("null", "deflate", "zstandard", "snappy"):
            found = self.evaluated(f"{{file: payments.{codec}.avro, format: avro}}").json()
            for figure in ("records", "learned", "rejected", "log_loss", "model_sha256"):
                self.assertEqual(found[figure], expected[figure], f"{codec}: {figure}")

    def test_a_cut_file(self):
        whole = (self.folder / "payments.deflate.avro").read_bytes()
        (self.folder / "cut.avro").write_bytes(whole[:-100])
        done = self.evaluated("{file: cut.avro, format: avro}", status=1)
        self.assertIn("cut.avro is cut: the block at byte ", done.errors)

    def test_a_file_then_a_topic(self):
        expected = self.of_json()
        self.broker.create_topic(self.name, 1)
        self.produce(sorted((self.folder / "live").iterdir()))
        done = self.run_to_end(self.running(
            f"{{topics: [{self.name}], format: avro, avro: {{schema: payment.avsc}}, history: {{files: [history.avro]}}}}"))
        self.assertEqual((done["records"], done["rejected"]), (COUNT, 0))
        self.assertEqual(done["model_sha256"], expected["model_sha256"])

    def test_a_damaged_record(self):
        self.broker.create_topic(self.name, 1)
        first = self.folder / "live" / "00000"
        bad = self.folder / "bad"
        bad.write_bytes(first.read_bytes() + b"\0")
        self.produce([first, bad, self.folder / "live" / "00001"])
        done = self.run_to_end(self.running(f"{{topics: [{self.name}], format: avro, avro: {{schema: payment.avsc}}}}"))
        self.assertEqual((done["records"], done["rejected"]), (3, 1))
        self.assertIn("and 1 more bytes follow", (self.folder / "rejected.jsonl").read_text())

    def test_a_wrong_schema(self):
        (self.folder / "wrong.avsc").write_text('{"type": "record", "name": "P", "fields": [{"name": "x", "type": "strin"}]}')
        self.broker.create_topic(self.name, 1)
        settings = self.running(f"{{topics: [{self.name}], format: avro, avro: {{schema: wrong.avsc}}}}")
        done = self.workspace.run_riffle("check", settings, status=2)
        self.assertIn('source.avro.schema: field x of P: type "strin" is not known', done.errors)
        settings = self.running(f"{{topics: [{self.name}], format: avro, avro: {{schema: payment.avsc}}}}")
        done = self.workspace.run_riffle("check", settings, "--set", "features.numbers=[amout]", status=2)
        self.assertIn("has no field amout, did you mean amount?", done.errors)


if __name__ == "__main__":
    pipeline_test.main()
