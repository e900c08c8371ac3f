"""What exactly once costs: the fold while a snapshot is taken, the stream with and without snapshots, taking one up, a kill -9.

    python3 tests/bench/snapshots.py [--rounds 5] [--write]

Prints tables; with --write it puts them into docs/BENCHMARKS.md, and the numbers into build/bench/snapshots.json. A real Kafka runs on
this machine (`sh ops/setup.sh test` sets up what is needed); the card transactions are those of $RIFFLE_DATA. Absolute figures
are those of this machine and of this moment.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from report import RELEASE, RIFFLE, ROOT, SCRATCH, Bench, say, spread, timed, write_document

os.environ.setdefault("RIFFLE_DATA", str(ROOT / "../shared/data"))
sys.path.insert(0, str(ROOT / "tests/pipeline"))
import zmq  # noqa: E402

import cards  # noqa: E402 (found by the path above)
from kafka_cluster import KafkaBroker, free_ports  # noqa: E402

BENCH = RELEASE / "tests/bench/bench_snapshot"
STATE = SCRATCH / "state"

MADE = f"""
name: made
source: {{{{file: '-', format: vw}}}}
features: {{{{label: label}}}}
learner: {{{{type: linear, loss: logistic, hash_bits: {{bits}}}}}}
snapshots: {{{{directory: {STATE}, every: {{{{seconds: 0}}}}, keep: 1, keep_hours: 0, keep_days: 0}}}}
worker: {{{{batch_records: 256, batch_bytes: 262144, log_level: warn}}}}
"""


def bench(mode, bits, *arguments):
    """Runs it on an empty state folder, unless it restores; its lines."""
    settings = SCRATCH / "made.yaml"
    settings.write_text(MADE.format(bits=bits))
    if mode != "restore":
        shutil.rmtree(STATE, ignore_errors=True)
    done = subprocess.run([BENCH, mode, settings, *map(str, arguments)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


# The fold beside a snapshot.

GIB_BITS = 24  # of cells of 64 bytes, those of a bank of rates


SNAPSHOTS = 3  # in a process; the first finds memory that was never used before


class Phases:
    """Batches of one distribution in each phase, over all rounds."""

    def __init__(self, distribution):
        self.distribution = distribution
        self.snapshots = {"first": [], "later": [], "fork": []}  # [{phase: line}]

    def round(self):
        beside = self.split(bench("beside", GIB_BITS, GIB_BITS, self.distribution, SNAPSHOTS), "beside")
        self.snapshots["first"].append(beside[0])
        self.snapshots["later"] += beside[1:]
        self.snapshots["fork"] += self.split(bench("fork", GIB_BITS, GIB_BITS, self.distribution, 1), "fork")

    @staticmethod
    def split(lines, snapshot):
        lines = [{**line, "phase": line["phase"].replace(snapshot, "snapshot")} for line in lines]
        return [{line["phase"]: line for line in lines[i : i + 3]} for i in range(0, len(lines), 3)]

    @staticmethod
    def rate(line):
        return len(line["clock_ms"]) / sum(line["clock_ms"])

    @staticmethod
    def late(found, clock):
        """How much longer than a quiet one (the median of those) the slowest batch took."""
        return max(found["snapshot"][clock]) - statistics.median(found["quiet"][clock])

    @staticmethod
    def share_late(found):
        usual = statistics.median(found["quiet"]["clock_ms"])
        times = found["snapshot"]["clock_ms"]
        return 100 * sum(time_ms - usual > 5 for time_ms in times) / len(times)

    def rows(self):
        names = {"first": "beside the fold, the first of a process", "later": "beside the fold, later ones", "fork": "fork()"}
        for which, found in self.snapshots.items():
            cells = [spread([self.rate(one["snapshot"]) / self.rate(one[phase]) for one in found]) for phase in ("quiet", "hashing")]
            cells += [spread([self.late(one, clock) for one in found], 1) for clock in ("processor_ms", "clock_ms")]
            cells.append(spread([self.share_late(one) for one in found]))
            yield f"| {self.distribution} | {names[which]} | " + " | ".join(cells) + " |"

    def summary(self):
        def slowest(line):
            return {**line, **{clock: sorted(line[clock])[-50:] for clock in ("clock_ms", "processor_ms")}}

        return {which: [{phase: slowest(line) for phase, line in one.items()} for one in found]
                for which, found in self.snapshots.items()}


def phases_markdown(phases):
    size = phases[0].snapshots["later"][-1]["snapshot"]["bytes"]
    lines = [
        f"### A snapshot of {size / 2**30:.2f} GiB while the model learns", "",
        "Batches of 256 records with 40 features each, 2^24 cells of a bank of rates, all rows in use. Rates are those of the fold meanwhile: to",
        "its rate alone, and to its rate beside a thread that does nothing but hash with SHA-256, which is what the second core costs the first.",
        "A late batch took longer than the median of batches without a snapshot by so much; the slowest of all counts.", "",
        "| features | snapshot | rate : alone | rate : beside a hash | ms late, processor | ms late, clock | more than 5 ms late, % of batches |",
        "|---|---|---|---|---|---|---|"]
    wanted = "| wanted | | at least 0.8 | | at most 5 | at most 5 | 0 |"
    return "\n".join([*lines, *(row for one in phases for row in one.rows()), wanted, ""])


# Taking one up.


def restore(rounds):
    """On the folder of a model of 2^21 cells."""
    bits = 21
    bench("beside", bits, bits, "uniform", 1)
    return bench("restore", bits, rounds)


def restore_markdown(results):
    results = results[1:]  # the first reads from the disk what this machine may not have in memory
    size = results[0]["bytes"]
    per_100 = [result["milliseconds"] * 1e8 / size for result in results]
    shas = [result["milliseconds"] / result["sha256_milliseconds"] for result in results]
    return "\n".join([
        "### Taking up a snapshot", "", "| what | measured | wanted |", "|---|---|---|",
        f"| snapshot | {size / 1e6:.0f} MB | |",
        f"| verified, put in place and checked by the learner, milliseconds for 100 MB | {spread(per_100, 0)} | at most 200 |",
        f"| the same : OpenSSL's SHA-256 of the bytes | {spread(shas)} | |", ""])


# The stream with and without snapshots.

TIMES = 12  # the transactions over, so that a run has several snapshots


def run_cards(broker, name, every):
    folder = SCRATCH / "cards"
    shutil.rmtree(folder, ignore_errors=True)
    settings = SCRATCH / "cards.yaml"
    settings.write_text(f"""
name: {name}
kafka: {{bootstrap.servers: {broker.bootstrap}}}
source: {{topics: [cards], format: json, start: earliest}}
features: {{id: TRANSACTION_ID, time: TX_DATETIME, label: TX_FRAUD, numbers: [TX_AMOUNT], categories: [CUSTOMER_ID, TERMINAL_ID]}}
learner: {{type: linear, loss: logistic}}
sinks: [{{zeromq: {{publish: 'tcp://127.0.0.1:{free_ports(1)[0]}'}}}}]
snapshots: {{directory: {folder}, every: {{seconds: {every}}}}}
worker: {{log_level: warn}}
""")
    told, _, used = timed([RIFFLE, "run", settings, "--until", "end", "--json"])
    done = json.loads(told.splitlines()[-1])
    assert done["records"] == TIMES * cards.RECORDS, done
    snapshots = len(list(folder.glob("snapshot-*.riffle")))
    return {"seconds": done["seconds"], "cpu_seconds": used["cpu_seconds"], "log_loss": done["log_loss"], "snapshots": snapshots}


def stream_bench(broker):
    broker.create_topic("cards", 1)
    with tempfile.TemporaryDirectory() as folder:
        path = cards.json_lines(folder)
        for _ in range(TIMES):
            subprocess.run(["kcat", "-q", "-b", broker.bootstrap, "-P", "-t", "cards", "-X", "queue.buffering.max.messages=1000000", "-l",
                            path], check=True)
    numbers = iter(range(1000))
    runs = {
        "snapshots every 10 s": lambda: run_cards(broker, f"often{next(numbers)}", 10),
        "none but the first and the last": lambda: run_cards(broker, f"never{next(numbers)}", 0),
    }
    title = f"Card transactions {TIMES} times over from Kafka as JSON, predictions over ZeroMQ"
    return Bench(title, TIMES * cards.RECORDS, "records", runs, [(*runs, "at least 0.97")])


# From kill -9 to the first new prediction.

RATE = 2000  # records a second that are produced all the while
REVIVAL_BITS = 21


class Feed:
    """Pipes records to kcat until it is closed."""

    def __init__(self, broker, lines):
        self.kcat = subprocess.Popen(["kcat", "-q", "-b", broker.bootstrap, "-P", "-t", "made", "-X", "linger.ms=1"], stdin=subprocess.PIPE)
        self.lines = lines
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.feed, daemon=True)
        self.thread.start()

    def feed(self):
        begun, sent = time.monotonic(), 0
        while not self.ends.wait(0.002):
            due = int((time.monotonic() - begun) * RATE)
            self.kcat.stdin.write(b"".join(self.lines[i % len(self.lines)] for i in range(sent, due)))
            self.kcat.stdin.flush()
            sent = due

    def close(self):
        self.ends.set()
        self.thread.join()
        self.kcat.stdin.close()
        self.kcat.wait()


class Revival:
    def __init__(self, broker):
        self.broker = broker
        self.rounds = []
        self.endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        self.settings = SCRATCH / "revival.yaml"
        self.state = SCRATCH / "revival"
        shutil.rmtree(self.state, ignore_errors=True)
        self.settings.write_text(f"""
name: made
kafka: {{bootstrap.servers: {broker.bootstrap}, fetch.wait.max.ms: 10}}
source: {{topics: [made], format: vw, start: earliest}}
features: {{label: label}}
learner: {{type: linear, loss: logistic, hash_bits: {REVIVAL_BITS}}}
sinks: [{{zeromq: {{publish: '{self.endpoint}'}}}}]
snapshots: {{directory: {self.state}, every: {{seconds: 10}}, keep: 1, keep_hours: 0, keep_days: 0}}
worker: {{log_level: warn}}
""")
        broker.create_topic("made", 1)
        path = SCRATCH / "made.vw"
        with open(path, "wb") as file:
            subprocess.run([RELEASE / "tests/bench/bench_learner", "write", "200000", "40", str(REVIVAL_BITS), "uniform"], check=True,
                           stdout=file)
        broker.produce_file("made", path)
        self.lines = path.read_bytes().splitlines(keepends=True)
        subprocess.run([RIFFLE, "run", self.settings, "--until", "end"], check=True, stdout=subprocess.DEVNULL)
        sys.path.insert(0, str(SCRATCH))
        subprocess.run(["protoc", f"--python_out={SCRATCH}", f"--proto_path={ROOT / 'proto'}", "riffle.proto"], check=True)

    def start(self):
        self.worker = subprocess.Popen([RIFFLE, "run", self.settings], stdout=subprocess.DEVNULL)

    def next_offsets(self):
        """First and last offset of the next batch of predictions."""
        import riffle_pb2

        _, body = self.socket.recv_multipart()
        predictions = riffle_pb2.Predictions.FromString(body).predictions
        return predictions[0].offset, predictions[-1].offset

    def measure(self, rounds):
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 1)
        self.socket.setsockopt(zmq.RCVTIMEO, 60000)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.connect(self.endpoint)
        feed = Feed(self.broker, self.lines)
        self.start()
        try:
            for _ in range(rounds):
                self.rounds.append(self.round())
        finally:
            self.worker.kill()
            self.worker.wait()
            feed.close()
            self.socket.close()

    def round(self):
        seen = -1
        until = time.monotonic() + 6 + 4 * len(self.rounds) % 5  # another instant between two snapshots each time
        while time.monotonic() < until:
            seen = max(seen, self.next_offsets()[1])
        begun = time.monotonic()
        self.worker.kill()
        self.worker.wait()
        while self.socket.poll(0):  # what had left before
            seen = max(seen, self.next_offsets()[1])
        self.start()
        first = None
        while True:
            _, last = self.next_offsets()
            first = first or time.monotonic() - begun
            if last > seen:
                break
        new = time.monotonic() - begun
        begun = time.monotonic()
        subprocess.run(["kcat", "-q", "-b", self.broker.bootstrap, "-C", "-t", "made", "-o", str(seen), "-c", "1", "-X",
                        "fetch.wait.max.ms=10"], check=True, stdout=subprocess.DEVNULL)
        return {"first": first, "new": new, "consumer": time.monotonic() - begun}

    def markdown(self):
        size = max(path.stat().st_size for path in self.state.glob("snapshot-*.riffle"))
        seconds = {name: [round_[name] for round_ in self.rounds] for name in ("first", "new", "consumer")}
        beyond = [new - consumer for new, consumer in zip(seconds["new"], seconds["consumer"])]
        return "\n".join([
            "### From kill -9 to the first new prediction", "",
            f"A model of {size / 1e6:.0f} MB, {RATE:,} records a second all the while, snapshots every 10 s, started again at once. kcat is started "
            "beside it to read one record: what connecting to Kafka takes.", "",
            "| seconds from the kill | measured | wanted |", "|---|---|---|",
            f"| first prediction received | {spread(seconds['first'])} | |",
            f"| first prediction of a record that had none | {spread(seconds['new'])} | |",
            f"| kcat: one record | {spread(seconds['consumer'])} | |",
            f"| first new prediction, less kcat's | {spread(beyond)} | at most 1 |", ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    phases = [Phases("zipf"), Phases("uniform")]
    for number in range(arguments.rounds):
        say(f"snapshots of 1 GiB, round {number + 1} of {arguments.rounds}")
        for one in phases:
            one.round()
    say("taking up a snapshot")
    restored = restore(4 * arguments.rounds)
    with KafkaBroker() as broker:
        say("from kill -9 to the first new prediction")
        revival = Revival(broker)
        revival.measure(2 * arguments.rounds)
    with KafkaBroker() as broker:
        stream = stream_bench(broker)
        for number in range(arguments.rounds):
            say(f"the stream, round {number + 1} of {arguments.rounds}")
            stream.round()
    markdown = "\n".join([phases_markdown(phases), restore_markdown(restored), revival.markdown(), stream.markdown(), ""])
    print(markdown)
    (SCRATCH / "snapshots.json").write_text(json.dumps({
        "phases": {one.distribution: one.summary() for one in phases}, "restore": restored, "revival": revival.rounds,
        "stream": stream.results}, indent=1))
    if arguments.write:
        write_document("snapshots", markdown)


if __name__ == "__main__":
    main()
