"""The same records give the same model whatever way they come: the published figures from a file, and through Kafka."""

import csv
import gzip
import json
import pathlib
import unittest

import pipeline_test
from kafka_cluster import KafkaBroker
from riffle_process import Workspace

ELEC2 = pipeline_test.data("elec2/elec.csv.gz")

MODEL = """
features: {label: class}
learner: {type: linear, loss: logistic, optimizer: {type: sgd, rate: 0.01}, scale: standard, precision: double}
"""


def elec2_as_json(folder):
    """As JSON lines, numbers written as they stand in the file."""
    path = pathlib.Path(folder) / "elec.json"
    with gzip.open(ELEC2, "rt", newline="") as rows, open(path, "w", encoding="ascii") as lines:
        for row in csv.DictReader(rows):
            lines.write("{" + ", ".join(f'"{name}": {value}' for name, value in row.items()) + "}\n")
    return path


class Reference(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)

    def evaluate(self, *arguments, environment=None):
        settings = self.workspace.write("file.yaml", f"name: elec\nsource: {{file: '{ELEC2}', format: csv}}\n{MODEL}")
        return self.workspace.run_riffle("evaluate", settings, "--json", *arguments, environment=environment).json()

    def test_a_file_gives_the_published_figures(self):
        result = self.evaluate()
        self.assertEqual(result["learned"], 45312)
        self.assertEqual(f"{result['accuracy']:.6f}", "0.816472")
        self.assertEqual(f"{result['log_loss']:.6f}", "0.416232")

    def test_batches_kernels_and_missing_instructions_do_not_show(self):
        expected = self.evaluate()["model_sha256"]
        masked = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA,-AVX512F"}
        for batch in (1, 7, 65536):
            self.assertEqual(self.evaluate("--set", f"worker.batch_records={batch}")["model_sha256"], expected)
        self.assertEqual(self.evaluate("--set", "worker.kernels=baseline", environment=masked)["model_sha256"], expected)

    def test_json_through_kafka_gives_the_same_model_as_csv_from_a_file(self):
        expected = self.evaluate()
        with KafkaBroker() as broker:
            broker.create_topic("elec", 1)
            broker.produce_file("elec", elec2_as_json(self.workspace.folder), partition=0)
            settings = self.workspace.write("kafka.yaml", f"""
name: elec
kafka: {{bootstrap.servers: {broker.bootstrap}}}
source: {{topics: [elec], format: json}}
{MODEL}
""")
            result = self.workspace.run_riffle("run", settings, "--until", "end", "--json").json()
            committed = broker.committed("elec")
        for figure in ("model_sha256", "records", "learned", "rejected", "accuracy", "log_loss"):
            self.assertEqual(result[figure], expected[figure], figure)
        offset, note = committed[("elec", 0)]
        self.assertEqual(offset, 45312)
        self.assertRegex(note, "^riffle worker=[0-9a-f]{32}$")


if __name__ == "__main__":
    pipeline_test.main()
