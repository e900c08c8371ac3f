"""A real Apache Kafka for one test: a broker, or three, started on free ports in a temporary folder, killed and restarted at will.

    with KafkaBroker() as broker:
        broker.create_topic("transactions", 4)
        broker.produce_file("transactions", path)
        ...
        broker.kill(); broker.restart()

    with KafkaCluster() as cluster:
        cluster.brokers[1].kill()

The jars come from `sh ops/setup.sh test` (build/kafka/lib). Records go in and out by kcat, a client that is not ours.
"""

import base64
import collections
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from kafka_wire import EARLIEST, LATEST, NOT_LEADER, UNKNOWN_TOPIC_OR_PARTITION, Admin, KafkaError

HERE = pathlib.Path(__file__).resolve().parent
KAFKA = pathlib.Path(os.environ.get("RIFFLE_KAFKA") or HERE.parent.parent / "build" / "kafka")
START_SECONDS = 60
STOP_SECONDS = 30

Record = collections.namedtuple("Record", "partition offset key value")


def missing():
    """Why a broker cannot be started here, as a sentence; None when it can."""
    if not (KAFKA / "lib").is_dir():
        return f"no Kafka jars in {KAFKA / 'lib'}: run `sh ops/setup.sh test`"
    for command in ("java", "kcat"):
        if not shutil.which(command):
            return f"no {command} on this machine: run `sh ops/setup.sh test`"
    return None


def free_ports(count):
    """Ports that nobody listens on now. Another process may take one before it is used: starting retries with others."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def java(*arguments, heap=("-Xms256m", "-Xmx512m")):
    return ["java", *heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
            f"-Dlog4j.configuration=file:{HERE}/kafka/log4j.properties", "-cp", f"{KAFKA}/lib/*", *arguments]


def tail(path, lines=30):
    try:
        return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


class Topics:
    """Topics and records of who has `bootstrap`, `folder` and `admin()`."""

    replication = 1  # of topics that are made

    def create_topic(self, name, partitions=1, settings=None):
        """Returns when every partition has a leader."""
        with self.admin() as admin:
            admin.create_topic(name, partitions, settings, self.replication)
            self._wait(lambda: self._has_leaders(admin, name, partitions), f"leaders of {name}")

    def create_partitions(self, name, count):
        with self.admin() as admin:
            admin.create_partitions(name, count)
            self._wait(lambda: self._has_leaders(admin, name, count), f"leaders of {name}")

    def delete_topic(self, name):
        """Returns when it is gone, so that it can be made anew."""
        with self.admin() as admin:
            admin.delete_topic(name)
            self._wait(lambda: name not in admin.topics(), f"the end of {name}")

    def delete_records(self, name, partition, offset):
        with self.admin() as admin:
            admin.delete_records(name, partition, offset)

    def _has_leaders(self, admin, name, partitions):
        """Asks the leaders themselves: the metadata names them a moment before they know of it."""
        if admin.topics().get(name) != partitions:
            return False
        try:
            self._ask_offsets(admin, name, list(range(partitions)))
        except KafkaError as error:
            if error.code in (UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER):
                return False
            raise
        return True

    def end_offsets(self, name):
        """The next offset to be written, by partition."""
        return self._offsets(name, LATEST)

    def start_offsets(self, name):
        return self._offsets(name, EARLIEST)

    def _offsets(self, name, time_ms):
        with self.admin() as admin:
            return self._ask_offsets(admin, name, list(range(admin.topics()[name])), time_ms)

    @staticmethod
    def _ask_offsets(admin, name, partitions, time_ms=LATEST):
        return admin.offsets(name, partitions, time_ms)

    def committed(self, group):
        """{(topic, partition): (offset, metadata)}"""
        with self.admin() as admin:
            return admin.committed(group)

    def produce_file(self, topic, path, partition=None, key_delimiter=None, settings=(), headers=()):
        """One record a line; all get the headers."""
        command = ["kcat", "-q", "-b", self.bootstrap, "-P", "-t", topic]
        command += ["-p", str(partition)] if partition is not None else []
        command += ["-K", key_delimiter] if key_delimiter else []
        for setting in settings:
            command += ["-X", setting]
        for name, text in headers:
            command += ["-H", f"{name}={text}"]
        self._run(command + ["-l", str(path)])

    def produce(self, topic, values, partition=None, **options):
        """Each value (text without line ends) becomes a record."""
        path = self.folder / "produce.txt"
        path.write_text("".join(f"{value}\n" for value in values))
        self.produce_file(topic, path, partition, **options)

    def consume(self, topic, settings=()):
        """All records of a topic, by partition and offset; transactions that were aborted are not seen."""
        command = ["kcat", "-q", "-b", self.bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", "-f", "%p %o %K %S\\n%k%s\\n"]
        for setting in settings:
            command += ["-X", setting]
        output = self._run(command).stdout
        records = []
        at = 0
        while at < len(output):
            end = output.index(b"\n", at)
            partition, offset, key_size, value_size = map(int, output[at:end].split())
            at = end + 1
            key = output[at : at + key_size] if key_size >= 0 else None
            at += max(key_size, 0)
            value = output[at : at + value_size] if value_size >= 0 else None
            at += max(value_size, 0) + 1
            records.append(Record(partition, offset, key, value))
        return sorted(records, key=lambda record: record[:2])

    def _run(self, command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done

    @staticmethod
    def _wait(condition, what):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {START_SECONDS} s for {what}")
            time.sleep(0.02)


class KafkaBroker(Topics):
    heap = ("-Xms256m", "-Xmx512m")

    def __init__(self, settings=None, proxy_port=None):
        self.settings = settings or {}  # properties over those of kafka/server.properties
        self.proxy_port = proxy_port  # clients that come in at behind_port are told to come to this port instead
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="riffle-kafka-"))
        self.log = self.folder / "broker.log"
        self.process = None
        self.is_paused = False
        self.port = self.behind_port = self.controller_port = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.port}"

    # Life.

    def start(self):
        """A new cluster without topics; returns when it answers a metadata request."""
        for attempt in range(3):
            self._configure()
            try:
                self._launch()
                return
            except RuntimeError:
                if attempt == 2 or "Address already in use" not in self.log.read_text(errors="replace"):
                    raise
                self.kill()

    def stop(self):
        """Asks it to stop and waits for that."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def kill(self):
        """SIGKILL: as when the power goes, but for what the operating system still writes."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.is_paused = False

    def pause(self):
        """The process stands still and its connections stay open, until resume()."""
        self.process.send_signal(signal.SIGSTOP)
        self.is_paused = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_paused = False

    def restart(self):
        """Starts it again with the same ports and data."""
        self.stop()
        self._launch()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self):
        self.port, self.controller_port, self.behind_port = free_ports(3)
        self._write_settings()

    def _write_settings(self):
        template = (HERE / "kafka" / "server.properties").read_text()
        text = template.format(port=self.port, controller_port=self.controller_port, folder=self.folder)
        settings = {**self._behind_proxy(), **self.settings}
        text += "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.folder / "server.properties").write_text(text)
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        shutil.copytree(self._formatted(), self.folder / "data")

    def _behind_proxy(self):
        """A listener of its own for the clients of a proxy."""
        if not self.proxy_port:
            return {}
        host = "://127.0.0.1"
        return {
            "listeners": f"PLAINTEXT{host}:{self.port},BEHIND{host}:{self.behind_port},CONTROLLER{host}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT{host}:{self.port},BEHIND{host}:{self.proxy_port}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT",
        }

    def _formatted(self):
        """A freshly formatted data folder, made by Kafka's own tool once and copied ever after."""
        formatted = KAFKA / "formatted"
        if not formatted.is_dir():
            made = self.folder / "data"
            command = java("kafka.tools.StorageTool", "format", "-t", "cmlmZmxlLXRlc3RzLWtmaw", "-c",
                           str(self.folder / "server.properties"))
            with open(self.log, "wb") as log:
                if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode:
                    raise RuntimeError(f"kafka's storage tool failed:\n{tail(self.log)}")
            private = KAFKA / f"formatted.{os.getpid()}"
            shutil.copytree(made, private)
            shutil.rmtree(made)
            try:
                private.rename(formatted)
            except OSError:  # another test was quicker
                shutil.rmtree(private)
        return formatted

    def _launch(self):
        self.launch()
        self._wait_for_answer()

    def launch(self):
        """Starts the process; it answers later."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(java("kafka.Kafka", str(self.folder / "server.properties"), heap=self.heap),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def _wait_for_answer(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the broker exited with {self.process.returncode}:\n{tail(self.log)}")
            if self._answers():
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the broker did not answer within {START_SECONDS} s:\n{tail(self.log)}")
            time.sleep(0.05)

    def _answers(self):
        """True when every partition that was there before has its leader again, and groups their coordinator."""
        try:
            with self.admin() as admin:
                admin.committed("riffle-tests-probe")
                return all(count and self._has_leaders(admin, name, count) for name, count in admin.topics().items())
        except (OSError, KafkaError):
            return False

    def admin(self, timeout_s=30):
        return Admin("127.0.0.1", self.port, timeout_s)


class KafkaNode(KafkaBroker):
    """One of the brokers of a cluster, which are its controllers as well."""

    heap = ("-Xms128m", "-Xmx256m")

    def configure(self, number, nodes, settings):
        """With the ports that the cluster drew for all `nodes`."""
        voters = ",".join(f"{i + 1}@127.0.0.1:{node.controller_port}" for i, node in enumerate(nodes))
        self.settings = {"node.id": number, "controller.quorum.voters": voters, **settings}
        self._write_settings()
        identity = self.folder / "data" / "meta.properties"
        text = identity.read_text().replace("node.id=1", f"node.id={number}")
        fresh = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        identity.write_text("".join(f"directory.id={fresh}\n" if line.startswith("directory.id=") else f"{line}\n"
                                    for line in text.splitlines()))


class KafkaCluster(Topics):
    """Three brokers, of which any two do. Proxies, one a broker, as for KafkaBroker."""

    replication = 3
    settings = {
        "offsets.topic.replication.factor": 3, "offsets.topic.num.partitions": 3, "transaction.state.log.replication.factor": 3,
        "transaction.state.log.min.isr": 2, "transaction.state.log.num.partitions": 3, "default.replication.factor": 3,
        "min.insync.replicas": 2, "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
        "num.replica.fetchers": 1, "log.cleaner.threads": 1,
    }

    def __init__(self, settings=None, proxy_ports=(None, None, None)):
        self.settings = {**self.settings, **(settings or {})}
        self.brokers = [KafkaNode(proxy_port=port) for port in proxy_ports]
        self.folder = self.brokers[0].folder

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def bootstrap(self):
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self):
        """A new cluster without topics; returns when all three know of one another."""
        ports = free_ports(9)
        for i, broker in enumerate(self.brokers):
            broker.port, broker.controller_port, broker.behind_port = ports[3 * i : 3 * i + 3]
        for i, broker in enumerate(self.brokers):
            broker.configure(i + 1, self.brokers, self.settings)
            broker.launch()
        self._wait(self._is_begun, "three brokers")

    def _is_begun(self):
        for broker in self.brokers:
            if broker.process.poll() is not None:
                raise RuntimeError(f"a broker exited with {broker.process.returncode}:\n{tail(broker.log)}")
        return self.is_whole()

    def close(self):
        for broker in self.brokers:
            broker.close()

    def is_up(self, broker):
        return broker.process is not None and broker.process.poll() is None and not broker.is_paused

    def is_whole(self):
        """All brokers answer and know that every replica is in sync."""
        for broker in self.brokers:
            if not self.is_up(broker):
                return False
            try:
                with broker.admin(timeout_s=5) as admin:
                    brokers, topics = admin.layout()
            except (OSError, KafkaError):
                return False
            parts = [part for parts in topics.values() for part in parts]
            if len(brokers) < len(self.brokers) or any(len(part.in_sync) < len(part.replicas) or part.leader < 0 for part in parts):
                return False
        return True

    def admin(self, timeout_s=30):
        """A connection to any broker that is there."""
        failure = OSError("no broker is up")
        for broker in filter(self.is_up, self.brokers):
            try:
                return broker.admin(timeout_s)
            except OSError as error:
                failure = error
        raise failure

    def committed(self, group):
        with self.admin() as admin:
            code, host, port = admin.coordinator(group)
        if code:
            raise KafkaError(f"coordinator of group {group}", code)
        with Admin(host, port) as admin:
            return admin.committed(group)

    @staticmethod
    def _ask_offsets(admin, name, partitions, time_ms=LATEST):
        """Each of its leader."""
        brokers, topics = admin.layout()
        leaders = {part.partition: part.leader for part in topics.get(name, [])}
        found = {}
        for leader in {leaders.get(partition, -1) for partition in partitions}:
            led = [partition for partition in partitions if leaders.get(partition, -1) == leader]
            if leader not in brokers:
                raise KafkaError(f"offsets of {name} {led}", NOT_LEADER)
            with Admin(*brokers[leader]) as one:
                found.update(zip(led, one.offsets(name, led, time_ms)))
        return [found[partition] for partition in partitions]
