"""A storm over a worker and its Kafka: python3 tests/storm/storm.py --faults N [--seed S] [--rate RECORDS_A_SECOND]

Records are produced to four partitions all the while. The worker, which reaches its broker through a proxy, is killed at random
instants, stopped and continued, asked to end; the broker is stopped, killed and started again; connections are cut and slowed.
At the end, without a storm, the worker runs to the end of the log, and all is counted:

- every record of the log was learned or rejected once, and its prediction or rejection stands once in a file;
- folding the log once more in the recorded order, from a plain file and without any of the code that resumes, gives the same bytes;
- a second worker that follows a copy of the recorded order from the first snapshot comes to the same predictions in the same order;
- the chain of snapshots verifies.

The program is $RIFFLE_BIN. Exits with 77 where Kafka is missing.
"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pipeline"))

import folded  # noqa: E402 (found by the path above)
import kafka_cluster  # noqa: E402
import pipeline_test  # noqa: E402
from payments import Producer, is_torn  # noqa: E402
from proxy import Proxy  # noqa: E402
from riffle_process import Workspace  # noqa: E402

TOPIC = "payments"
PARTITIONS = 4
SESSION_SECONDS = 6
VERSION = ("line", "base", "epoch", "since")

MODEL = """
features: {id: id, time: at, label: fraud, numbers: [amount], categories: [customer, terminal]}
learner: {type: linear, optimizer: {type: momentum, rate: 0.05}, hash_bits: 12}
"""


def same(what, found, wanted):
    print(f"{what}: {found}", flush=True)
    assert found == wanted, f"{what}: {found}, must be {wanted}"


class Storm:
    def __init__(self, seed, rate):
        self.seed, self.rate = seed, rate
        self.chance = random.Random(seed)
        self.workspace = Workspace()
        self.proxy = Proxy()
        self.broker = kafka_cluster.KafkaBroker(proxy_port=self.proxy.port)
        self.producer = self.worker = None
        self.counts = collections.Counter()
        self.sentences = collections.Counter()  # what a worker that ended by itself said
        self.faults = {  # by weight
            self.kill: 30, self.ask_to_end: 2, self.cut: 3, self.slow: 2, self.stand_still: 1, self.stop_broker: 1,
            self.kill_broker: 1}

    def open(self):
        self.broker.start()
        self.proxy.target = self.broker.behind_port
        self.broker.create_topic(TOPIC, PARTITIONS)
        self.settings = self.write_settings("payments", "state", "")
        self.run("run", self.settings, "--until", "end", "--json")  # the snapshot of the untaught model
        self.keep_beginning()
        self.producer = Producer(self.broker.bootstrap, TOPIC, self.rate, self.seed)

    def close(self):
        if self.worker:
            self.worker.__exit__()
        if self.producer:
            self.producer.close()
        self.proxy.close()
        self.broker.close()
        self.workspace.close()

    def write_settings(self, name, state, prefix):
        return self.workspace.write(f"{name}.yaml", f"""
name: payments
kafka: {{bootstrap.servers: 127.0.0.1:{self.proxy.port}, reconnect.backoff.ms: 20, reconnect.backoff.max.ms: 300,
         socket.timeout.ms: 10000, session.timeout.ms: {SESSION_SECONDS * 1000}, fetch.wait.max.ms: 50}}
source: {{topics: [{TOPIC}], format: json}}
{MODEL}
sinks: [{{file: {{path: {prefix}scores.jsonl}}}}]
rejected: {{file: {prefix}rejected.jsonl}}
snapshots: {{directory: {state}, every: {{records: 5000, seconds: 0.3}}, keep: 3}}
""")

    def run(self, *arguments, seconds=120):
        return self.workspace.run_riffle(*arguments, seconds=seconds)

    def path(self, name):
        return self.workspace.folder / name

    def keep_beginning(self):
        """What a second worker needs to fold all once more: identity and first snapshot."""
        self.path("again").mkdir()
        for path in [self.path("state/worker"), *self.path("state").glob("snapshot-*")][:2]:
            shutil.copy(path, self.path("again"))

    # Faults.

    def alive(self):
        """The worker, started where there is none."""
        if self.worker and self.worker.process.poll() is not None:
            self.bury()
        if not self.worker:
            self.worker = self.workspace.riffle("run", self.settings)
            self.counts["starts"] += 1
        return self.worker

    def bury(self):
        """Notes why a worker ended by itself, which is its right when the broker is away for long."""
        code = self.worker.process.returncode
        assert code >= 0, f"the worker was ended by signal {-code}: {self.worker.errors}"
        words = self.worker.errors.splitlines()[-1:] or ["no word"]
        self.sentences[f"{code}: {words[0][:200]}"] += 1
        self.counts["ended by itself"] += 1
        self.worker = None

    def kill(self):
        worker = self.alive()
        time.sleep(self.chance.expovariate(1 / 0.8) if self.chance.random() < 0.9 else 0)
        if worker.process.poll() is None:
            worker.kill()
            self.counts["kill -9"] += 1
            self.worker = None
        else:
            self.bury()

    def ask_to_end(self):
        worker = self.alive()
        time.sleep(self.chance.uniform(0, 1))
        done = worker.terminate()
        if done.status == -signal.SIGTERM:
            self.counts["asked to end before it listened"] += 1
            self.worker = None
        elif done.status:
            self.bury()
        else:
            self.counts["asked to end"] += 1
            self.worker = None

    def cut(self):
        self.alive()
        time.sleep(self.chance.uniform(0, 0.5))
        self.counts["connections cut"] += self.proxy.cut()
        time.sleep(self.chance.uniform(0, 0.5))

    def slow(self):
        self.alive()
        self.proxy.delay_s = self.chance.uniform(0.02, 0.3)
        time.sleep(self.chance.uniform(0.5, 2))
        self.proxy.delay_s = 0
        self.counts["connections slowed"] += 1

    def stand_still(self):
        worker = self.alive()
        time.sleep(self.chance.uniform(0, 0.5))
        if worker.process.poll() is None:
            worker.pause()
            time.sleep(SESSION_SECONDS + 1)
            worker.resume()
            self.counts["stood still beyond the session"] += 1

    def stop_broker(self):
        self.alive()
        self.broker.stop()
        self.counts["broker stopped"] += 1
        self.restart_broker()

    def kill_broker(self):
        self.alive()
        time.sleep(self.chance.uniform(0, 0.5))
        self.broker.kill()
        self.counts["broker killed"] += 1
        self.restart_broker()

    def restart_broker(self):
        if self.chance.random() < 0.5:
            self.kill()  # while it is away
        self.broker.restart()

    def rage(self, faults):
        kinds, weights = list(self.faults), list(self.faults.values())
        begun = time.monotonic()
        for i in range(faults):
            self.chance.choices(kinds, weights)[0]()
            assert self.producer.is_alive(), "kcat ended"
            if (i + 1) % 50 == 0:
                print(f"{i + 1} faults after {time.monotonic() - begun:.0f} s", flush=True)
        if self.worker:
            self.kill()

    # What is left.

    def check(self):
        self.producer.finish()
        print(f"{self.proxy.passed >> 20} MiB went through the proxy")
        assert self.proxy.passed > 0
        result = self.run("run", self.settings, "--until", "end", "--json", seconds=300).json()
        ends = self.broker.end_offsets(TOPIC)
        records = self.read_log()
        torn = sum(map(is_torn, records.values()))
        assert len(records) == sum(ends) >= self.producer.produced, (len(records), ends, self.producer.produced)
        same("records learned or rejected", result["records"], len(records))
        same("records learned", result["learned"], len(records) - torn)
        same("records rejected", result["rejected"], torn)
        scores, rejected = self.lines("scores.jsonl"), self.lines("rejected.jsonl")
        seen = collections.Counter((line["partition"], line["offset"]) for line in scores + rejected)
        same("records in no file", len(records.keys() - seen.keys()), 0)
        same("records twice in a file", sum(count > 1 for count in seen.values()), 0)
        same("predictions", len(scores), len(records) - torn)
        versions = {tuple(line[name] for name in VERSION) for line in scores}
        same("different versions", len(versions), len(scores))
        print(self.run("snapshot", "verify", "state").output.splitlines()[-1])
        self.check_plain_fold(records, result)
        self.check_second_worker(result, scores)

    def read_log(self):
        """{(partition, offset): value}, by a client that is not ours."""
        return {(record.partition, record.offset): record.value for record in self.broker.consume(TOPIC)}

    def lines(self, name):
        return [json.loads(line) for line in self.path(name).read_bytes().splitlines()]

    def check_plain_fold(self, records, result):
        """The log as a file, in the recorded order, folded without snapshots."""
        offsets = [0] * PARTITIONS
        runs = 0
        with open(self.path("ordered.json"), "wb") as file:
            for topic, partition, count in folded.order(self.path("state")):
                assert topic == TOPIC
                runs += 1
                for offset in range(offsets[partition], offsets[partition] + count):
                    file.write(records[partition, offset] + b"\n")
                offsets[partition] += count
        same("records in the recorded order", sum(offsets), len(records))
        settings = self.workspace.write("plain.yaml", f"name: payments\nsource: {{file: ordered.json, format: json}}\n{MODEL}")
        plain = self.run("evaluate", settings, "--json").json()
        same(f"bytes of a plain fold in the recorded order of {runs} runs", plain["model_sha256"], result["model_sha256"])

    def check_second_worker(self, result, scores):
        for path in self.path("state").glob("schedule-*"):
            shutil.copy(path, self.path("again"))
        settings = self.write_settings("again", "again", "again/")
        again = self.run("run", settings, "--until", "end", "--json", "--take-over", seconds=300).json()
        same("bytes of a second worker", again["model_sha256"], result["model_sha256"])
        others = self.lines("again/scores.jsonl")
        same("predictions of the second worker", len(others), len(scores))
        differ = sum(any(one[name] != other[name] for name in one.keys() - VERSION) for one, other in zip(scores, others))
        same("predictions that differ, or stand elsewhere", differ, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=2000)
    options = parser.parse_args()
    reason = kafka_cluster.missing()
    if reason:
        pipeline_test.skip(reason)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that what was started is ended too
    storm = Storm(options.seed, options.rate)
    try:
        begun = time.monotonic()
        storm.open()
        storm.rage(options.faults)
        print(f"seed {options.seed}, {options.faults} faults in {time.monotonic() - begun:.0f} s: "
              + ", ".join(f"{count} {what}" for what, count in storm.counts.items()))
        for sentence, count in storm.sentences.items():
            print(f"  {count} ended with: {sentence}")
        storm.check()
    finally:
        storm.close()


if __name__ == "__main__":
    main()
