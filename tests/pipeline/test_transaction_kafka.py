"""Transactions on a real broker: what is seen of them, what becomes of them when somebody dies, and who is fenced."""

import threading
import time
import unittest

import fleet_member
import kafka_cluster
import pipeline_test
from fleet_member import Member, step_until

SESSION_MS = 2000
TIMEOUT_MS = 10000
PATIENCE_MS = 15000


class TransactionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = kafka_cluster.KafkaBroker({
            "group.min.session.timeout.ms": 500,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,  # how often the broker looks for them
        })
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def setUp(self):
        name = self.id().rsplit(".", 1)[1].replace("_", "-")[:60]
        self.topic = self.group = self.id_of_worker = name
        self.out = f"{name}.out"
        self.broker.create_topic(self.topic, 2)
        self.broker.create_topic(self.out, 1)
        for partition in range(2):
            self.broker.produce(self.topic, [f"{partition}-{offset}" for offset in range(5)], partition)

    def member(self, instance=None):
        """One that has joined the group."""
        member = Member(self.broker)
        self.addCleanup(member.end)
        self.ok(member.join(self.topic, self.group, instance, session_timeout_ms=SESSION_MS))
        return member

    def ok(self, done):
        self.assertEqual(done["status"], "ok", done)
        return done

    def writer(self, opened=True, timeout_ms=TIMEOUT_MS, member=None, name=None, **properties):
        """One with a transactional producer."""
        if not member:
            member = Member(self.broker)
            self.addCleanup(member.end)
        settings = [f"{key.replace('_', '.')}={value}" for key, value in properties.items()]
        self.ok(member.do("transaction", name or self.id_of_worker, timeout_ms, member.bootstrap, *settings))
        if opened:
            self.ok(member.do("open", PATIENCE_MS))
        return member

    def send(self, writer, *values, offsets=(), timeout_ms=PATIENCE_MS):
        return writer.do("send", timeout_ms, "note-1", *(f"{self.out}={value}" for value in values),
                         *(f"@{self.topic}:{partition}:{offset}" for partition, offset in offsets))

    def becomes(self, done, status, outcome):
        self.assertEqual((done["status"], done["outcome"]), (status, outcome), done)
        return done

    def seen(self):
        return [record.value.decode() for record in self.broker.consume(self.out, ["isolation.level=read_committed"])]

    def wait_for(self, look, want):
        """A commit is decided when it is answered, and seen when the brokers have written so into every partition."""
        deadline = time.monotonic() + 10
        while look() != want and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(look(), want)

    def expect(self, *values):
        self.wait_for(self.seen, list(values))

    def expect_committed(self, offsets):
        self.wait_for(lambda: self.broker.committed(self.group),
                      {(self.topic, partition): (offset, "note-1") for partition, offset in offsets.items()})

    def commit(self, writer, *values, offsets=()):
        self.becomes(self.send(writer, *values, offsets=offsets), "ok", "open")
        self.becomes(writer.do("commit", PATIENCE_MS), "ok", "committed")

    def test_what_is_committed_is_seen_with_its_offsets(self):
        one = self.writer(member=self.member())
        step_until(lambda: len(one.records) == 10, one)
        self.ok(one.do("group"))
        self.becomes(self.send(one, "a", "b", offsets=[(0, 5), (1, 4)]), "ok", "open")
        self.assertEqual(self.seen(), [])
        self.becomes(one.do("commit", PATIENCE_MS), "ok", "committed")
        self.expect("a", "b")
        self.expect_committed({0: 5, 1: 4})
        told = self.ok(one.do("committed"))
        self.assertEqual((told["note"], told["positions"]), ("note-1", {"0": 5, "1": 4}))
        self.commit(one, "c")
        self.expect("a", "b", "c")

    def test_what_is_aborted_is_never_seen(self):
        one = self.writer()
        self.becomes(self.send(one, "a"), "ok", "open")
        self.becomes(one.do("abort", PATIENCE_MS), "ok", "aborted")
        self.commit(one, "b")
        self.expect("b")

    def test_who_opens_an_id_fences_the_one_before(self):
        one = self.writer()
        self.commit(one, "a")
        self.becomes(self.send(one, "b"), "ok", "open")
        two = self.writer()
        fenced = one.do("commit", PATIENCE_MS)
        self.becomes(fenced, "in conflict", "fenced")
        print(fenced["text"], flush=True)
        self.commit(two, "c")
        self.expect("a", "c")

    def test_who_is_fenced_between_transactions_learns_it_when_sending(self):
        one = self.writer()
        self.commit(one, "a")
        two = self.writer()
        told = self.send(one, "b")
        print(told["text"], flush=True)
        self.becomes(told, "in conflict", "fenced")
        self.commit(two, "c")
        self.expect("a", "c")

    def test_a_stale_generation_is_aborted_and_fresh_metadata_is_taken(self):
        one = self.writer(member=self.member())
        step_until(lambda: len(one.held) == 2, one)
        self.ok(one.do("group"))
        two = self.member()
        step_until(lambda: len(one.held) == 1 and len(two.held) == 1, one, two)
        told = self.send(one, "a", offsets=[(partition, 3) for partition in one.held])
        self.becomes(told, "in conflict", "aborted")
        self.assertIn("the group has gone on without this worker", told["text"])
        self.ok(one.do("group"))
        self.commit(one, "b", offsets=[(partition, 3) for partition in one.held])
        self.expect("b")

    def test_a_generation_does_not_tell_who_owns_a_partition(self):
        """Fresh metadata of any member commits for any partition: that a delta is of its owner rests on the log of deltas alone."""
        one = self.writer(member=self.member())
        step_until(lambda: len(one.held) == 2, one)
        two = self.member()
        step_until(lambda: len(one.held) == 1 and len(two.held) == 1, one, two)
        self.ok(one.do("group"))
        self.commit(one, "a", offsets=[(partition, 2) for partition in two.held])
        self.expect_committed({partition: 2 for partition in two.held})

    def test_one_that_lost_its_membership_cannot_be_taken_for_no_member(self):
        one = self.writer(member=self.member())
        step_until(lambda: len(one.held) == 2, one)
        self.ok(one.do("group"))
        two = self.member()
        one.pause()
        step_until(lambda: len(two.held) == 2, two)
        one.resume()
        told = self.send(one, "a", offsets=[(0, 3)])
        self.becomes(told, "in conflict", "aborted")
        step_until(lambda: ("lost", [0, 1]) in one.events, one, two)

    def test_who_is_displaced_by_its_own_instance_id_cannot_commit(self):
        one = self.writer(member=self.member("worker-1"))
        step_until(lambda: len(one.held) == 2, one)
        self.ok(one.do("group"))
        two = self.member("worker-1")
        step_until(lambda: len(two.held) == 2, two)
        self.becomes(self.send(one, "a", offsets=[(0, 3)]), "in conflict", "aborted")

    def read_until(self, reader, value):
        began = time.monotonic()
        step_until(lambda: any(record[2] == value for record in reader.records), reader, what=value)
        return time.monotonic() - began

    def reader(self):
        """Reads what transactions put out."""
        reader = Member(self.broker)
        self.addCleanup(reader.end)
        self.ok(reader.join(self.out, f"{self.group}.readers", session_timeout_ms=SESSION_MS))
        step_until(lambda: len(reader.held) == 1, reader)
        return reader

    def test_an_open_transaction_of_the_dead_holds_readers_up_until_its_timeout(self):
        reader, one, two = self.reader(), self.writer(timeout_ms=4000), self.writer(name="another")
        self.becomes(self.send(one, "a"), "ok", "open")
        one.kill()
        self.commit(two, "b")
        for _ in range(50):  # a second
            reader.step()
        self.assertEqual(reader.records, [])
        self.assertEqual(self.seen(), [])  # who reads to the end of the partition comes to an end before what is committed
        seconds = self.read_until(reader, "b")
        print(f"held up for {seconds + 1:.1f} s by a transaction with a timeout of 4 s", flush=True)
        self.assertEqual([record[2] for record in reader.records], ["b"])

    def test_who_comes_back_with_its_id_ends_what_it_left_open_at_once(self):
        reader, one, two = self.reader(), self.writer(timeout_ms=60000), self.writer(name="another")
        self.becomes(self.send(one, "a"), "ok", "open")
        one.kill()
        self.commit(two, "b")
        for _ in range(25):
            reader.step()
        self.assertEqual(reader.records, [])
        one = self.writer(timeout_ms=60000)
        seconds = self.read_until(reader, "b")
        print(f"readers go on {seconds * 1000:.0f} ms after the id was taken again", flush=True)
        self.commit(one, "c")
        self.read_until(reader, "c")
        self.assertEqual([record[2] for record in reader.records], ["b", "c"])

    def test_a_commit_that_nobody_answers_is_unknown_and_opening_settles_it(self):
        one = self.writer()
        self.commit(one, "a")
        self.becomes(self.send(one, "b"), "ok", "open")
        self.broker.kill()
        unknown = one.do("commit", 2000)
        print(unknown["text"], flush=True)
        self.becomes(unknown, "input or output failed", "unknown")
        self.assertLess(unknown["ms"], 3000)
        away = one.do("open", 1000)
        self.assertEqual(away["status"], "input or output failed", away)
        self.assertLess(away["ms"], 2000)
        self.broker.restart()
        opened = self.ok(one.do("open", 30000))
        print(f"opened again after {opened['ms']} ms", flush=True)
        self.expect("a")
        self.commit(one, "c")
        self.expect("a", "c")

    def test_a_commit_whose_answer_was_lost_is_found_in_the_log(self):
        one = self.writer()
        self.becomes(self.send(one, "a"), "ok", "open")
        self.broker.pause()
        resumed = threading.Timer(3, self.broker.resume)
        resumed.start()
        unknown = one.do("commit", 1000)
        self.becomes(unknown, "input or output failed", "unknown")
        self.assertLess(unknown["ms"], 2000)
        resumed.join()
        self.ok(one.do("open", 30000))
        self.expect("a")  # the request stood in the broker's queue, and was obeyed

    def test_no_call_waits_beyond_its_time(self):
        one = self.writer(member=self.member())
        step_until(lambda: len(one.held) == 2, one)
        self.ok(one.do("group"))
        self.commit(one, "a", offsets=[(0, 1)])
        self.broker.pause()
        try:
            told = self.send(one, "b", offsets=[(0, 2)], timeout_ms=2000)
            print(told["ms"], told["text"], flush=True)
            self.becomes(told, "input or output failed", "unknown")
            self.assertLess(told["ms"], 3200)
            self.assertLess(one.do("open", 1000)["ms"], 2000)
            self.assertLess(one.do("drop")["ms"], 1000)
        finally:
            self.broker.resume()
        self.writer(member=one)
        self.commit(one, "c")
        self.expect("a", "c")

    def test_a_group_that_stands_still_while_offsets_are_sent_is_not_waited_for(self):
        one = self.writer(member=self.member())
        step_until(lambda: len(one.held) == 2, one)
        self.ok(one.do("group"))
        self.broker.pause()
        try:
            told = self.send(one, offsets=[(0, 2)], timeout_ms=2000)
            print(told["ms"], told["text"], flush=True)
            self.assertIn(told["outcome"], ("unknown", "aborted"))
            self.assertLess(told["ms"], 2000 + TIMEOUT_MS / 5 + 500)
        finally:
            self.broker.resume()

    def test_one_that_the_brokers_timed_out_takes_its_id_again(self):
        one = self.writer(timeout_ms=2000)
        self.becomes(self.send(one, "a"), "ok", "open")
        time.sleep(4.5)
        told = one.do("commit", PATIENCE_MS)
        print(told["text"], flush=True)
        self.becomes(told, "in conflict", "unknown")
        self.ok(one.do("open", PATIENCE_MS))
        self.commit(one, "b")
        self.expect("b")

    def test_a_record_that_is_too_large_is_refused_before_anything_is_sent(self):
        one = self.writer(message_max_bytes=10000)
        told = self.send(one, "a", "*10001")
        self.becomes(told, "no room", "aborted")
        self.assertEqual(told["text"], f"kafka: a record of 10001 bytes is for topic {self.out}, message.max.bytes is 10000")
        two = self.writer(name="another", message_max_bytes=3000000)
        told = self.becomes(self.send(two, "b", "*2000000"), "input or output failed", "aborted")
        self.assertEqual(told["text"], f"kafka: topic {self.out} refused a record of 2000000 bytes: Broker: Message size too large")
        self.commit(one, "c")

    def test_more_than_the_queue_holds_is_sent_all_the_same(self):
        one = self.writer(queue_buffering_max_messages=3)
        self.commit(one, *(str(i) for i in range(50)))
        self.expect(*(str(i) for i in range(50)))

    def test_records_of_a_topic_that_is_not_there_are_aborted(self):
        one = self.writer()
        told = one.do("send", 2000, "note", f"{self.out}=a", "nowhere=b")
        print(told["ms"], told["text"], flush=True)
        self.becomes(told, "input or output failed", "aborted")
        self.commit(one, "c")
        self.expect("c")

    def test_names_what_cannot_be(self):
        for name, value, sentence in (
                ("transactional.id", "x", "kafka.transactional.id is x, must not be set: it follows from the worker's settings"),
                ("enable.idempotence", "false", "kafka: cannot make a transactional producer: `transactional.id` requires "
                                                "`enable.idempotence=true`")):
            member = Member(self.broker)
            self.addCleanup(member.end)
            refused = member.do("transaction", "id", TIMEOUT_MS, member.bootstrap, f"{name}={value}")
            self.assertEqual((refused["status"], refused["text"]), ("invalid", sentence))
        self.writer(message_timeout_ms=0, socket_timeout_ms=60000)  # of sinks and sources

    def test_a_large_transaction_is_quick(self):
        one = self.writer(message_max_bytes=2000000)
        for size in (1, 16, 1000000):
            took = []
            for _ in range(5):
                sent = self.becomes(self.send(one, f"*{size}"), "ok", "open")
                committed = self.becomes(one.do("commit", PATIENCE_MS), "ok", "committed")
                took.append(sent["ms"] + committed["ms"])
            print(f"{size} bytes: {sorted(took)[2]:.1f} ms (median of {len(took)})", flush=True)


if __name__ == "__main__":
    if not fleet_member.PROGRAM:
        pipeline_test.skip("RIFFLE_FLEET_MEMBER is not set")
    pipeline_test.main()
