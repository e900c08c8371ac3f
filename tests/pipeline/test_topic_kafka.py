"""Topics that are logs: made as they must be, checked, and cut."""

import unittest

import fleet_member
import kafka_cluster
import pipeline_test
from fleet_member import Member

RIGHT = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "max.message.bytes": "2000000"}


class TopicTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A broker that makes topics when somebody asks for them: asking whether a log is there must not.
        cls.broker = kafka_cluster.KafkaBroker({"auto.create.topics.enable": "true", "num.partitions": "3"})
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.member = Member(cls.broker)
        cls.addClassCleanup(cls.member.end)

    def setUp(self):
        self.topic = self.id().rsplit(".", 1)[1].replace("_", "-")

    def ensure(self, replication=0, message_bytes=1000000):
        return self.member.do("ensure", self.topic, replication, message_bytes, self.member.bootstrap)

    def refuses(self, sentence, **options):
        refused = self.ensure(**options)
        self.assertEqual((refused["status"], refused["text"]), ("in conflict", f"topic {self.topic} {sentence}"))

    def test_a_log_that_is_not_there_is_made_and_found_right_ever_after(self):
        made = self.ensure(message_bytes=1500000)
        self.assertEqual(made["status"], "ok", made)
        print(f"made in {made['ms']} ms", flush=True)
        self.assertEqual(len(self.broker.end_offsets(self.topic)), 1)
        self.assertEqual(self.ensure(message_bytes=1500000)["status"], "ok")
        self.refuses("has max.message.bytes 1500000, must be at least 1500001", message_bytes=1500001)
        self.refuses("has a replication factor of 1, must be 3", replication=3)

    def test_what_the_cluster_cannot_hold_is_told(self):
        refused = self.ensure(replication=3)
        print(refused["text"], flush=True)
        self.assertEqual(refused["status"], "input or output failed")
        self.assertIn(f"topic {self.topic} cannot be made: ", refused["text"])
        self.assertEqual(self.ensure()["status"], "ok")

    def test_a_topic_that_was_made_otherwise_is_refused_with_what_would_be_right(self):
        for name, value, sentence in (
                ("cleanup.policy", "compact", "has cleanup.policy compact, must be delete: compaction would take what the model is made "
                                              "of"),
                ("retention.ms", "604800000", "has retention.ms 604800000, must be -1: the model is made of all of it, however old"),
                ("retention.bytes", "1000", "has retention.bytes 1000, must be -1: the model is made of all of it, however much"),
                ("max.message.bytes", "1000", "has max.message.bytes 1000, must be at least 1000000")):
            self.topic = f"log.{name}"
            self.broker.create_topic(self.topic, 1, {**RIGHT, name: value})
            self.refuses(sentence)

    def test_a_topic_that_somebody_produced_into_first_is_refused(self):
        self.broker.produce(self.topic, ["a"])  # which made it
        self.refuses("has 3 partitions, must have 1: it is one log")

    def test_what_is_before_an_offset_is_forgotten(self):
        self.ensure()
        self.broker.produce(self.topic, ["a", "b", "c"])
        done = self.member.do("forget", self.topic, 2, self.member.bootstrap)
        self.assertEqual(done["status"], "ok", done)
        self.assertEqual(self.broker.start_offsets(self.topic), [2])
        refused = self.member.do("forget", self.topic, 20, self.member.bootstrap)
        print(refused["text"], flush=True)
        self.assertEqual(refused["status"], "input or output failed")

    def test_a_broker_that_is_away_is_told(self):
        refused = self.member.do("ensure", "log", 0, 1000, "bootstrap.servers=127.0.0.1:1")
        print(refused["ms"], refused["text"], flush=True)
        self.assertEqual(refused["status"], "input or output failed")
        self.assertIn("Connection refused", refused["text"])


if __name__ == "__main__":
    if not fleet_member.PROGRAM:
        pipeline_test.skip("RIFFLE_FLEET_MEMBER is not set")
    pipeline_test.main()
