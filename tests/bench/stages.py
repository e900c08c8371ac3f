"""Where the time of a stream goes: processor time of each stage by a sampling profile, and instructions by callgrind.

    python3 tests/bench/stages.py [--records 2000000] [--write]

`riffle run` learns payments of each format from a real Kafka, once under `perf record` and once, fewer of them, under valgrind.
Needs perf (Debian's linux-perf) and valgrind. With --write the table stands in docs/BENCHMARKS.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

from report import RELEASE, RIFFLE, SCRATCH, ROOT, say, timed, write_document
from stream import KafkaBroker, Stream, free_ports, settings

FORMATS = ["protobuf", "Avro", "JSON", "CSV", "vw"]
COUNTED = 20000  # records under valgrind
FUNCTIONS = {  # stage: the thread, and the function that is all of it
    "decoding": ("source", "rf_decoder_decode"),
    "making features": ("source", "rf_feature_append"),
    "scoring and learning": ("fold", "linear_fold"),
    "evaluation": ("fold", "rf_evaluation_fold"),
    "predictions to ZeroMQ": ("fold", "rf_sink_publish"),
}
RESTS = {"source": "polling librdkafka, and the rest of the thread", "fold": "giving records back, and the rest of the thread"}


def perf_report(path, *arguments):
    told = subprocess.run(["perf", "report", "-i", path, "--stdio", "-g", "none", *arguments], capture_output=True, text=True, check=True)
    return [line.split(None, 2) for line in told.stdout.splitlines() if re.match(r"\s+[\d.]+%", line)]


def share_of(lines, name):
    return sum(float(line[0].rstrip("%")) for line in lines if name in " ".join(line[1:]).split())


def times(path, nanoseconds):
    """Nanoseconds a record by stage, of all that the process took."""
    threads = {line[1]: float(line[0].rstrip("%")) for line in perf_report(path, "--no-children", "--sort", "comm")}
    found = {}
    for thread in ("source", "fold"):
        lines = perf_report(path, "--children", "--comm", thread, "-F", "overhead_children,symbol")
        stages = {stage: share_of(lines, function) for stage, (owner, function) in FUNCTIONS.items() if owner == thread}
        found.update(stages)
        found[RESTS[thread]] = threads.get(thread, 0) - sum(stages.values())
    found["librdkafka's threads"] = sum(share for name, share in threads.items() if name.startswith("rdk:"))
    found["ZeroMQ's threads"] = sum(share for name, share in threads.items() if name.startswith("ZMQ"))
    found["snapshots, start and end"] = threads.get("keeper", 0) + threads.get("riffle", 0)
    return {stage: share / 100 * nanoseconds for stage, share in found.items()}


def instructions(path):
    told = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", path], capture_output=True, text=True, check=True)
    found = {}
    for stage, (_, function) in FUNCTIONS.items():
        counts = re.findall(rf"^\s*([\d,]+) .*:{function}\b", told.stdout, re.MULTILINE)
        found[stage] = max((int(count.replace(",", "")) for count in counts), default=0) / COUNTED
    return found


def profile(broker, name, records):
    """Nanoseconds and instructions of each stage; a subscriber counts the predictions meanwhile."""
    endpoint = f"tcp://127.0.0.1:{free_ports(1)[0]}"
    path = settings(broker, name, endpoint)
    few = SCRATCH / "stages.yaml"
    few.write_text(re.sub(r"topics: \[(\w+)\]", r"topics: [\1-few]", path.read_text()))
    data, counts = SCRATCH / "stages.perf", SCRATCH / "stages.callgrind"
    run = [RIFFLE, "run", path, "--until", "end", "--fresh"]
    subscriber = subprocess.Popen([RELEASE / "tests/bench/bench_subscribe", endpoint, str(records)], stdout=subprocess.DEVNULL)
    try:
        _, _, used = timed(["perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", "1000", "-o", data, *run])
    finally:
        subscriber.kill()
        subscriber.wait()
    shutil.rmtree(SCRATCH / "stream")
    timed(["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", *run[:2], few, *run[3:]])
    return times(data, used["cpu_seconds"] * 1e9 / records), instructions(counts)


def markdown(profiles):
    stages = list(next(iter(profiles.values()))[0])
    lines = ["Nanoseconds of a processor for each record of 12 features, and instructions where a stage is all ours.", "",
             "| stage | " + " | ".join(profiles) + " |", "|---|" + "---|" * len(profiles)]
    for stage in stages:
        cells = []
        for found, counts in profiles.values():
            count = f" ({counts[stage]:,.0f} instructions)" if stage in counts else ""
            cells.append(f"{found[stage]:,.0f}{count}")
        lines.append(f"| {stage} | " + " | ".join(cells) + " |")
    lines.append("| **all** | " + " | ".join(f"**{sum(found.values()):,.0f}**" for found, _ in profiles.values()) + " |")
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2000000)
    parser.add_argument("--formats", default=";".join(FORMATS))
    parser.add_argument("--write", action="store_true", help="put the table into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    with KafkaBroker({"log.segment.bytes": "536870912"}) as broker:
        stream = Stream(broker, arguments.records)
        stream.fill()
        profiles = {}
        for name in arguments.formats.split(";"):
            topic = stream.topic(name)
            broker.create_topic(f"{topic}-few", 4)
            subprocess.run([RELEASE / "tests/bench/bench_produce", broker.bootstrap, f"{topic}-few", topic, str(COUNTED)], check=True)
            say(f"profiling {name}")
            profiles[name] = profile(broker, name, arguments.records)
    table = markdown(profiles)
    print(table)
    if arguments.write:
        write_document("stages", table)


if __name__ == "__main__":
    sys.exit(main())
