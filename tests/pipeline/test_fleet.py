"""Workers of one group share a model: over a real broker, with workers that come, go, die and come back."""

import collections
import json
import time

import pipeline_test
from fleet_case import FleetCase, records


class FleetTest(FleetCase):
    def test_one_worker_learns_all(self):
        self.fill_topic(3, 5000)
        fleet = self.fleet()
        with fleet.start("a") as worker:
            worker.wait_for(lambda: fleet.has_learned(5000), "5000 records in the log of deltas")
            self.assertEqual(worker.terminate().status, 0, worker.errors)
        stands = fleet.stands("--verify")
        self.check_once(stands, 5000)
        self.assertEqual(stands["voids"], 0)

    def test_two_workers_share_and_each_record_counts_once(self):
        self.fill_topic(4, 20000)
        fleet = self.fleet()
        with fleet.start("a") as first, fleet.start("b") as second:
            first.wait_for(lambda: "partitions came" in first.errors, "partitions of the first")
            second.wait_for(lambda: "partitions came" in second.errors, "partitions of the second")
            self.broker.produce(self.name, records(20000, 20000))
            first.wait_for(lambda: fleet.has_learned(40000), "40000 records in the log of deltas")
            self.assertEqual(first.terminate().status, 0, first.errors)
            second.wait_for(lambda: True, "it")
            self.assertEqual(second.terminate().status, 0, second.errors)
        stands = fleet.stands("--verify")
        self.check_once(stands, 40000)
        workers = {one["worker"]: one["records"] for one in stands["workers"]}
        self.assertEqual(sum(workers.values()), 40000)
        self.assertGreater(min(workers.values()), 0, workers)

    def scores(self, topic):
        """What a read_committed reader of the sink's topic sees: how often each (partition, offset) stands there."""
        seen = collections.Counter()
        for record in self.broker.consume(topic):
            told = json.loads(record.value)
            seen[told["partition"], told["offset"]] += 1
        return seen

    def test_killed_workers_leave_each_prediction_once(self):
        self.fill_topic(4, 20000)
        self.broker.create_topic(f"{self.name}.scores", 2)
        fleet = self.fleet(more=f"sinks: [{{kafka: {{topic: {self.name}.scores}}}}]")
        workers = {name: fleet.start(name) for name in "ab"}
        try:
            for round in range(6):
                time.sleep(1.5)
                name = "ab"[round % 2]
                workers[name].kill()
                workers[name] = fleet.start(name)
                self.broker.produce(self.name, records(20000 + 3000 * round, 3000))
            count = 20000 + 6 * 3000
            workers["a"].wait_for(lambda: fleet.has_learned(count), f"{count} records in the log of deltas")
            for worker in workers.values():
                self.assertEqual(worker.terminate().status, 0, worker.errors)
        finally:
            for worker in workers.values():
                worker.__exit__()
        self.check_once(fleet.stands("--verify"), count)
        seen = self.scores(f"{self.name}.scores")
        self.assertEqual(len(seen), count)
        self.assertEqual(set(seen.values()), {1})

    def test_a_worker_that_stood_still_too_long_takes_back_what_it_learned(self):
        self.fill_topic(4, 4000)
        fleet = self.fleet()
        with fleet.start("a") as still, fleet.start("b") as other:
            still.wait_for(lambda: fleet.has_learned(4000), "4000 records in the log of deltas")
            still.pause()
            self.broker.produce(self.name, records(4000, 4000))
            other.wait_for(lambda: fleet.has_learned(8000), "the records of the one that stands still")
            still.resume()
            self.broker.produce(self.name, records(8000, 4000))
            other.wait_for(lambda: fleet.has_learned(12000), "12000 records in the log of deltas")
            still.wait_for_words("partitions were lost")
            self.assertEqual(still.terminate().status, 0, still.errors)
            self.assertEqual(other.terminate().status, 0, other.errors)
        self.check_once(fleet.stands("--verify"), 12000)

    def test_of_two_with_one_name_one_ends(self):
        self.fill_topic(2, 1000)
        fleet = self.fleet()
        with fleet.start("a") as first:
            first.wait_for(lambda: fleet.has_learned(1000), "1000 records in the log of deltas")
            with fleet.start("a") as second:
                ended = first.wait()
                self.assertEqual(ended.status, 3, ended.errors)
                self.assertIn("group.instance.id", ended.errors)
                self.broker.produce(self.name, records(1000, 1000))
                second.wait_for(lambda: fleet.has_learned(2000), "2000 records in the log of deltas")
                self.assertEqual(second.terminate().status, 0, second.errors)
        self.check_once(fleet.stands("--verify"), 2000)

    def test_another_specification_is_refused(self):
        self.fill_topic(1, 100)
        fleet = self.fleet()
        with fleet.start("a") as worker:
            worker.wait_for(lambda: fleet.has_learned(100), "100 records in the log of deltas")
            self.assertEqual(worker.terminate().status, 0, worker.errors)
        other = self.fleet(learner="{type: linear, hash_bits: 13}")
        done = self.workspace.run_riffle("run", other.settings("b"), status=4)
        self.assertIn("was founded with another specification: learner.hash_bits was 12, is 13", done.errors)

    def test_what_cannot_be_shared_is_refused(self):
        self.broker.create_topic(self.name, 1)
        fleet = self.fleet(learner="{type: dense, batch: {size: 32}}")
        text = fleet.settings("a").read_text().replace("numbers: [amount]", "vector: {field: v, size: 4}")
        done = self.workspace.run_riffle("run", self.workspace.write("dense.yaml", text), status=2)
        self.assertRegex(done.errors, "cannot be shared|has no rule for merging")


if __name__ == "__main__":
    pipeline_test.main()
