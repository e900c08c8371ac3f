"""Where a worker starts reading, and that it is decided once: whatever comes after the first snapshot is learned."""

import time

import pipeline_test
from pipeline_case import PipelineCase, a_moment_between, records, rfc3339


class SourceStarts(PipelineCase):
    def starting(self, start, topics=None):
        return self.settings(source=f"{{topics: [{', '.join(topics or [self.name])}], format: json, start: '{start}'}}")

    def produce(self, first, count, partition=0, topic=None):
        self.broker.produce(topic or self.name, records(first, count), partition)

    def begin_and_kill(self, settings):
        """Kills the worker as soon as there is a snapshot: the first one, which is in place before a record is learned."""
        with self.workspace.riffle("run", settings) as worker:
            worker.wait_for(self.snapshots, "the first snapshot")
            worker.kill()

    def test_earliest_learns_all(self):
        self.broker.create_topic(self.name, 2)
        self.produce(0, 30, 0)
        self.produce(30, 20, 1)
        settings = self.starting("earliest")
        self.begin_and_kill(settings)
        self.produce(50, 10, 1)
        self.assertEqual(self.run_to_end(settings)["learned"], 60)
        self.assertEqual(self.positions(), {(self.name, 0): (30, 30), (self.name, 1): (30, 30)})

    def test_latest_is_decided_once(self):
        self.broker.create_topic(self.name, 2)
        self.produce(0, 30, 0)
        self.produce(30, 20, 1)
        settings = self.starting("latest")
        self.begin_and_kill(settings)
        self.assertEqual(self.positions(), {(self.name, 0): (30, 0), (self.name, 1): (20, 0)})
        self.produce(50, 7, 0)  # while it is down
        self.produce(57, 5, 1)
        self.begin_and_kill(settings)
        self.produce(62, 4, 1)
        self.assertEqual(self.run_to_end(settings)["learned"], 16)
        self.assertEqual(self.positions(), {(self.name, 0): (37, 7), (self.name, 1): (29, 9)})

    def test_latest_of_an_empty_topic_is_its_beginning(self):
        self.broker.create_topic(self.name, 1)
        settings = self.starting("latest")
        self.begin_and_kill(settings)
        self.produce(0, 25)
        self.assertEqual(self.run_to_end(settings)["learned"], 25)

    def test_time_starts_each_partition_at_the_first_record_that_is_not_older(self):
        self.broker.create_topic(self.name, 3)
        self.produce(0, 30, 0)
        self.produce(30, 20, 1)
        moment = a_moment_between()
        self.produce(50, 8, 0)
        self.produce(58, 3, 2)
        settings = self.starting(rfc3339(moment))
        self.begin_and_kill(settings)
        self.assertEqual(self.positions(), {(self.name, 0): (30, 0), (self.name, 1): (20, 0), (self.name, 2): (0, 0)})
        self.produce(61, 6, 1)
        self.assertEqual(self.run_to_end(settings)["learned"], 17)
        self.assertEqual(self.positions(), {(self.name, 0): (38, 8), (self.name, 1): (26, 6), (self.name, 2): (3, 3)})

    def test_time_after_all_records_is_decided_once_too(self):
        self.fill(30)
        settings = self.starting(rfc3339(int(time.time() * 1000) + 3600 * 1000))
        self.begin_and_kill(settings)
        self.produce(30, 12)  # older than that time, but it has begun
        self.assertEqual(self.run_to_end(settings)["learned"], 12)

    def test_time_before_all_records_learns_all(self):
        self.fill(30)
        self.assertEqual(self.run_to_end(self.starting("1970-01-01T00:00:00Z"))["learned"], 30)

    def test_topic_deleted_while_it_is_read_is_named(self):
        self.broker.create_topic(self.name, 2)
        self.produce(0, 30, 0)
        settings = self.settings("sinks: [{file: {path: scores}}]")
        with self.workspace.riffle("run", settings) as worker:
            scores = self.workspace.folder / "scores"
            worker.wait_for(lambda: scores.exists() and scores.read_bytes().count(b"\n") == 30, "30 scores")
            self.broker.delete_topic(self.name)
            done = worker.wait()
        self.assertEqual(done.status, 1)
        self.assertRegex(done.errors, rf"riffle run: .*{self.name} \[[01]\] is gone from {self.broker.bootstrap}")
        self.refused(settings, 1, f"topic {self.name} is not there")
        self.broker.create_topic(self.name, 2)
        self.refused(settings, 1, f"of {self.name} [0] is beyond the end")

    def test_topic_taken_from_the_settings_keeps_its_position(self):
        other = "other_topic"
        for topic in (self.name, other):
            self.broker.create_topic(topic, 1)
        self.produce(0, 30)
        self.produce(30, 20, topic=other)
        self.assertEqual(self.run_to_end(self.starting("earliest", [other, self.name]))["learned"], 50)

        self.produce(50, 5)
        self.produce(55, 4, topic=other)  # waits
        self.assertEqual(self.run_to_end(self.starting("earliest"))["learned"], 55)
        self.assertEqual(self.positions(), {(other, 0): (20, 20), (self.name, 0): (35, 35)})
        committed = {partition: offset for partition, (offset, _) in self.broker.committed(self.name).items()}
        self.assertEqual(committed, {(other, 0): 20, (self.name, 0): 35})

        self.assertEqual(self.run_to_end(self.starting("latest", [self.name, other]))["learned"], 59)  # it goes on there
        self.broker.delete_topic(other)
        self.produce(59, 2)
        self.assertEqual(self.run_to_end(self.starting("earliest"))["learned"], 61)
        self.refused(self.starting("earliest", [self.name, other]), 1, f"topic {other} is not there")


if __name__ == "__main__":
    pipeline_test.main()
