"""What reads predictions is slow, hangs, dies and comes back; records come faster than they are taken. The worker waits, in bounded memory,
and nothing is lost but where the operator chose a publisher, whose subscriber sees what it missed.

By hand, the long overload alone: RIFFLE_BIN=... python3 tests/pipeline/test_backpressure.py --minutes 3
"""

import argparse
import os
import pathlib
import subprocess
import threading
import time
import unittest

import pipeline_test
import readers
from kafka_cluster import free_ports
from pipeline_case import PipelineCase, records

BATCH_RECORDS = 256
PAD = "x" * 1000
GROWTH_KIB_MAX = 64 << 10  # the queues below, and what the allocator keeps
if "address" in os.environ.get("RIFFLE_SANITIZE", ""):
    GROWTH_KIB_MAX += 256 << 10  # of freed memory, to find who uses it still
WORKER = f"worker: {{batch_records: {BATCH_RECORDS}, shutdown_seconds: 2, progress_seconds: 1}}"
# So small that tests of a few seconds come to the bounds.
QUEUES = "queued.max.messages.kbytes: 8192, queued.min.messages: 20000"
SLOW = 2000  # predictions a second


def large(first, count):
    """Records of a kilobyte that no feature reads."""
    return [f'{{"id": {i}, "amount": {i % 7}, "fraud": {int(i % 7 > 4)}, "pad": "{PAD}"}}' for i in range(first, first + count)]


def resident_kib(worker):
    for line in pathlib.Path(f"/proc/{worker.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("the worker is gone")


class Load:
    """Produces records at a rate that may change, until it is told to end."""

    def __init__(self, broker, topic, rate):
        self.rate = rate  # records a second
        self.produced = 0
        self.is_over = False
        self.kcat = subprocess.Popen(["kcat", "-q", "-b", broker.bootstrap, "-P", "-t", topic, "-X", "linger.ms=20"],
                                     stdin=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._produce)
        self.thread.start()

    def _produce(self):
        before = time.monotonic()
        owed = 0.0
        while not self.is_over:
            now = time.monotonic()
            owed += (now - before) * self.rate
            before = now
            count = int(owed)
            owed -= count
            self.kcat.stdin.write("".join(f"{line}\n" for line in records(self.produced, count)))
            self.kcat.stdin.flush()
            self.produced += count
            time.sleep(0.02)

    def end(self):
        """All that was produced is in Kafka then."""
        self.is_over = True
        self.thread.join()
        self.kcat.stdin.close()
        return self.kcat.wait()


class Backpressure(PipelineCase):
    def setUp(self):
        super().setUp()
        self.push, self.confirm, self.publish = (f"tcp://127.0.0.1:{port}" for port in free_ports(3))

    def settings_with(self, sink, more=WORKER, queues=QUEUES):
        text = self.settings(f"sinks: [{{zeromq: {sink}}}]\nsnapshots: {{every: {{seconds: 0.5}}}}\n{more}").read_text()
        return self.workspace.write(f"{self.name}.yaml", text.replace("bootstrap.servers:", f"{queues}, bootstrap.servers:"))

    def reader(self, name, kind, endpoint, **options):
        reader = readers.Reader(self.workspace, name, kind, endpoint, **options)
        self.addCleanup(reader.kill)
        return reader

    def folded(self):
        """How long the recorded order is: it grows with every batch that is folded."""
        return sum(path.stat().st_size for path in (self.workspace.folder / "state").glob("schedule-*"))

    def wait_until_it_stands(self, worker):
        worker.wait_for_words("a sink has no room; the source waits.*sink=zeromq")

    @staticmethod
    def make_predictions_large(settings):
        """By their ids."""
        settings.write_text(settings.read_text().replace("features: {id: id,", "features: {id: pad,"))

    @staticmethod
    def wait(condition, seconds=60):
        """Whether it came to hold in time."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        return condition()

    def check_waits(self, done):
        self.assertEqual(done.status, 0, done.errors)
        self.assertRegex(done.errors, r"the sink has room again.*waited_seconds")
        self.assertRegex(done.errors, r"stopped.*source_waits=[1-9]")

    # Pushed.

    def test_a_reader_that_is_slow_stops_dies_and_comes_back_gets_every_prediction(self):
        count = 60000
        self.broker.create_topic(self.name, 2)
        self.broker.produce(self.name, large(0, count))
        settings = self.settings_with(f"{{push: '{self.push}', confirm: '{self.confirm}', high_water_mark: 8}}")
        reader = self.reader("one", "pull", self.push, confirm=self.confirm, rate=SLOW)
        with self.workspace.riffle("run", settings, "--until", "end") as worker:
            worker.wait_for(lambda: reader.count() > SLOW, "the slow reader")
            begun = resident_kib(worker)
            reader.stand_still()
            self.wait_until_it_stands(worker)
            folded, committed = self.folded(), self.broker.committed(self.name)
            read = reader.count()
            for _ in range(20):
                time.sleep(0.1)
                self.assertLess(resident_kib(worker) - begun, GROWTH_KIB_MAX)
            self.assertEqual((self.folded(), self.broker.committed(self.name)), (folded, committed))
            self.assertLessEqual(sum(offset for offset, _ in committed.values()), read)  # no snapshot covers what is not confirmed
            reader.kill()
            reader.set_rate(0)
            reader.start()
            worker.wait_for(lambda: self.folded() > folded, "the source to go on")
            done = worker.wait()
        self.check_waits(done)
        self.check_all(reader, count)
        print(f"{reader.count() - count} predictions came twice")

    def check_all(self, reader, count):
        """Each record of the topic was read at least once."""
        places = set(reader.places())
        self.assertEqual(len(places), count)
        ends = dict(enumerate(self.broker.end_offsets(self.name)))
        self.assertEqual(places, {(partition, offset) for partition, end in ends.items() for offset in range(end)})

    def test_a_reader_that_hangs_and_goes_on_gets_each_prediction_once(self):
        count = 30000
        self.broker.create_topic(self.name)
        self.broker.produce(self.name, large(0, count))
        settings = self.settings_with(f"{{push: '{self.push}', high_water_mark: 4, linger_ms: 60000}}")
        self.make_predictions_large(settings)
        reader = self.reader("one", "pull", self.push, rate=SLOW)
        with self.workspace.riffle("run", settings, "--until", "end") as worker:
            worker.wait_for(reader.count, "the first batch")
            reader.stand_still()
            self.wait_until_it_stands(worker)
            reader.set_rate(0)
            reader.go_on()
            self.check_waits(worker.wait())
        self.wait(lambda: reader.count() >= count)  # what linger_ms let the worker hand to the system
        self.assertEqual(reader.places(), [(0, offset) for offset in range(count)])
        self.assertEqual(reader.gaps(), [])

    def test_a_stop_ends_in_time_though_the_reader_hangs(self):
        count = 60000
        self.fill(count)
        settings = self.settings_with(f"{{push: '{self.push}', confirm: '{self.confirm}', high_water_mark: 4}}")
        reader = self.reader("one", "pull", self.push, confirm=self.confirm, rate=SLOW)
        with self.workspace.riffle("run", settings) as worker:
            worker.wait_for(reader.count, "the first batch")
            reader.stand_still()
            self.wait_until_it_stands(worker)
            began = time.monotonic()
            done = worker.terminate()
            took = time.monotonic() - began
        self.assertEqual(done.status, 1)
        self.assertIn(f"sink zeromq:{self.push} had no room for 2000 ms while stopping", done.errors)
        self.assertLess(took, 30)  # shutdown_seconds is 2; far below a minute on a busy machine
        reader.go_on()
        reader.set_rate(0)
        self.assertEqual(self.workspace.run_riffle("run", settings, "--until", "end").status, 0)
        self.check_all(reader, count)

    # Published.

    def test_a_subscriber_that_hangs_hinders_nobody_and_sees_its_gap(self):
        self.broker.create_topic(self.name, 1)
        settings = self.settings_with(f"{{publish: '{self.publish}', high_water_mark: 16}}")
        self.make_predictions_large(settings)
        hung = self.reader("hung", "sub", self.publish)
        other = self.reader("other", "sub", self.publish)
        produced = 0
        with self.workspace.riffle("run", settings) as worker:
            def feed(count):
                nonlocal produced
                self.broker.produce(self.name, large(produced, count))
                produced += count

            def is_read_by(reader):
                return reader.count() and reader.batches()[-1][2][-1][1] == produced - 1

            def feed_one(*readers_):
                feed(1)
                return self.wait(lambda: all(map(is_read_by, readers_)), 0.5)

            worker.wait_for(lambda: feed_one(hung, other), "both subscribers")
            begun = resident_kib(worker)
            first = produced
            hung.stand_still()
            while produced < 40000:
                feed(2000)
                worker.wait_for(lambda: is_read_by(other), "the one that reads")
                self.assertLess(resident_kib(worker) - begun, GROWTH_KIB_MAX)
            worker.wait_for_words("a subscriber is too slow and misses batches.*sink=zeromq")
            hung.go_on()
            worker.wait_for(lambda: feed_one(hung), "the one that hung")
            worker.wait_for(lambda: is_read_by(other), "the other one")
            self.assertEqual(worker.terminate().status, 0)
        self.assertEqual(other.gaps(), [])
        self.assertEqual([offset for _, offset in other.places() if offset >= first], list(range(first, produced)))
        self.assertNotEqual(hung.gaps(), [])
        numbers = [sequence for _, sequence, _ in hung.batches()]
        self.assertEqual(numbers, sorted(set(numbers)))
        missed = {sequence for first, last in hung.gaps() for sequence in range(first, last + 1)}
        by_number = {sequence: places for _, sequence, places in other.batches()}
        lost = [place for sequence in missed for place in by_number[sequence]]
        read = [place for place in hung.places() if place[1] >= first]
        self.assertEqual(sorted(lost + read), [(0, offset) for offset in range(first, produced)])  # the gaps are all that is missing

    # Overload.

    def test_ten_times_overload_then_recovery(self):
        self.overload(12, QUEUES)

    def overload(self, seconds, queues):
        self.broker.create_topic(self.name, 1)
        settings = self.settings_with(f"{{push: '{self.push}', confirm: '{self.confirm}', high_water_mark: 8}}", queues=queues)
        reader = self.reader("one", "pull", self.push, confirm=self.confirm, rate=SLOW)
        load = Load(self.broker, self.name, 10 * SLOW)
        self.addCleanup(lambda: load.is_over or load.end())
        most, lags = 0, []
        with self.workspace.riffle("run", settings) as worker:
            worker.wait_for(reader.count, "the first batch")
            begun = resident_kib(worker)
            over = time.monotonic() + seconds
            while time.monotonic() < over:
                most = max(most, resident_kib(worker))
                time.sleep(0.1)
            overloaded = load.produced
            load.rate = SLOW / 10
            reader.set_rate(0)
            taken = reader.count()
            self.assertGreater(overloaded, 4 * taken)

            def is_level():
                nonlocal most
                most = max(most, resident_kib(worker))
                return reader.count() >= load.produced - BATCH_RECORDS

            recovered = time.monotonic()
            worker.wait_for(is_level, "the lag to fall", 60 + 10 * seconds)
            recovered = time.monotonic() - recovered
            self.assertEqual(load.end(), 0)
            worker.wait_for(lambda: reader.count() >= load.produced, "the rest")
            lags = [int(word.split("=")[1]) for word in worker.errors.split() if word.startswith("lag=")]
            last = reader.batches()[-1][1]
            self.broker.produce(self.name, records(load.produced, 1))
            worker.wait_for(lambda: reader.batches()[-1][1] > last, "a record that comes alone")
            done = worker.terminate()
        self.assertEqual(done.status, 0, done.errors)
        self.assertRegex(done.errors, r"stopped.*source_waits=[1-9]")
        self.check_all(reader, load.produced + 1)
        sizes = [len(places) for _, _, places in reader.batches()]
        self.assertLessEqual(max(sizes), BATCH_RECORDS)
        self.assertEqual(sizes[-1], 1)  # nothing waits until a batch is full
        print(f"{overloaded} records in {seconds} s, {taken} taken in that time, caught up in {recovered:.1f} s; lag up to {max(lags)}; "
              f"{begun} KiB at the first batch, at most {most} KiB")
        if queues == QUEUES:
            self.assertLess(most - begun, GROWTH_KIB_MAX)


class LongOverload(Backpressure):
    """With librdkafka's queues as they are by default."""

    minutes = 3.0

    def runTest(self):
        self.name = "long"
        self.overload(60 * self.minutes, "enable.auto.commit: false")


if __name__ == "__main__":
    readers.need()
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float)
    given, rest = parser.parse_known_args()
    if given.minutes:
        LongOverload.minutes = given.minutes
        suite = unittest.TestSuite([LongOverload("runTest")])
        raise SystemExit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
    del LongOverload
    pipeline_test.main()
