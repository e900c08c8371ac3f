"""Workers of one group share a model: over a real broker, with workers that come, go, die and come back."""

import collections
import json
import os
import signal
import time
import unittest

import pipeline_test
from fleet_case import SESSION_MS, Fleet, KafkaBroker, Workspace, fill, records


class FleetTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = KafkaBroker()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)
        self.name = self.id().rsplit(".", 1)[1][5:45]

    def fleet(self, **more):
        return Fleet(self.workspace, self.broker.bootstrap, self.name, **more)

    def check_once(self, stands, count):
        self.assertEqual(stands["records"], count)
        self.assertEqual(stands["learned"], count)
        ends = dict(enumerate(self.broker.end_offsets(self.name)))
        self.assertEqual({one["partition"]: one["next_offset"] for one in stands["applied"]}, ends)
        self.assertEqual({one["partition"]: one["records"] for one in stands["applied"]}, ends)

    def test_one_worker_learns_all(self):
        fill(self.broker, self.name, 3, 5000)
        fleet = self.fleet()
        with fleet.start("a") as worker:
            worker.wait_for(lambda: fleet.has_learned(5000), "5000 records in the log of deltas")
            self.assertEqual(worker.terminate().status, 0, worker.errors)
        stands = fleet.stands("--verify")
        self.check_once(stands, 5000)
        self.assertEqual(stands["voids"], 0)

    def test_two_workers_share_and_each_record_counts_once(self):
        fill(self.broker, self.name, 4, 20000)
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


if __name__ == "__main__":
    pipeline_test.main()
