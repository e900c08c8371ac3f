"""What a fleet costs: card transactions learned by one worker alone, by a fleet of one, and by a fleet of two.

    python3 tests/bench/fleet.py [--rounds 3] [--records 1754155] [--write]

One topic of 8 partitions in a real Kafka on the same machine, read anew by each run. Rates are from the first record polled to the
last one folded; processor time is that of the workers alone. Needs the card transactions of RIFFLE_DATA.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

from report import RIFFLE, ROOT, SCRATCH, say, spread, timed, write_document

sys.path.insert(0, str(ROOT / "tests/pipeline"))
import cards  # noqa: E402 (found by the path above)
from kafka_cluster import KafkaBroker  # noqa: E402

PARTITIONS = 8
TOPIC = "cards"
MORE = """
snapshots: {{directory: {state}, every: {{seconds: 10}}}}
worker: {{log: json, progress_seconds: 0.5}}
{fleet}
"""
FLEET = "fleet: {shared: true, drain_seconds: 5}"


class Runs:
    def __init__(self, broker, records):
        self.broker, self.records, self.started = broker, records, 0

    def settings(self, name, worker=None):
        state = SCRATCH / "fleet" / f"{name}-{worker}"
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True)
        text = cards.settings(name, self.broker.bootstrap, TOPIC, MORE.format(state=state, fleet=FLEET if worker else ""))
        if worker:
            text = text.replace("kafka: {", f"kafka: {{group.instance.id: {worker}, session.timeout.ms: 10000, ")
        path = SCRATCH / "fleet" / f"{name}-{worker}.yaml"
        path.write_text(text)
        return path

    def alone(self):
        self.started += 1
        told, _, used = timed([RIFFLE, "run", self.settings(f"alone{self.started}"), "--until", "end", "--json", "--fresh"])
        done = json.loads(told.splitlines()[-1])
        assert done["records"] == self.records, done
        return {"seconds": done["seconds"], "cpu_seconds": used["cpu_seconds"], "log_loss": done["log_loss"], "bytes": 0}

    def fleet(self, size):
        """Starts all workers, waits until all records are folded, and stops them."""
        self.started += 1
        name = f"fleet{self.started}"
        processes, logs = [], []
        for worker in "abcdefgh"[:size]:
            logs.append(SCRATCH / "fleet" / f"{name}-{worker}.log")
            with open(logs[-1], "wb") as log, open(str(logs[-1]) + ".out", "wb") as out:
                processes.append(subprocess.Popen([RIFFLE, "run", self.settings(name, worker), "--json"], stdout=out, stderr=log))
        while sum(self.learned(log) for log in logs) < self.records:
            time.sleep(0.2)
            assert all(process.poll() is None for process in processes), logs[0].read_text()[-2000:]
        results = [self.end(process, log) for process, log in zip(processes, logs)]
        topic = sum(path.stat().st_size for path in self.broker.folder.rglob("*.log") if f"{name}.deltas-0" in str(path))
        return {"seconds": max(one["seconds"] for one in results), "cpu_seconds": sum(one["cpu_seconds"] for one in results),
                "log_loss": statistics.fmean(one["log_loss"] for one in results), "bytes": topic}

    @staticmethod
    def learned(log):
        told = [json.loads(line).get("records", 0) for line in log.read_text().splitlines() if '"records"' in line]
        return max(told, default=0)

    @staticmethod
    def end(process, log):
        process.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, log.read_text()[-2000:]
        done = json.loads(open(str(log) + ".out", encoding="utf-8").read().splitlines()[-1])
        return {"seconds": done["seconds"], "cpu_seconds": usage.ru_utime + usage.ru_stime, "log_loss": done["log_loss"]}


def markdown(results, records, record_bytes):
    lines = [f"{records:,} card transactions as JSON, {PARTITIONS} partitions, deltas every second or 100,000 records.", "",
             "| what | M records/s | us of processor a record | log loss | bytes of deltas a record |", "|---|---|---|---|---|"]
    for name, found in results.items():
        rate = statistics.median(records / one["seconds"] for one in found) / 1e6
        cost = statistics.median(one["cpu_seconds"] for one in found) / records * 1e6
        sent = f"{statistics.median(one['bytes'] for one in found) / records:,.1f} of {record_bytes:,.0f}" if found[0]["bytes"] else ""
        lines.append(f"| {name} | {rate:.3f} | {cost:.2f} | {found[-1]['log_loss']:.6f} | {sent} |")

    def ratio(ours, other, key):
        return [b[key] / a[key] if key == "seconds" else a[key] / b[key] for a, b in zip(results[ours], results[other])]

    lines += ["", "| ratio: median (range) | measured | wanted |", "|---|---|---|",
              f"| rate: a fleet of one : a worker alone | {spread(ratio('a fleet of one', 'one worker alone', 'seconds'))} | at least 0.95 |",
              f"| processor a record: a fleet of two : a fleet of one | {spread(ratio('a fleet of two', 'a fleet of one', 'cpu_seconds'))} | at most 1.1 |",
              f"| rate: a fleet of two : a fleet of one | {spread(ratio('a fleet of two', 'a fleet of one', 'seconds'))} | |"]
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=cards.RECORDS)
    parser.add_argument("--write", action="store_true", help="put the table into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    shutil.rmtree(SCRATCH / "fleet", ignore_errors=True)
    (SCRATCH / "fleet").mkdir(parents=True)
    os.chdir(ROOT)
    with KafkaBroker() as broker:
        broker.create_topic(TOPIC, PARTITIONS)
        lines = cards.json_lines(SCRATCH / "fleet", arguments.records)
        broker.produce_file(TOPIC, lines)
        runs = Runs(broker, arguments.records)
        wanted = {"one worker alone": runs.alone, "a fleet of one": lambda: runs.fleet(1), "a fleet of two": lambda: runs.fleet(2)}
        results = {name: [] for name in wanted}
        for round_ in range(arguments.rounds):
            say(f"round {round_ + 1} of {arguments.rounds}")
            for name, run in wanted.items():
                results[name].append(run())
        table = markdown(results, arguments.records, lines.stat().st_size / arguments.records - 1)
    print(table)
    (SCRATCH / "fleet.json").write_text(json.dumps(results))
    shutil.rmtree(SCRATCH / "fleet", ignore_errors=True)
    if arguments.write:
        write_document("fleet", table)


if __name__ == "__main__":
    main()
