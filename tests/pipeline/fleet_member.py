"""A worker of a fleet as a process that does one thing with Kafka at a time: see fleet_member.c."""

import json
import os
import signal
import subprocess
import time

PROGRAM = os.environ.get("RIFFLE_FLEET_MEMBER")
SESSION_MS = 6000  # the least that a broker admits, unless told otherwise
WAIT_SECONDS = 60
END_SECONDS = 30


class Member:
    def __init__(self, broker):
        self.bootstrap = f"bootstrap.servers={broker.bootstrap}"
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.held = set()  # partitions
        self.records = []  # (partition, offset, value), in the order of delivery
        self.events = []  # (event, partitions)

    def end(self):
        """Lets it destroy what it has, unless it was killed, and come to its end."""
        if self.process.stdout.closed:
            return
        try:
            if self.process.poll() is None:
                self.resume()
                self.process.stdin.close()
                if self.process.wait(END_SECONDS):
                    raise AssertionError(f"the member ended with exit code {self.process.returncode}")
        finally:
            self.kill()

    def start(self, *words):
        """Gives a command and does not wait for the answer."""
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the member is gone: exit code {self.process.wait()}")
        return json.loads(line)

    def do(self, *words):
        self.start(*words)
        return self.answer()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    # A source of a group.

    def join(self, topic, group, instance=None, **properties):
        settings = {"group.id": group, "session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": 200,
                    "fetch.wait.max.ms": 10, "reconnect.backoff.max.ms": 100}
        if instance:
            settings["group.instance.id"] = instance
        settings.update({name.replace("_", "."): value for name, value in properties.items()})
        return self.do("source", "earliest", topic, self.bootstrap, *(f"{name}={value}" for name, value in settings.items()))

    def poll(self, timeout_ms=100):
        """One poll, with what was delivered noted; an event is not answered."""
        told = self.do("poll", timeout_ms)
        if told.get("event") == "records":
            for record in told["records"]:
                if record["partition"] not in self.held:
                    raise AssertionError(f"a record of partition {record['partition']}, which is not held: {record}")
                self.records.append((record["partition"], record["offset"], record["value"]))
        elif told.get("event") in ("assigned", "revoked", "lost"):
            self.events.append((told["event"], sorted(told["partitions"])))
            if told["event"] != "assigned":
                self.held -= set(told["partitions"])
        return told

    def answer_event(self, told):
        if told["event"] == "assigned":
            done = self.do("assign")
            if done["status"] == "ok":
                self.held |= set(told["partitions"])
        else:
            done = self.do("unassign")
        if done["status"] != "ok":
            raise AssertionError(f"{told} could not be answered: {done}")

    def step(self, timeout_ms=20):
        """One poll, answered if it tells an event. Failures that may pass are fine."""
        told = self.poll(timeout_ms)
        if told["status"] != "ok" and not told["is_temporary"]:
            raise AssertionError(f"a poll failed: {told}")
        if told.get("event") in ("assigned", "revoked", "lost"):
            self.answer_event(told)
        return told


def step_until(condition, *members, seconds=WAIT_SECONDS, what="what was awaited"):
    """Polls the members in turn until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come: {[(one.held, one.events, len(one.records)) for one in members]}")
        for one in members:
            one.step()
