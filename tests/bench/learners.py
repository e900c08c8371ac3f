"""How fast the learners are, beside Vowpal Wabbit and River: the same records, one after the other, several rounds interleaved.

    python3 tests/bench/learners.py [--rounds 5] [--records 1000000] [--write]

Prints a table of rates and ratios; with --write it also puts it into docs/BENCHMARKS.md, and the numbers into
build/bench/learners.json. Peers are installed into build/bench/peers from PyPI. Absolute rates are those of this machine and of
this moment; the ratios are what to look at: the median over the rounds, and in brackets the smallest and the largest. Both stand
there by the clock and by processor time, of all threads, start and stop included where a program is run. Where others use the
machine, the second says more; but a program that reads with one thread and learns with another is done sooner than it says.
"""

import argparse
import gzip
import json
import os
import pathlib
import subprocess
import sys

from report import RELEASE, RIFFLE, ROOT, SCRATCH, Bench, peers, say, timed, write_document

BENCH = RELEASE / "tests/bench/bench_learner"
FEATURES = 40
BITS = 22

RIVER = """
import sys, time, river.linear_model, river.preprocessing, river.stream, json, csv, math
path, kind = sys.argv[1:]
model = river.preprocessing.StandardScaler() | river.linear_model.LogisticRegression()
begun, cpu_begun, loss, n = time.perf_counter(), time.process_time(), 0.0, 0
with open(path) as lines:
    records = (json.loads(line) for line in lines) if kind == "json" else csv.DictReader(lines)
    for record in records:
        y = int(record.pop("class"))
        x = record if kind == "json" else {name: float(value) for name, value in record.items()}
        p = model.predict_proba_one(x).get(True, 0.5)
        loss -= math.log(max(p if y else 1 - p, 1e-15))
        model.learn_one(x, y)
        n += 1
seconds = {"seconds": time.perf_counter() - begun, "cpu_seconds": time.process_time() - cpu_begun}
print(json.dumps({**seconds, "log_loss": loss / n}))
"""


def ours(*arguments):
    return json.loads(subprocess.run([BENCH, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)


def vowpal(*arguments):
    """Runs it, and gives the seconds it took and its average loss."""
    _, told, seconds = timed([peers() / "bin/python", "-m", "vowpalwabbit", "--loss_function", "logistic", "-b", BITS, *arguments])
    loss = next(line for line in told.splitlines() if line.startswith("average loss"))
    return {**seconds, "log_loss": float(loss.split("=")[1].split()[0])}


def evaluate(model, path):
    settings = SCRATCH / "model.yaml"
    settings.write_text(model.format(path=path))
    told, _, seconds = timed([RIFFLE, "evaluate", settings, "--json"])
    return {**seconds, "log_loss": json.loads(told.splitlines()[-1])["log_loss"]}


def make_text(distribution, records):
    """The made stream as text, and Vowpal Wabbit's cache of it."""
    text = SCRATCH / f"{distribution}-{records}.vw"
    if not text.exists():
        say(f"writing {text.name}")
        with open(text, "wb") as out:
            subprocess.run([BENCH, "write", str(records), str(FEATURES), str(BITS), distribution], check=True, stdout=out)
    cache = pathlib.Path(f"{text}.cache")
    if not cache.exists():
        vowpal("-d", text, "--cache_file", cache, "-k")
    return text, cache


def make_electricity(times=4):
    """elec2 as CSV and as JSON lines, `times` over."""
    data = pathlib.Path(os.environ.get("RIFFLE_DATA") or ROOT / "../shared/data")
    rows = gzip.open(data / "elec2/elec.csv.gz", "rt").read().splitlines()
    names, rows = rows[0], rows[1:] * times
    csv, lines = SCRATCH / "elec.csv", SCRATCH / "elec.json"
    csv.write_text("\n".join([names, *rows]) + "\n")
    with open(lines, "w") as out:
        for row in rows:
            fields = dict(zip(names.split(","), row.split(",")))
            out.write("{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}\n")
    return csv, lines, len(rows)


ELECTRICITY = """
name: electricity
source: {{file: "{path}", format: FORMAT}}
features: {{label: class}}
learner: {{type: linear, loss: logistic, optimizer: {{type: sgd, rate: 0.01}}, scale: standard}}
snapshots: {{directory: build/bench/state}}
"""

VOWPAL_TEXT = """
name: text
source: {{file: "{path}", format: vw}}
features: {{label: label}}
learner: {{type: linear, loss: logistic, optimizer: {{type: adaptive, rate: 0.5}}, hash_bits: 22}}
snapshots: {{directory: build/bench/state}}
"""


def learner_benches(records):
    benches = []
    for distribution, wanted in (("zipf", 5), ("uniform", 2.5)):
        text, cache = make_text(distribution, records)
        common = (records, FEATURES, BITS, distribution)
        runs = {
            "one rate": lambda common=common: ours("learn", *common, "optimizer=adaptive", "optimizer.rate=0.5"),
            "a bank of rates (the default)": lambda common=common: ours("learn", *common),
            # Told the text too, it reads the cache alone; told the cache alone, it reads nothing.
            "Vowpal Wabbit from its cache": lambda text=text, cache=cache: vowpal("-d", text, "--cache_file", cache),
            "touching cells of 16 bytes": lambda common=common: ours("touch", *common, 16),
            "touching cells of 64 bytes": lambda common=common: ours("touch", *common, 64),
        }
        if distribution == "zipf":
            runs["Vowpal Wabbit from text"] = lambda text=text: vowpal("-d", text)
            runs["riffle evaluate from the same text"] = lambda text=text: evaluate(VOWPAL_TEXT, text)
        ratios = [
            ("one rate", "Vowpal Wabbit from its cache", wanted),
            ("a bank of rates (the default)", "Vowpal Wabbit from its cache", None),
            ("one rate", "a bank of rates (the default)", "at most 1.5"),
            ("one rate", "touching cells of 16 bytes", None),
        ]
        if distribution == "zipf":
            ratios.append(("riffle evaluate from the same text", "Vowpal Wabbit from text", 2))
        title = f"Parsed records: {records:,} of {FEATURES} features, 2^{BITS} cells, logistic, features {distribution}"
        benches.append(Bench(title, records * FEATURES, "features", runs, ratios))
    return benches


def record_bench():
    csv, lines, records = make_electricity()
    river = lambda path, kind: json.loads(
        subprocess.run([peers() / "bin/python", "-c", RIVER, path, kind], check=True, capture_output=True, text=True).stdout
    )
    runs = {
        "riffle evaluate, JSON lines": lambda: evaluate(ELECTRICITY.replace("FORMAT", "json"), lines),
        "River, JSON lines": lambda: river(lines, "json"),
        "riffle evaluate, CSV": lambda: evaluate(ELECTRICITY.replace("FORMAT", "csv"), csv),
        "River, CSV": lambda: river(csv, "csv"),
    }
    ratios = [
        ("riffle evaluate, JSON lines", "River, JSON lines", 20),
        ("riffle evaluate, CSV", "River, CSV", 20),
    ]
    return Bench(f"Records: elec2 four times over, {records:,} of 6 numbers, standard scaling, SGD 0.01", records, "records", runs, ratios)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=1000000)
    parser.add_argument("--write", action="store_true", help="put the table into docs/BENCHMARKS.md")
    arguments = parser.parse_args()
    SCRATCH.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    peers()
    benches = [*learner_benches(arguments.records), record_bench()]
    for number in range(arguments.rounds):
        say(f"round {number + 1} of {arguments.rounds}")
        for bench in benches:
            bench.round()
    markdown = "\n".join(bench.markdown() for bench in benches) + "\n"
    print(markdown)
    (SCRATCH / "learners.json").write_text(json.dumps({bench.title: bench.results for bench in benches}, indent=1))
    if arguments.write:
        write_document("learners", markdown)


if __name__ == "__main__":
    main()
