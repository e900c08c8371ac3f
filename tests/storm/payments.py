"""What the storms are fed with: payments, some of them torn, by producers that are not ours and go on whatever happens."""

import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TORN_ONE_IN = 50  # records that no decoder takes


class Payments:
    """Records, numbered from `first`."""

    def __init__(self, seed, first=0):
        self.chance = random.Random(seed)
        self.first = first
        self.produced = 0

    def record(self):
        number, self.produced = self.first + self.produced, self.produced + 1
        if self.chance.randrange(TORN_ONE_IN) == 0:
            return f"payment {number} was torn"
        amount = self.chance.randrange(30000) / 100
        fraud = int(amount + self.chance.gauss(0, 100) > 220)
        return (f'{{"id":{number},"at":{1522540800000 + 9000 * number},"customer":{self.chance.randrange(50)},'
                f'"terminal":{self.chance.randrange(90)},"amount":{amount:.2f},"fraud":{fraud}}}')


def is_torn(value):
    return not value.startswith(b"{")


def number_of(value):
    return int(value.split()[1]) if is_torn(value) else json.loads(value)["id"]


class Producer:
    """Feeds kcat with records at a rate, until it is told to end."""

    def __init__(self, bootstrap, topic, rate, seed, first=0):
        self.rate = rate
        self.payments = Payments(seed, first)
        self.ends = threading.Event()
        self.process = subprocess.Popen(
            ["kcat", "-q", "-E", "-b", bootstrap, "-P", "-t", topic, "-X", "acks=all", "-X", "message.timeout.ms=0",
             "-X", "sticky.partitioning.linger.ms=0", "-X", "linger.ms=20", "-X", "reconnect.backoff.max.ms=500"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self._produce, daemon=True)
        self.thread.start()

    @property
    def produced(self):
        return self.payments.produced

    def is_alive(self):
        return self.process.poll() is None

    def _produce(self):
        begun, sent = time.monotonic(), 0
        while not self.ends.wait(0.02):
            due = int((time.monotonic() - begun) * self.rate)
            lines = "".join(f"{self.payments.record()}\n" for _ in range(due - sent))
            sent = due
            self.process.stdin.write(lines.encode())
            self.process.stdin.flush()

    def finish(self):
        """Returns when the brokers have all of them: how many."""
        assert self.thread.is_alive(), "kcat ended"
        self.ends.set()
        self.thread.join()
        self.process.stdin.close()
        if self.process.wait(120):
            raise AssertionError(f"kcat ended with {self.process.returncode}")
        return self.produced

    def close(self):
        self.ends.set()
        self.process.kill()
        self.process.wait()


class ConfluentProducer:
    """The same by confluent-kafka, idempotent and with keys, in a process of its own."""

    def __init__(self, packages, bootstrap, topic, rate, seed, first=0):
        environment = {**os.environ, "PYTHONPATH": str(packages)}
        self.process = subprocess.Popen([sys.executable, "-B", str(HERE / "confluent_payments.py"), bootstrap, topic, str(rate),
                                         str(seed), str(first)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def is_alive(self):
        return self.process.poll() is None

    def finish(self):
        """Returns when the brokers have acknowledged all of them: how many."""
        output, _ = self.process.communicate(timeout=150)
        told = json.loads(output)
        if self.process.returncode or told["acknowledged"] != told["produced"]:
            raise AssertionError(f"the producer ended with {self.process.returncode}: {told}")
        return told["acknowledged"]

    def close(self):
        self.process.kill()
        self.process.wait()
