"""Does the memory of a worker grow with the records? A long stream from a real Kafka whose topic keeps only its newest part.

    python3 tests/bench/memory.py [--records 100000000] [--write]

A producer writes payments while `riffle run` learns them and publishes predictions to a subscriber that counts them; the producer
is held back (SIGSTOP) while the worker is far behind, since the topic forgets. The resident memory is read every second.
"""

import argparse
import json
import os
import signal
import subprocess
import time

from report import RELEASE, RIFFLE, SCRATCH, ROOT, say, write_document
from stream import PARTITIONS, KafkaBroker, Stream, free_ports, settings

BENCH = RELEASE / "tests/bench"
RETENTION = {"log.retention.bytes": str(1 << 30), "log.segment.bytes": str(64 << 20), "log.retention.check.interval.ms": "2000",
             "log.segment.delete.delay.ms": "1000"}
BEHIND_MAX = 3000000  # records; the topic keeps more


def resident_mb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


class Reader:
    """The worker's log of progress: how many records it has learned, and how far behind it is."""

    def __init__(self, path):
        self.path, self.records, self.lag = path, 0, 0

    def look(self):
        for line in self.path.read_text().splitlines()[-1:]:
            told = json.loads(line)
            self.records, self.lag = told.get("records", self.records), told.get("lag", self.lag)


def run(broker, records):
    endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
    path = settings(broker, "protobuf", endpoint)
    path.write_text(path.read_text().replace("log_level: warn", "log: json, log_level: info, progress_seconds: 1"))
    log = SCRATCH / "memory.log"
    subscriber = subprocess.Popen([BENCH / "bench_subscribe", endpoint, str(records)], stdout=subprocess.PIPE)
    with open(log, "wb") as file:
        worker = subprocess.Popen([RIFFLE, "run", path, "--fresh"], stdout=subprocess.DEVNULL, stderr=file)
    producer = subprocess.Popen([BENCH / "bench_produce", broker.bootstrap, "protobuf", "protobuf", str(records)])
    reader, samples, begun = Reader(log), [], time.monotonic()
    try:
        while subscriber.poll() is None:
            time.sleep(1)
            reader.look()
            samples.append((reader.records, resident_mb(worker)))
            if producer.poll() is None:
                producer.send_signal(signal.SIGSTOP if reader.lag > BEHIND_MAX else signal.SIGCONT)
            if len(samples) % 30 == 0:
                say(f"{reader.records:,} records, {samples[-1][1]:.0f} MB, {reader.lag:,} behind")
            assert worker.poll() is None, log.read_text()[-1000:]
        seconds = time.monotonic() - begun
        return samples, json.loads(subscriber.communicate()[0]), seconds
    finally:
        for process in (producer, worker, subscriber):
            process.kill()
            process.wait()


def markdown(samples, seen, records, seconds):
    lines = [f"{records:,} payments as protobuf, {PARTITIONS} partitions, {seconds:,.0f} s with producer and broker on the same machine; "
             f"{seen['predictions']:,} predictions received, {seen['missed_batches']} batches missed.", "",
             "| records | resident, MB | the most until then |", "|---|---|---|"]
    for share in (0.01, 0.1, 0.25, 0.5, 0.75, 1):
        until = [sample for sample in samples if sample[0] <= share * records] or samples[:1]
        lines.append(f"| {until[-1][0]:,} | {until[-1][1]:,.0f} | {max(mb for _, mb in until):,.0f} |")
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=100000000)
    parser.add_argument("--write", action="store_true", help="put the table into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    with KafkaBroker(RETENTION) as broker:
        Stream(broker, arguments.records)
        broker.create_topic("protobuf", PARTITIONS)
        samples, seen, seconds = run(broker, arguments.records)
    table = markdown(samples, seen, arguments.records, seconds)
    print(table)
    (SCRATCH / "memory.json").write_text(json.dumps(samples))
    if arguments.write:
        write_document("memory", table)


if __name__ == "__main__":
    main()
