"""Records that are no good are counted, sent on with their reason, and never touch the model."""

import base64
import json
import unittest

import pipeline_test
from kafka_cluster import KafkaBroker
from riffle_process import Workspace

GOOD = ['{"id": 1, "amount": 3.5, "fraud": 0}', '{"id": 2, "amount": -1, "fraud": 1}', '{"id": 3, "amount": 0.25}']
MODEL = """
features: {id: id, label: fraud, numbers: [amount]}
learner: {type: linear, precision: double}
"""

# What the record is, its bytes, the reason it is rejected for, and words of the sentence.
BAD = [
    ("truncated", b'{"id": 4, "amount": 1', "undecodable", ""),
    ("not JSON", b"amount=1", "undecodable", ""),
    ("an array", b"[1]", "undecodable", ""),
    ("something behind it", b'{"amount": 1} {}', "undecodable", ""),
    ("a huge number", b'{"amount": 1e400, "fraud": 0}', "non_finite", "field amount: 1e400 is not finite"),
    ("NaN", b'{"amount": NaN, "fraud": 0}', "undecodable", ""),
    ("a text for a number", b'{"amount": "12", "fraud": 0}', "type", "amount"),
    ("invalid UTF-8", b'{"amount": 1, "who": "\xff\xfe"}', "encoding", ""),
    ("a field twice", b'{"amount": 1, "amount": 2}', "duplicate_field", "amount"),
    ("a field of 1 MB", b'{"amount": 1, "note": "' + b"x" * 900000 + b'"}', "limit", ""),
    ("a label out of range", b'{"amount": 1, "fraud": 7}', "label", "label is 7"),
    ("nested too deep", b'{"amount": 1, "x": ' + b"[" * 200 + b"]" * 200 + b"}", "limit", ""),
]


class BadRecords(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = KafkaBroker({"message.max.bytes": "4000000"})
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)

    def settings(self, name, more):
        return self.workspace.write(f"{name}.yaml", f"""
name: {name}
kafka: {{bootstrap.servers: {self.broker.bootstrap}}}
source: {{topics: [{name}], format: json}}
{MODEL}
{more}
""")

    def produce_raw(self, topic, value):
        path = self.workspace.folder / "record"
        path.write_bytes(value)
        self.broker._run(["kcat", "-q", "-b", self.broker.bootstrap, "-P", "-t", topic, "-X", "message.max.bytes=4000000", str(path)])

    def fill(self, topic):
        """Good records with every bad one between them, an empty message and a tombstone."""
        self.broker.create_topic(topic, 1)
        self.broker.produce(topic, GOOD[:1])
        for _, value, _, _ in BAD:
            self.produce_raw(topic, value)
        self.broker.produce(topic, GOOD[1:2])
        empty = self.workspace.folder / "empty"
        empty.write_text("key|\n")
        self.broker.produce_file(topic, empty, key_delimiter="|")
        tombstone = ["kcat", "-q", "-b", self.broker.bootstrap, "-P", "-t", topic, "-Z", "-K|", "-l", str(empty)]
        self.broker._run(tombstone)
        self.broker.produce(topic, GOOD[2:])

    def expected_model(self):
        path = self.workspace.folder / "good.json"
        path.write_text("".join(line + "\n" for line in GOOD))
        settings = self.workspace.write("good.yaml", f"name: good\nsource: {{file: '{path}', format: json}}\n{MODEL}")
        return self.workspace.run_riffle("evaluate", settings, "--json").json()

    def check(self, result, expected):
        self.assertEqual(result["records"], len(GOOD) + len(BAD) + 2)
        self.assertEqual(result["rejected"], len(BAD) + 2)
        self.assertEqual(result["learned"], 2)
        self.assertEqual(result["model_sha256"], expected["model_sha256"])

    def test_rejected_records_go_to_a_file_with_reason_origin_and_bytes(self):
        self.fill("tofile")
        settings = self.settings("tofile", "rejected: {file: rejected.jsonl}")
        result = self.workspace.run_riffle("run", settings, "--until", "end", "--json").json()
        self.check(result, self.expected_model())
        rejected = [json.loads(line) for line in (self.workspace.folder / "rejected.jsonl").read_text().splitlines()]
        for (what, value, reason, words), found in zip(BAD, rejected):
            self.assertEqual(found["reason"], reason, what)
            self.assertIn(words, found["detail"], what)
            self.assertTrue(found["detail"], what)
            kept = found["value"].encode() if "value" in found else base64.b64decode(found["value_base64"])
            self.assertEqual(kept, value, what)
            self.assertEqual((found["topic"], found["partition"]), ("tofile", 0))
        self.assertEqual([found["offset"] for found in rejected], list(range(1, len(BAD) + 1)) + [len(BAD) + 2, len(BAD) + 3])
        self.assertEqual([found["reason"] for found in rejected[len(BAD):]], ["empty", "tombstone"])

    def test_rejected_records_go_to_a_topic_that_is_confirmed_before_the_snapshot(self):
        self.fill("totopic")
        self.broker.create_topic("totopic.rejected", 1)
        settings = self.settings("totopic", "rejected: {topic: totopic.rejected}")
        result = self.workspace.run_riffle("run", settings, "--until", "end", "--json").json()
        self.check(result, self.expected_model())
        self.assertEqual(len(self.broker.consume("totopic.rejected")), len(BAD) + 2)

    def test_check_tells_what_becomes_of_one_record(self):
        settings = self.settings("checked", "")
        record = self.workspace.write("record.json", GOOD[1] + "\n")
        shown = self.workspace.run_riffle("check", settings, "--record", record).output
        for words in ("event", "amount = -1", "example", "label 1", "prediction", "score 0.5"):
            self.assertIn(words, shown)
        self.assertNotIn("not in this record", shown)
        shown = self.workspace.run_riffle("check", settings, "--set", "features.categories=[town, shop.city]", "--record", record).output
        self.assertIn("  not in this record: town, shop.city\n", shown)
        record.write_text(GOOD[1] + "\n" + GOOD[2] + "\n")
        refused = self.workspace.run_riffle("check", settings, "--record", record, status=2).errors
        self.assertIn("it has several lines: is it the value of one record alone", refused)
        record.write_bytes(BAD[4][1])
        refused = self.workspace.run_riffle("check", settings, "--record", record, status=2).errors
        self.assertIn("would be rejected (non_finite): field amount: 1e400 is not finite", refused)


if __name__ == "__main__":
    pipeline_test.main()
