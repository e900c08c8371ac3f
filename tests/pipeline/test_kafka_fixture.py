"""The broker that the other pipeline tests lean on does what they expect of it."""

import unittest

import pipeline_test
from kafka_cluster import KafkaBroker, Record
from kafka_wire import KafkaError


class KafkaFixture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = KafkaBroker()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def test_records_come_back_as_they_were_produced(self):
        self.broker.create_topic("plain", 2)
        self.broker.produce("plain", ['{"amount": 1}', '{"amount": 2}'], partition=1)
        self.assertEqual(
            self.broker.consume("plain"),
            [Record(1, 0, None, b'{"amount": 1}'), Record(1, 1, None, b'{"amount": 2}')],
        )
        self.assertEqual(self.broker.end_offsets("plain"), [0, 2])

    def test_records_survive_a_kill(self):
        self.broker.create_topic("kept", 1)
        self.broker.produce("kept", ["before"], settings=["acks=all"])
        port = self.broker.port
        self.broker.kill()
        self.broker.restart()
        self.broker.produce("kept", ["after"])
        self.assertEqual([record.value for record in self.broker.consume("kept")], [b"before", b"after"])
        self.assertEqual(self.broker.port, port)

    def test_a_deleted_topic_is_made_anew_from_offset_0(self):
        self.broker.create_topic("anew", 1)
        self.broker.produce("anew", ["one", "two"])
        self.broker.delete_topic("anew")
        self.broker.create_topic("anew", 3)
        self.assertEqual(self.broker.end_offsets("anew"), [0, 0, 0])

    def test_a_topic_grows_by_partitions(self):
        self.broker.create_topic("growing", 1)
        self.broker.create_partitions("growing", 3)
        self.assertEqual(self.broker.end_offsets("growing"), [0, 0, 0])

    def test_a_cut_log_starts_later(self):
        self.broker.create_topic("cut", 1)
        self.broker.produce("cut", ["one", "two", "three"])
        self.broker.delete_records("cut", 0, 2)
        self.assertEqual(self.broker.start_offsets("cut"), [2])
        self.assertEqual([record.value for record in self.broker.consume("cut")], [b"three"])

    def test_a_group_that_never_committed_has_no_offsets(self):
        self.assertEqual(self.broker.committed("nobody"), {})

    def test_a_topic_is_not_made_twice(self):
        self.broker.create_topic("once", 1)
        with self.assertRaisesRegex(KafkaError, "create topic once: error 36"):
            self.broker.create_topic("once", 1)


if __name__ == "__main__":
    pipeline_test.main()
