"""A storm over a fleet and its Kafka: python3 tests/storm/fleet_storm.py --faults N [--seed S] [--rate RECORDS_A_SECOND]

Three brokers keep everything three times. Producers that are not ours feed eight partitions all the while; four workers share a
model. Workers are killed, stopped beyond their session and continued, asked to end, doubled, cut off, slowed; others come and go;
brokers are killed, stopped, stand still and run out of disk, one at a time. At the end, without a storm, all is counted:

- what producers were told is kept is there; every record was learned or rejected once, up to the ends of all partitions;
- folding the log of deltas in order gives the hashes that the workers found;
- whoever reads committed records alone finds the prediction or rejection of each record once.

The program is $RIFFLE_BIN. Exits with 77 where Kafka is missing.
"""

import argparse
import collections
import heapq
import itertools
import json
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pipeline"))

import kafka_cluster  # noqa: E402 (found by the path above)
import pipeline_test  # noqa: E402
import readers  # noqa: E402
from fleet_members import Member  # noqa: E402
from payments import ConfluentProducer, Producer, is_torn, number_of  # noqa: E402
from proxy import Proxy  # noqa: E402
from riffle_process import Workspace  # noqa: E402
from storm import VERSION, same  # noqa: E402

PROTO = HERE.parent.parent / "proto"
TOPIC, SCORES, REJECTED, MODEL = "payments", "scores", "rejected", "storm"
PARTITIONS = 8
SESSION_SECONDS, DRAIN_SECONDS, TRANSACTION_SECONDS = 6, 3, 5
NAMES = "abcd"
GUEST = "e"
BEHIND_PROXY = "d"
GAP_SECONDS = 1.5  # between faults, on average
LOOK_SECONDS = 2
AHEAD = 12  # faults that are tried when one cannot happen now
STALL_SECONDS = 75  # so long a partition may not be learned from
CALM_SECONDS = 150  # so long catching up may take
COMPLAINTS_MAX = 20
FIRST_APART = 10**9  # numbers of the producers' records

# How often each befalls them, by name of the method.
WEIGHTS = {"kill": 16, "stand_still": 8, "ask_to_end": 6, "double": 3, "guest": 4, "cut": 4, "slow": 3, "cut_off": 3,
           "kill_broker": 2, "stop_broker": 1, "pause_broker": 2, "fill_disk": 1}


class FleetStorm:
    def __init__(self, seed, rate):
        self.seed, self.rate = seed, rate
        self.chance = random.Random(seed)
        self.workspace = Workspace()
        self.proxies = [Proxy() for _ in range(3)]
        self.cluster = kafka_cluster.KafkaCluster(proxy_ports=[proxy.port for proxy in self.proxies])
        self.members = {name: Member(self, name) for name in NAMES}
        self.guest_member = Member(self, GUEST)
        self.guest_member.is_wanted = False
        self.producers = []
        self.counts = collections.Counter()
        self.sentences = collections.Counter()  # what workers that ended by themselves said
        self.complaints = []
        self.agenda = []  # (when, number, what): how faults end
        self.numbers = itertools.count()
        self.disturbed_at = 0
        self.is_isolated = False  # the worker behind the proxies
        self.progress = {}  # partition: (offset committed, since when)
        self.longest_still = 0  # seconds that a partition was not learned from
        self.looked_at = 0

    def open(self):
        packages = pipeline_test.serialisers()
        self.cluster.start()
        for proxy, broker in zip(self.proxies, self.cluster.brokers):
            proxy.target = broker.behind_port
        for topic, partitions in ((TOPIC, PARTITIONS), (SCORES, 4), (REJECTED, 2)):
            self.cluster.create_topic(topic, partitions)
        bootstrap = self.cluster.bootstrap
        third = max(self.rate // 3, 1)
        self.producers.append(Producer(bootstrap, TOPIC, third, self.seed))
        for i in (1, 2):
            self.producers.append(ConfluentProducer(packages, bootstrap, TOPIC, third, self.seed + i, i * FIRST_APART))

    def close(self):
        for member in self.all_members():
            member.close()
        for producer in self.producers:
            producer.close()
        for proxy in self.proxies:
            proxy.close()
        self.cluster.close()
        self.workspace.close()

    def keep(self, folder):
        """What workers and brokers said, for who looks into a failure."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.workspace.folder.glob("errors.*"):
            shutil.copy(path, folder)
        for i, broker in enumerate(self.cluster.brokers):
            shutil.copy(broker.log, folder / f"broker.{i + 1}.log")

    def all_members(self):
        return [*self.members.values(), self.guest_member]

    def write_settings(self, worker):
        servers = self.cluster.bootstrap
        if worker == BEHIND_PROXY:
            servers = ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)
        return self.workspace.write(f"{worker}.yaml", f"""
name: {MODEL}
kafka: {{bootstrap.servers: "{servers}", group.instance.id: {worker}, session.timeout.ms: {SESSION_SECONDS * 1000},
  heartbeat.interval.ms: 500, reconnect.backoff.ms: 20, reconnect.backoff.max.ms: 300, socket.timeout.ms: 10000,
  fetch.wait.max.ms: 50}}
source: {{topics: [{TOPIC}], format: json}}
features: {{id: id, time: at, label: fraud, numbers: [amount], categories: [customer, terminal]}}
learner: {{type: linear, hash_bits: 12}}
fleet: {{shared: true, replication: 3, drain_seconds: {DRAIN_SECONDS}, transaction_seconds: {TRANSACTION_SECONDS},
  deltas: {{records: 2000, seconds: 0.2}}}}
sinks: [{{kafka: {{topic: {SCORES}}}}}]
rejected: {{topic: {REJECTED}}}
snapshots: {{directory: state-{worker}}}
""")

    def start_worker(self, name):
        program = self.workspace.riffle("run", self.write_settings(name))
        print(f"  {self.clock()} {name} is process {program.process.pid}, {program.errors_path.name}", flush=True)
        return program

    # What members tell.

    @staticmethod
    def clock():
        return time.strftime("%H:%M:%S")

    def disturb(self):
        self.disturbed_at = time.monotonic()

    def is_disturbed(self, seconds):
        """Brokers, connections or the time gave cause to end, not long ago."""
        return time.monotonic() - self.disturbed_at < seconds or not all(map(self.cluster.is_up, self.cluster.brokers))

    def complain(self, sentence, program=None):
        said = "\n".join(f"    {line}" for line in program.errors.splitlines()[-12:]) if program else ""
        print(f"COMPLAINT {self.clock()} {sentence}" + (f" ({program.errors_path.name})\n{said}" if program else ""), flush=True)
        self.complaints.append(sentence)
        assert len(self.complaints) < COMPLAINTS_MAX, "too many complaints to go on"

    # Time.

    def later(self, seconds, what):
        heapq.heappush(self.agenda, (time.monotonic() + seconds, next(self.numbers), what))

    def attend(self):
        while self.agenda and self.agenda[0][0] <= time.monotonic():
            heapq.heappop(self.agenda)[2]()
        for member in self.all_members():
            member.attend()
        for i, producer in enumerate(self.producers):
            assert producer.is_alive(), f"producer {i} ended"
        self.look_at_progress()

    def look_at_progress(self):
        """Every partition is learned from, whatever happens."""
        now = time.monotonic()
        if now - self.looked_at < LOOK_SECONDS or not all(map(self.cluster.is_up, self.cluster.brokers)):
            return  # whoever asks a broker that stands still waits with it
        self.looked_at = now
        try:
            ends = self.cluster.end_offsets(TOPIC)
            committed = {part: offset for (_, part), (offset, _) in self.cluster.committed(MODEL).items()}
        except (OSError, KeyError, kafka_cluster.KafkaError):
            return
        for partition, end in enumerate(ends):
            offset = committed.get(partition, -1)
            before, since = self.progress.get(partition, (-1, now))
            if offset > before or offset == end:
                self.progress[partition] = (offset, now)
            elif now - since > STALL_SECONDS:
                self.complain(f"partition {partition} has stood at offset {offset} of {end} for {STALL_SECONDS} s")
                self.progress[partition] = (offset, now)
            else:
                self.progress[partition] = (before, since)
                self.longest_still = max(self.longest_still, now - since)

    def wait(self, seconds):
        until = time.monotonic() + seconds
        while True:
            self.attend()
            if time.monotonic() >= until:
                return
            time.sleep(0.05)

    def wait_for(self, condition, what, seconds):
        until = time.monotonic() + seconds
        while not (held := condition()):
            self.wait(0.2)
            if time.monotonic() > until:
                raise AssertionError(f"waited {seconds} s for {what}")
        return held

    # Faults. Each returns false where it cannot happen now; what it leaves behind is on the agenda.

    def draw(self, members):
        free = [member for member in members if member.is_free()]
        return self.chance.choice(free) if free else None

    def tell(self, what):
        print(f"  {self.clock()} {what}", flush=True)
        return True

    def kill(self):
        member = self.draw(self.all_members())
        if member:
            member.kill(self.chance.choice([0, 0, 1, SESSION_SECONDS + 2]))
            self.counts["kill -9"] += 1
        return member and self.tell(f"{member.name} was killed")

    def stand_still(self):
        member = self.draw(self.members.values())
        if member:
            seconds = self.chance.uniform(1, 15)
            member.pause()
            self.later(seconds, member.resume)
            self.counts["stood still"] += 1
            self.counts["of them beyond the session"] += seconds > SESSION_SECONDS
        return member and self.tell(f"{member.name} stands still for {seconds:.1f} s")

    def ask_to_end(self):
        member = self.draw(self.members.values())
        if member:
            member.ask_to_end(self.chance.choice([0, 2, SESSION_SECONDS + 2]))
            self.counts["asked to end"] += 1
        return member and self.tell(f"{member.name} was asked to end")

    def double(self):
        member = self.draw(self.members.values())
        if member:
            member.double()
            self.counts["doubled"] += 1
        return member and self.tell(f"{member.name} was started twice")

    def guest(self):
        guest = self.guest_member
        if guest.program:
            return False
        guest.start()
        self.later(self.chance.uniform(2, 12), lambda: guest.is_free() and guest.ask_to_end())
        self.counts["guests"] += 1
        return self.tell("a guest came")

    def is_proxied_free(self):
        return self.members[BEHIND_PROXY].is_free() and not self.is_isolated and self.proxies[0].delay_s == 0

    def cut(self):
        if not self.is_proxied_free():
            return False
        self.counts["connections cut"] += sum(proxy.cut() for proxy in self.proxies)
        self.disturb()
        return self.tell("connections were cut")

    def set_delay(self, seconds):
        self.disturb()
        for proxy in self.proxies:
            proxy.delay_s = seconds

    def slow(self):
        if not self.is_proxied_free():
            return False
        self.set_delay(delay := self.chance.uniform(0.02, 0.4))
        self.later(self.chance.uniform(1, 8), lambda: self.set_delay(0))
        self.counts["connections slowed"] += 1
        return self.tell(f"connections were slowed by {delay:.2f} s")

    def isolate(self, is_isolated):
        self.disturb()
        self.is_isolated = is_isolated
        for proxy, broker in zip(self.proxies, self.cluster.brokers):
            proxy.target = None if is_isolated else broker.behind_port
            proxy.cut()

    def cut_off(self):
        if not self.is_proxied_free():
            return False
        seconds = self.chance.uniform(1, 15)
        self.isolate(True)
        self.later(seconds, lambda: self.isolate(False))
        self.counts["cut off from all brokers"] += 1
        return self.tell(f"{BEHIND_PROXY} was cut off for {seconds:.1f} s")

    def draw_broker(self):
        """Never two at once: all are there, and have all there is."""
        return self.chance.choice(self.cluster.brokers) if self.cluster.is_whole() else None

    def relaunch(self, broker):
        broker.kill()
        broker.launch()
        self.disturb()

    def kill_broker(self):
        broker = self.draw_broker()
        if broker:
            broker.kill()
            self.later(self.chance.uniform(0, 5), lambda: self.relaunch(broker))
            self.disturb()
            self.counts["broker killed"] += 1
        return broker and self.tell(f"broker {broker.port} was killed")

    def stop_broker(self):
        broker = self.draw_broker()
        if broker:
            broker.process.terminate()
            self.later(self.chance.uniform(5, 8), lambda: self.relaunch(broker))
            self.disturb()
            self.counts["broker stopped"] += 1
        return broker and self.tell(f"broker {broker.port} was asked to stop")

    def resume_broker(self, broker):
        broker.resume()
        self.disturb()

    def pause_broker(self):
        broker = self.draw_broker()
        if broker:
            seconds = self.chance.uniform(1, 12)
            broker.pause()
            self.later(seconds, lambda: self.resume_broker(broker))
            self.disturb()
            self.counts["broker stood still"] += 1
        return broker and self.tell(f"broker {broker.port} stands still for {seconds:.1f} s")

    def fill_disk(self):
        """No file of it can grow: it gives up its only disk, and ends."""
        broker = self.draw_broker()
        if broker:
            resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (0, 0))
            self.later(self.chance.uniform(3, 6), lambda: self.relaunch(broker))
            self.disturb()
            self.counts["broker's disk full"] += 1
        return broker and self.tell(f"disk of broker {broker.port} is full")

    def deal(self, count):
        """Every kind once, then by weight."""
        kinds = list(WEIGHTS)
        self.chance.shuffle(kinds)
        return (kinds + self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count))[:count]

    def rage(self, faults):
        begun = time.monotonic()
        self.wait_for(lambda: any(offset > 0 for offset, _ in self.progress.values()), "a first delta", 60)
        pending = self.deal(faults)
        while pending:
            self.wait_for(lambda: self.befall(pending), f"a chance to {pending[0]}", 90)
            self.wait(self.chance.expovariate(1 / GAP_SECONDS))
            done = faults - len(pending)
            if done % 50 == 0:
                print(f"{done} faults after {time.monotonic() - begun:.0f} s", flush=True)

    def befall(self, pending):
        """The next one that can happen now; those before it happen later."""
        for i, kind in enumerate(pending[:AHEAD]):
            if getattr(self, kind)():
                del pending[i]
                return True
        return False

    # What is left.

    def calm(self):
        """Every fault ends, and all members but the guest are there."""
        self.wait_for(lambda: not self.agenda, "the end of all faults", 60)
        self.wait_for(self.cluster.is_whole, "three brokers", 90)
        self.wait_for(lambda: not self.guest_member.program, "the guest's leaving", 90)
        self.wait_for(lambda: all(member.is_free() for member in self.members.values()), "four workers", 90)

    def finish(self):
        acknowledged = sum(producer.finish() for producer in self.producers)
        self.producers = []
        return acknowledged

    def stands(self, *flags):
        done = self.workspace.run_riffle("fleet", self.write_settings("a"), "--json", *flags, status=None, seconds=300)
        return json.loads(done.output) if done.status == 0 else {"records": -1, "why": done.errors[-300:]}

    def catch_up(self, count):
        begun = time.monotonic()
        stands = self.stands()
        while stands["records"] < count and time.monotonic() - begun < CALM_SECONDS:
            self.wait(1)
            stands = self.stands()
        if stands["records"] < count:
            self.complain(f"{stands['records']} of {count} records were learned {CALM_SECONDS} s after the storm: {stands}")
        for member in self.members.values():
            member.is_wanted = False
            member.ask_to_end()
        self.wait_for(lambda: not any(member.program for member in self.members.values()), "the end of four workers", 90)

    def check(self):
        acknowledged = self.finish()
        ends = self.cluster.end_offsets(TOPIC)
        self.catch_up(sum(ends))
        records = self.read(TOPIC)
        torn = {place for place, value in records.items() if is_torn(value)}
        stands = self.stands("--verify")
        if "deltas" not in stands:
            raise AssertionError(f"riffle fleet: {stands['why']}")
        print(json.dumps({name: value for name, value in stands.items() if name != "applied"}))
        same("records in the topic", len(records), sum(ends))
        numbers = {number_of(value) for value in records.values()}
        print(f"acknowledged: {acknowledged}, of which {len(records) - len(numbers)} stand in the topic once more")
        same("different ones in the topic", len(numbers), acknowledged)
        same("records learned or rejected", stands["records"], len(records))
        same("records learned", stands["learned"], len(records) - len(torn))
        same("records rejected", stands["rejected"], len(torn))
        applied = {one["partition"]: (one["next_offset"], one["records"]) for one in stands["applied"]}
        same("partitions at their ends", applied, {i: (end, end) for i, end in enumerate(ends)})
        same("workers whose base differs", [one["worker"] for one in stands["workers"] if one["agrees"] is False], [])
        print(f"workers whose base was compared: {[one['worker'] for one in stands['workers'] if one['agrees']]}")
        print(f"{stands['voids']} deltas of {stands['deltas'] + stands['voids']} are void; base {stands['base_sha256']}")
        scores = [json.loads(record.value) for record in self.cluster.consume(SCORES)]
        self.check_once("predictions", [(one["partition"], one["offset"]) for one in scores], records.keys() - torn)
        self.check_once("rejections", self.read_rejected(), torn)
        versions = {tuple(one.get(name) for name in VERSION) for one in scores}
        print(f"predictions with the version of another: {len(scores) - len(versions)}")

    def read(self, topic):
        """{(partition, offset): value}, by a client that is not ours."""
        return {(record.partition, record.offset): record.value for record in self.cluster.consume(topic)}

    def read_rejected(self):
        subprocess.run(["protoc", f"--python_out={self.workspace.folder}", f"--proto_path={PROTO}", "riffle.proto"], check=True)
        sys.path.insert(0, str(self.workspace.folder))
        import riffle_pb2  # pylint: disable=import-outside-toplevel
        rejects = [riffle_pb2.Rejected.FromString(record.value) for record in self.cluster.consume(REJECTED)]
        return [(one.partition, one.offset) for one in rejects]

    @staticmethod
    def check_once(what, places, wanted):
        """Each record of `wanted` is there once."""
        seen = collections.Counter(places)
        same(f"{what} of nothing", len(seen.keys() - wanted), 0)
        same(f"{what} that are missing", len(wanted - seen.keys()), 0)
        same(f"{what} that stand twice", sum(count > 1 for count in seen.values()), 0)
        same(what, len(places), len(wanted))


def run(storm, faults):
    begun = time.monotonic()
    storm.open()
    storm.rage(faults)
    storm.calm()
    print(f"seed {storm.seed}, {faults} faults in {time.monotonic() - begun:.0f} s: "
          + ", ".join(f"{count} {what}" for what, count in storm.counts.items()))
    print(f"a partition was not learned from for {storm.longest_still:.0f} s at most")
    for sentence, count in storm.sentences.items():
        print(f"  {count} ended with: {sentence}")
    storm.check()
    same("complaints", storm.complaints, [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=600)
    parser.add_argument("--keep", type=pathlib.Path, help="folder for what workers and brokers said")
    options = parser.parse_args()
    reason = kafka_cluster.missing()
    if reason:
        pipeline_test.skip(reason)
    readers.need()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that what was started is ended too
    storm = FleetStorm(options.seed, options.rate)
    try:
        run(storm, options.faults)
    finally:
        if options.keep:
            storm.keep(options.keep)
        storm.close()


if __name__ == "__main__":
    main()
