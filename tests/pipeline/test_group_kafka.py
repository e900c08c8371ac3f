"""Sources that share a topic as one group of a real broker: who reads what, when it moves, and what is never delivered."""

import time
import unittest
from random import Random

import fleet_member
import kafka_cluster
import pipeline_test
from fleet_member import Member, step_until

PARTITIONS = 4
SESSION_MS = 2000


class GroupTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = kafka_cluster.KafkaBroker({"group.min.session.timeout.ms": 500})
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def setUp(self):
        self.topic = self.group = self.id().rsplit(".", 1)[1].replace("_", "-")[:60]
        self.count = 0
        self.broker.create_topic(self.topic, PARTITIONS)
        self.produce()

    def produce(self, each=5):
        """Some records into every partition; their values count up."""
        for partition in range(PARTITIONS):
            self.broker.produce(self.topic, [f"{partition}-{self.count + i}" for i in range(each)], partition)
        self.count += each

    def member(self, instance=None, session_ms=SESSION_MS, **properties):
        member = Member(self.broker)
        self.addCleanup(member.end)
        joined = member.join(self.topic, self.group, instance, session_timeout_ms=session_ms, **properties)
        self.assertEqual(joined["status"], "ok", joined)
        return member

    def read_all(self, *members):
        """Until all that was produced has been delivered, and every partition in order."""
        want = {(partition, offset) for partition in range(PARTITIONS) for offset in range(self.count)}

        def seen():
            return {record[:2] for one in members for record in one.records}

        step_until(lambda: seen() >= want, *members, what=f"{want - seen()}")
        for one in members:
            for partition in range(PARTITIONS):
                offsets = [record[1] for record in one.records if record[0] == partition]
                for record in one.records:
                    self.assertEqual(record[2], f"{record[0]}-{record[1]}")
                self.assertEqual(offsets, sorted(set(offsets)))

    def test_one_member_reads_all_partitions_from_the_start(self):
        one = self.member()
        self.read_all(one)
        self.assertEqual(one.events, [("assigned", [0, 1, 2, 3])])
        self.assertEqual(one.do("ends")["ends"], {str(partition): self.count for partition in range(PARTITIONS)})
        self.assertEqual(one.do("group")["status"], "ok")

    def move_partitions(self, **properties):
        one = self.member(**properties)
        self.read_all(one)
        two = self.member(**properties)
        step_until(lambda: len(one.held) == 2 and len(two.held) == 2, one, two, what="two partitions each")
        self.assertEqual(one.held | two.held, set(range(PARTITIONS)))
        self.produce()
        before = len(one.records)
        for partition in two.held:
            two.records = [record for record in two.records if record[0] != partition or record[1] >= 0]
        self.read_all(one, two)
        self.assertLessEqual({record[0] for record in one.records[before:]}, one.held)
        return one, two

    def test_partitions_move_to_a_second_member_cooperatively(self):
        one, two = self.move_partitions()
        revoked = [event for event in one.events if event[0] == "revoked"]
        self.assertEqual([len(event[1]) for event in revoked], [2], one.events)
        self.assertEqual(one.do("destroy")["status"], "ok")
        step_until(lambda: len(two.held) == PARTITIONS, two, what="all partitions after the first has left")
        self.assertNotIn("lost", [event[0] for event in two.events])

    def test_partitions_move_to_a_second_member_eagerly(self):
        one, _ = self.move_partitions(partition_assignment_strategy="range")
        revoked = [event for event in one.events if event[0] == "revoked"]
        self.assertEqual(revoked, [("revoked", [0, 1, 2, 3])], one.events)

    def test_what_stays_goes_on_without_gap_or_repeat_through_rebalances(self):
        one = self.member()
        for _ in range(4):
            self.produce(200)
            two = self.member()
            step_until(lambda: len(two.held) == 2, one, two, what="two partitions")
            self.produce(200)
            two.do("destroy")
            step_until(lambda: len(one.held) == PARTITIONS, one, what="all partitions again")
        # The others never learned anything: what moved was read by both.
        self.read_all(one)

    def test_nothing_of_a_revoked_partition_comes_before_the_answer(self):
        one = self.member()
        self.read_all(one)
        two = self.member()
        told = {}

        def is_revoked():
            two.step()
            told.update(one.poll(20))
            return told.get("event") == "revoked"

        step_until(is_revoked)
        self.produce()
        for _ in range(20):
            two.step()
            self.assertIn(one.poll(20)["event"], ("idle", "records"))  # poll() refuses records of what is not held
        one.answer_event({"event": "revoked", "partitions": told["partitions"]})
        step_until(lambda: len(two.held) == 2, one, two)

    def test_a_static_member_that_comes_back_has_its_partitions_unnoticed(self):
        one, two = self.member("worker-1"), self.member("worker-2")
        step_until(lambda: len(one.held) == 2 and len(two.held) == 2, one, two, what="two partitions each")
        held, events = set(one.held), len(two.events)
        for leave in ("destroy", "kill"):
            if leave == "destroy":
                self.assertEqual(one.do("destroy")["status"], "ok")
            one.kill()
            one = self.member("worker-1")
            began = time.monotonic()
            step_until(lambda member=one: member.held == held, one, two, what=f"{held}, after {leave}")
            print(f"back after {leave}: {(time.monotonic() - began) * 1000:.0f} ms", flush=True)
            self.assertEqual(len(two.events), events, two.events)

    def test_a_dynamic_member_that_leaves_is_replaced_at_once(self):
        one, two = self.member(session_ms=30000), self.member(session_ms=30000)
        step_until(lambda: len(one.held) == 2 and len(two.held) == 2, one, two, what="two partitions each")
        self.assertLess(one.do("destroy")["ms"], 3500)
        step_until(lambda: len(two.held) == PARTITIONS, two, seconds=15, what="all partitions")

    def test_who_is_displaced_by_its_own_instance_id_is_told_for_good(self):
        one = self.member("worker-1")
        step_until(lambda: len(one.held) == PARTITIONS, one)
        two = self.member("worker-1")
        told = {}

        def is_told():
            two.step()
            told.update(one.poll(20))
            return told["status"] != "ok"

        step_until(is_told)
        for _ in range(3):
            self.assertEqual((told["status"], told["is_temporary"]), ("held by another", False), told)
            self.assertEqual(told["text"], f"another worker of group {self.group} has come with kafka.group.instance.id worker-1, "
                                           "which must be of one alone")
            told = one.poll(20)
        step_until(lambda: len(two.held) == PARTITIONS, two)
        self.assertLess(one.do("destroy")["ms"], 2000)

    def test_partitions_of_a_stopped_process_are_lost_to_it(self):
        one, two = self.member(), self.member()
        step_until(lambda: len(one.held) == 2 and len(two.held) == 2, one, two, what="two partitions each")
        held = sorted(one.held)
        one.pause()
        step_until(lambda: len(two.held) == PARTITIONS, two, what="all partitions")
        self.produce()
        self.read_all(two)
        one.resume()
        step_until(lambda: any(event[0] == "lost" for event in one.events), one, two, what="the loss")
        self.assertIn(("lost", held), one.events)
        step_until(lambda: len(one.held) == 2 and len(two.held) == 2, one, two, what="two partitions each, again")

    def test_who_does_not_poll_loses_its_partitions_and_joins_again(self):
        one = self.member(max_poll_interval_ms=3000)
        step_until(lambda: len(one.held) == PARTITIONS, one)
        time.sleep(4.5)
        step_until(lambda: one.events[1:] == [("lost", [0, 1, 2, 3]), ("assigned", [0, 1, 2, 3])], one, what="loss and return")
        self.produce()
        self.read_all(one)

    def test_a_position_that_is_known_is_where_reading_begins(self):
        one = self.member()
        for partition in range(PARTITIONS):
            one.do("set", self.topic, partition, 2 + (partition == 3) * 50)
        told = {}
        step_until(lambda: told.update(one.poll(20)) or told.get("event") == "assigned")
        refused = one.do("assign")
        self.assertEqual(refused["status"], "in conflict", refused)
        self.assertIn(f"offset 52 of {self.topic} [3] is beyond the end", refused["text"])
        one.do("set", self.topic, 3, 4, 77)  # with a fingerprint: the record before comes again
        looked = one.do("look")
        self.assertEqual(looked["holdings"], {"0": [0, 5, False], "1": [0, 5, False], "2": [0, 5, False], "3": [0, 5, True]}, looked)
        one.answer_event(told)
        step_until(lambda: len(one.records) >= 11, one)
        first = {partition: min(record[1] for record in one.records if record[0] == partition) for partition in range(PARTITIONS)}
        self.assertEqual(first, {0: 2, 1: 2, 2: 2, 3: 3})

    def test_destroying_never_waits_for_a_broker_that_stands_still(self):
        one, two, three = self.member(), self.member("worker-1"), self.member()
        step_until(lambda: len(one.held | two.held | three.held) == PARTITIONS, one, two, three)
        self.broker.pause()
        try:
            for member, most_ms in ((two, 2000), (one, 15000)):
                done = member.do("destroy")
                print(f"destroyed in {done['ms']} ms with the broker standing still", flush=True)
                self.assertLess(done["ms"], most_ms)
        finally:
            self.broker.resume()

    def test_a_member_may_be_destroyed_at_any_moment(self):
        """librdkafka waits for answers that nobody gives any more, and its leader of a group must not end too early."""
        stays = self.member()
        random = Random(1)
        for i in range(30):
            goes = self.member(instance=f"worker-{i}" if i % 3 == 0 else None)
            for _ in range(random.randrange(12)):
                goes.poll(random.randrange(10))
                stays.step()
                if random.randrange(8) == 0:
                    break
            self.assertLess(goes.do("destroy")["ms"], 6000)
            goes.end()
            if i % 3 == 1:
                stays.do("destroy")
                stays.end()
                stays = self.member()

    def test_names_what_cannot_be(self):
        for properties, sentence in (
                ({"group.id": ""}, "kafka.group.id is not set, must name the group that the workers make up"),
                ({"isolation.level": "read_uncommitted"}, "kafka.isolation.level is read_uncommitted, must be read_committed: what "
                                                          "others learned of must not be taken back"),
                ({"enable.auto.commit": "true"}, "kafka.enable.auto.commit is true, must be false: offsets are committed after the "
                                                 "snapshot that covers them")):
            member = Member(self.broker)
            self.addCleanup(member.end)
            refused = member.join(self.topic, self.group, **properties)
            self.assertEqual((refused["status"], refused["text"]), ("invalid", sentence))
        member = Member(self.broker)
        self.addCleanup(member.end)
        member.join("nowhere", self.group)
        told = member.poll()
        self.assertEqual((told["status"], told["is_temporary"]), ("not found", False), told)


if __name__ == "__main__":
    if not fleet_member.PROGRAM:
        pipeline_test.skip("RIFFLE_FLEET_MEMBER is not set")
    pipeline_test.main()
