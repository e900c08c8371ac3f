"""From producing a record to receiving its prediction, beside a bare librdkafka consumer that receives the record.

    python3 tests/bench/latency.py [--rounds 3] [--rates 1000,100000] [--seconds 10] [--write]

The loop is open: a record's latency counts from the time it was to be sent at, so what queues behind a pause counts too
(tests/bench/bench_produce_kafka.c). Each rate is run with `bench_consume` and with `riffle run` and a subscriber, one after the
other, on a real Kafka of its own; the first tenth is left out. Prints a table; with --write it stands in docs/BENCHMARKS.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

from report import RELEASE, RIFFLE, SCRATCH, ROOT, say, spread, write_document
from stream import PARTITIONS, KafkaBroker, free_ports, settings

BENCH = RELEASE / "tests/bench"
SHOWN = ("p50", "p99", "p999", "max")


class Latency:
    def __init__(self, broker, rate, seconds):
        self.broker, self.rate, self.records = broker, rate, int(rate * seconds)
        self.found = {"bare": [], "riffle": []}

    def produce(self):
        subprocess.run([BENCH / "bench_produce", self.broker.bootstrap, "json", "json", str(self.records), str(self.rate)], check=True)

    def warm(self, records=200):
        """Some records ahead, so that both stand at the end of the topic and have everything connected."""
        subprocess.run([BENCH / "bench_produce", self.broker.bootstrap, "json", "json", str(records)], check=True)

    def bare(self):
        consumer = subprocess.Popen([BENCH / "bench_consume", self.broker.bootstrap, "json", str(self.records), "latency"],
                                    stdout=subprocess.PIPE)
        time.sleep(2)
        self.produce()
        return json.loads(consumer.communicate(timeout=60)[0])

    def riffle(self):
        endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        path = settings(self.broker, "JSON", endpoint, start="latest")
        subscriber = subprocess.Popen([BENCH / "bench_subscribe", endpoint, str(self.records), "latency"], stdout=subprocess.PIPE)
        worker = subprocess.Popen([RIFFLE, "run", path, "--fresh"], stdout=subprocess.DEVNULL)
        try:
            time.sleep(3)
            self.produce()
            return json.loads(subscriber.communicate(timeout=60)[0])
        finally:
            worker.terminate()
            worker.wait()
            subscriber.kill()

    def round(self):
        self.found["bare"].append(self.bare())
        self.found["riffle"].append(self.riffle())

    def rows(self):
        for name, title in (("bare", "librdkafka only"), ("riffle", "riffle, prediction received")):
            cells = [spread([one[shown] / 1000 for one in self.found[name]]) for shown in SHOWN]
            yield f"| {self.rate:,} | {title} | " + " | ".join(cells) + " |"
        added = [spread([(ours[shown] - bare[shown]) / 1000 for ours, bare in zip(self.found["riffle"], self.found["bare"])])
                 for shown in SHOWN]
        yield f"| {self.rate:,} | added | " + " | ".join(added) + " |"


def markdown(latencies):
    lines = [f"JSON payments of 12 features, {PARTITIONS} partitions, milliseconds: the median round, and in brackets the least and the most.", "",
             "| records a second | what | p50 | p99 | p99.9 | largest |", "|---|---|---|---|---|---|"]
    wanted = "| | wanted at half load | | added: at most 1 | | |"
    return "\n".join([*lines, *(row for one in latencies for row in one.rows()), wanted, ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rates", default="1000,100000,250000", help="records a second, several separated by commas")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--write", action="store_true", help="put the table into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    with KafkaBroker() as broker:
        broker.create_topic("json", PARTITIONS)
        latencies = [Latency(broker, int(rate), arguments.seconds) for rate in arguments.rates.split(",")]
        latencies[0].warm()
        for number in range(arguments.rounds):
            for one in latencies:
                say(f"round {number + 1} of {arguments.rounds}: {one.rate:,} records a second")
                one.round()
    table = markdown(latencies)
    print(table)
    (SCRATCH / "latency.json").write_text(json.dumps({one.rate: one.found for one in latencies}, indent=1))
    if arguments.write:
        write_document("latency", table)


if __name__ == "__main__":
    main()
