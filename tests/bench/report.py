"""What benchmarks share: commands that are timed, tables of rates and ratios, and where they stand in docs/BENCHMARKS.md."""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRATCH = ROOT / "build/bench"
RELEASE = ROOT / "build/release"
RIFFLE = RELEASE / "ops/riffle"


def say(text):
    print(text, file=sys.stderr, flush=True)


def timed(command):
    """Runs a command, and gives what it printed, the seconds it took by the clock and of processors, and its largest memory."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = {"seconds": time.perf_counter() - begun, "cpu_seconds": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}
        for file in (out, err):
            file.seek(0)
        if process.returncode:
            sys.exit(f"{command}: {err.read()}")
        return out.read(), err.read(), seconds


def peers():
    """A Python with Vowpal Wabbit, River and what reads Kafka for them, from PyPI."""
    folder = SCRATCH / "peers"
    if not (folder / "complete").exists():
        say(f"installing peers from PyPI into {folder.relative_to(ROOT)}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "vowpalwabbit", "river", "confluent-kafka", "pyzmq"], check=True)
        (folder / "complete").touch()
    return folder


def spread(values, digits=2):
    """The median, and in brackets the smallest and the largest."""
    median, least, most = (f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"**{median}** ({least} to {most})"


class Bench:
    """One comparison: what is timed, by name, and which pairs make a ratio."""

    def __init__(self, title, records, unit, runs, ratios):
        self.title, self.records, self.unit, self.runs, self.ratios = title, records, unit, runs, ratios
        self.results = {name: [] for name in runs}

    def round(self):
        for name, run in self.runs.items():
            self.results[name].append(run())

    def rate(self, name, seconds):
        return [self.records / result[seconds] for result in self.results[name]]

    def rows(self):
        for name, results in self.results.items():
            loss = results[-1].get("log_loss")
            rates = [f"{statistics.median(self.rate(name, seconds)) / 1e6:,.3f}" for seconds in ("seconds", "cpu_seconds")]
            yield f"| {name} | {rates[0]} | {rates[1]} | {'' if loss is None else f'{loss:.6f}'} |"

    def ratio(self, ours_name, peer, seconds):
        return spread([a / b for a, b in zip(self.rate(ours_name, seconds), self.rate(peer, seconds))])

    def ratio_rows(self):
        for ours_name, peer, wanted in self.ratios:
            ratios = " | ".join(self.ratio(ours_name, peer, seconds) for seconds in ("seconds", "cpu_seconds"))
            yield f"| {ours_name} : {peer} | {ratios} | {'' if wanted is None else wanted} |"

    def markdown(self):
        unit = f"M {self.unit}/s"
        lines = [f"### {self.title}", "", f"| what | {unit}, clock | {unit}, processor | log loss |", "|---|---|---|---|"]
        lines += [*self.rows(), "", "| ratio: median (range) | clock | processor | wanted |", "|---|---|---|---|"]
        return "\n".join([*lines, *self.ratio_rows(), ""])


def write_document(name, markdown):
    """Puts it between the marks of that name."""
    path = ROOT / "docs/BENCHMARKS.md"
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    document = path.read_text()
    head, rest = document.split(begin)
    _, tail = rest.split(end)
    path.write_text(head + begin + markdown + end + tail)
