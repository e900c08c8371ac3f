"""A whole stream from a real Kafka: read, score, learn, publish; beside librdkafka that only consumes, and beside the peers.

    python3 tests/bench/stream.py [--rounds 5] [--records 2000000] [--write]

Fills one topic for each format with the same payments (tests/bench/payments.h), then runs, one after the other and several rounds
over: `bench_consume` (librdkafka alone, a byte of each value touched), `riffle run` with a PUB subscriber that counts every
prediction and snapshots every 10 s, `kcat | vw`, and confluent-kafka + River + pyzmq. Prints tables; with --write it puts them into
docs/BENCHMARKS.md, and the numbers into build/bench/stream.json. Peers are installed into build/bench/peers from PyPI. Seconds are
those from the first record to the last, processor time is that of the consuming side: the broker's is in none of them.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

from report import RELEASE, RIFFLE, ROOT, SCRATCH, peers, say, spread, timed, write_document

sys.path.insert(0, str(ROOT / "tests/pipeline"))
from kafka_cluster import KafkaBroker, free_ports  # noqa: E402 (found by the path above)

PARTITIONS = 4
NUMBERS = ["amount", "balance", "distance", "velocity", "age_days", "hour"]
CATEGORIES = ["customer", "terminal", "merchant", "country", "channel", "device"]
COLUMNS = ["id", "at", "fraud", *NUMBERS, *CATEGORIES]
RIVER_RECORDS = 50000

# Format: the topic's, and the settings of the source.
SOURCES = {
    "protobuf": ("protobuf", "format: protobuf, protobuf: {{descriptors: {scratch}/payments.desc, message: payments.Payment}}"),
    "protobuf, riffle.v1.Example": ("example", "format: protobuf"),
    "Avro": ("avro", "format: avro, avro: {{schema: {root}/tests/bench/payments.avsc}}"),
    "JSON": ("json", "format: json"),
    "CSV": ("csv", f"format: csv, columns: {COLUMNS}"),
    "vw": ("vw", "format: vw"),
}
FEATURES = f"{{{{id: id, time: at, label: fraud, numbers: {NUMBERS}, categories: {CATEGORIES}}}}}"
VW_FEATURES = "{{id: id, label: fraud}}"

SETTINGS = """
name: payments
kafka: {{bootstrap.servers: {bootstrap}, queued.max.messages.kbytes: 65536, queued.min.messages: 250000}}
source: {{topics: [{topic}], start: {start}, {source}}}
features: """

REST = """
learner: {{type: linear, loss: logistic}}
sinks: [{{zeromq: {{publish: '{endpoint}', high_water_mark: 100000}}}}]
snapshots: {{directory: {state}, every: {{seconds: 10}}}}
worker: {{log_level: warn}}
"""

RIVER = """
import json, sys, time
import confluent_kafka, zmq
from river import compose, linear_model, preprocessing
bootstrap, endpoint, records, numbers, categories = sys.argv[1], sys.argv[2], int(sys.argv[3]), *map(json.loads, sys.argv[4:])
consumer = confluent_kafka.Consumer({"bootstrap.servers": bootstrap, "group.id": "river", "enable.auto.commit": False})
consumer.assign([confluent_kafka.TopicPartition("json", 0, confluent_kafka.OFFSET_BEGINNING)])
socket = zmq.Context().socket(zmq.PUB)
socket.bind(endpoint)
model = (compose.Select(*numbers) | preprocessing.StandardScaler()) + (compose.Select(*categories) | preprocessing.OneHotEncoder(drop_zeros=True))
model |= linear_model.LogisticRegression()
begun, done = None, 0
while done < records:
    for message in consumer.consume(1000, 1.0):
        begun = begun or (time.perf_counter(), time.process_time())
        record = json.loads(message.value())
        score = model.predict_proba_one(record).get(True, 0.5)
        model.learn_one(record, bool(record["fraud"]))
        socket.send_multipart([b"predictions", json.dumps({"id": record["id"], "score": score}).encode()])
        done += 1
        if done == records:
            break
print(json.dumps({"seconds": time.perf_counter() - begun[0], "cpu_seconds": time.process_time() - begun[1], "records": done}))
"""


def settings(broker, name, endpoint, start="earliest"):
    """Settings of a worker on the topic of a format: the path."""
    topic, source = SOURCES[name]
    features = VW_FEATURES if topic == "vw" else FEATURES
    state = SCRATCH / "stream"
    shutil.rmtree(state, ignore_errors=True)
    path = SCRATCH / "stream.yaml"
    path.write_text((SETTINGS + features + REST).format(
        bootstrap=broker.bootstrap, topic=topic, start=start, endpoint=endpoint, state=state,
        source=source.format(scratch=SCRATCH, root=ROOT)))
    return path


class Stream:
    def __init__(self, broker, records):
        self.broker, self.records = broker, records
        subprocess.run(["protoc", f"--descriptor_set_out={SCRATCH}/payments.desc", f"--proto_path={ROOT}/tests/bench",
                        "payments.proto"], check=True)

    @staticmethod
    def topic(name):
        return SOURCES[name][0]

    def fill(self):
        for topic in sorted({topic for topic, _ in SOURCES.values()}):
            self.broker.create_topic(topic, PARTITIONS)
            say(f"filling topic {topic}")
            subprocess.run([RELEASE / "tests/bench/bench_produce", self.broker.bootstrap, topic, topic, str(self.records)], check=True)

    def consume(self, topic):
        told, _, used = timed([RELEASE / "tests/bench/bench_consume", self.broker.bootstrap, topic, self.records])
        done = json.loads(told)
        return {"seconds": done["seconds"], "cpu_seconds": used["cpu_seconds"], "megabytes": used["megabytes"],
                "records": done["records"], "bytes": done["bytes"]}

    def riffle(self, name):
        endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        path = settings(self.broker, name, endpoint)
        subscriber = subprocess.Popen([RELEASE / "tests/bench/bench_subscribe", endpoint, str(self.records)], stdout=subprocess.PIPE)
        try:
            told, _, used = timed([RIFFLE, "run", path, "--until", "end", "--json", "--fresh"])
            subscriber.wait(5)
        except subprocess.TimeoutExpired:
            pass
        finally:
            subscriber.terminate()
        seen = json.loads(subscriber.communicate()[0])
        done = json.loads(told.splitlines()[-1])
        assert done["records"] == self.records and done["rejected"] == 0, done
        return {"seconds": done["seconds"], "cpu_seconds": used["cpu_seconds"], "megabytes": used["megabytes"], "records": done["records"],
                "log_loss": done["log_loss"], "predictions_seen": seen["predictions"]}

    def vowpal(self):
        reads = ["kcat", "-q", "-b", self.broker.bootstrap, "-C", "-t", "vw", "-o", "beginning", "-e", "-X",
                 "queued.min.messages=250000"]
        learns = [peers() / "bin/python", "-m", "vowpalwabbit", "--quiet", "-d", "/dev/stdin", "--loss_function", "logistic", "-b", "18", "-p",
                  SCRATCH / "vw.predictions"]
        shell = " ".join(map(str, reads)) + " | " + " ".join(map(str, learns))
        _, _, used = timed(["sh", "-c", shell])
        with open(SCRATCH / "vw.predictions", "rb") as predictions:
            records = sum(1 for _ in predictions)
        assert records == self.records, records
        return {**used, "records": records}

    def river(self):
        endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        told, _, used = timed([peers() / "bin/python", "-c", RIVER, self.broker.bootstrap, endpoint, RIVER_RECORDS, json.dumps(NUMBERS),
                               json.dumps(CATEGORIES)])
        return {**json.loads(told), "megabytes": used["megabytes"]}


class Results:
    def __init__(self, runs):
        self.runs = runs
        self.results = {name: [] for name in runs}

    def round(self):
        for name, run in self.runs.items():
            self.results[name].append(run())

    def rate(self, name):
        return [one["records"] / one["seconds"] for one in self.results[name]]

    def ratio(self, ours, peer):
        return [a / b for a, b in zip(self.rate(ours), self.rate(peer))]


RATIOS = [  # ours, beside whom, wanted
    ("riffle, protobuf", "librdkafka only, protobuf", "at least 0.5; 0.65 is the aim"),
    ("riffle, protobuf, riffle.v1.Example", "librdkafka only, example", "at least 0.5"),
    ("riffle, Avro", "librdkafka only, avro", ""),
    ("riffle, JSON", "librdkafka only, json", "at least 0.35"),
    ("riffle, CSV", "librdkafka only, csv", ""),
    ("riffle, vw", "librdkafka only, vw", ""),
    ("riffle, vw", "kcat \\| vw", "at least 5"),
    ("riffle, JSON", "confluent-kafka + River + pyzmq", "at least 25"),
]


def markdown(results, records):
    def median(name, key, scale):
        return statistics.median(one[key] * scale(one) for one in results.results[name])

    lines = [
        f"{records:,} payments of 12 features, {PARTITIONS} partitions, logistic with the default rule, predictions over ZeroMQ to a subscriber that counts them,",
        f"snapshots every 10 s. River learns the first {RIVER_RECORDS:,} records of one partition.", "",
        "| what | M records/s | ns of processor a record | peak MB | bytes a record | predictions seen |", "|---|---|---|---|---|---|"]
    for name, found in results.results.items():
        rate = statistics.median(results.rate(name)) / 1e6
        cpu = median(name, "cpu_seconds", lambda one: 1e9 / one["records"])
        size = f"{found[-1]['bytes'] / found[-1]['records']:.0f}" if "bytes" in found[-1] else ""
        seen = f"{min(one['predictions_seen'] / one['records'] for one in found):.2%}" if "predictions_seen" in found[-1] else ""
        lines.append(f"| {name} | {rate:,.3f} | {cpu:,.0f} | {median(name, 'megabytes', lambda _: 1):,.0f} | {size} | {seen} |")
    lines += ["", "| ratio of rates: median (range) | measured | wanted |", "|---|---|---|"]
    for ours, peer, wanted in RATIOS:
        if ours in results.results and peer in results.results:
            lines.append(f"| {ours} : {peer} | {spread(results.ratio(ours, peer))} | {wanted} |")
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=2000000)
    parser.add_argument("--only", help="what is run, by its name, several separated by ;")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    with KafkaBroker({"log.segment.bytes": "536870912"}) as broker:
        stream = Stream(broker, arguments.records)
        runs = {}
        for name, (topic, _) in SOURCES.items():
            runs[f"librdkafka only, {topic}"] = lambda topic=topic: stream.consume(topic)
            runs[f"riffle, {name}"] = lambda name=name: stream.riffle(name)
        runs["kcat \\| vw"] = stream.vowpal
        runs["confluent-kafka + River + pyzmq"] = stream.river
        if arguments.only:
            runs = {name: runs[name] for name in arguments.only.split(";")}
        stream.fill()
        results = Results(runs)
        for number in range(arguments.rounds):
            say(f"round {number + 1} of {arguments.rounds}")
            results.round()
    table = markdown(results, arguments.records)
    print(table)
    (SCRATCH / "stream.json").write_text(json.dumps(results.results, indent=1))
    if arguments.write:
        write_document("stream", table)


if __name__ == "__main__":
    main()
