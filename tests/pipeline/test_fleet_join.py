"""Workers that join a fleet begin with a snapshot of its model, and deltas that no snapshot needs may go: over a real broker."""

import re

import pipeline_test
from fleet_case import FleetCase, records

TAKEN_UP = re.compile(r'message="base taken up" .*number=(\d+)')


class FleetJoinTest(FleetCase):
    def taken_up(self, worker):
        found = TAKEN_UP.search(worker.errors)
        return int(found.group(1)) if found else None

    def test_who_joins_begins_with_a_snapshot(self):
        self.fill_topic(2, 10000)
        fleet = self.fleet(snapshots="deltas: 5, seconds: 0.5")
        with fleet.start("a") as first:
            first.wait_for(lambda: fleet.has_learned(10000), "10000 records in the log of deltas")
            first.wait_for(lambda: "a snapshot of base is there" in first.errors, "a snapshot")
            self.assertIsNone(self.taken_up(first))
            with fleet.start("b") as second:
                second.wait_for(lambda: "partitions came" in second.errors, "partitions of the second")
                self.assertGreater(self.taken_up(second), 0, second.errors)
                self.broker.produce(self.name, records(10000, 10000))
                second.wait_for(lambda: fleet.has_learned(20000), "20000 records in the log of deltas")
                self.assertEqual(second.terminate().status, 0, second.errors)
            self.assertEqual(first.terminate().status, 0, first.errors)
        stands = fleet.stands("--verify")
        self.check_once(stands, 20000)
        # Who comes alone, and has folded next to nothing, has the same model as who folds all.
        with fleet.start("c") as third:
            third.wait_for(lambda: "joined the fleet" in third.errors, "the third")
            self.assertGreater(self.taken_up(third), 0, third.errors)
            self.assertEqual(third.terminate().status, 0, third.errors)
        self.assertEqual(fleet.stands("--verify")["base_sha256"], stands["base_sha256"])

    def test_a_fleet_that_forgets_can_be_joined(self):
        self.fill_topic(2, 10000)
        fleet = self.fleet(snapshots="deltas: 3, seconds: 0.3, forget: true")
        with fleet.start("a") as first:
            first.wait_for(lambda: fleet.has_learned(10000), "10000 records in the log of deltas")
            self.broker.produce(self.name, records(10000, 5000))
            first.wait_for(lambda: "deltas before a snapshot of base are deleted" in first.errors, "deltas that are deleted")
            first.wait_for(lambda: fleet.has_learned(15000), "15000 records in the log of deltas")
            before = fleet.stands("--verify")
            with fleet.start("b") as second:
                second.wait_for(lambda: "partitions came" in second.errors, "partitions of the second")
                self.assertGreater(self.taken_up(second), 0, second.errors)
                self.assertEqual(fleet.stands("--verify")["base_sha256"], before["base_sha256"])
                self.broker.produce(self.name, records(15000, 5000))
                second.wait_for(lambda: fleet.has_learned(20000), "20000 records in the log of deltas")
                self.assertEqual(second.terminate().status, 0, second.errors)
            self.assertEqual(first.terminate().status, 0, first.errors)
        self.check_once(fleet.stands("--verify"), 20000)


if __name__ == "__main__":
    pipeline_test.main()
