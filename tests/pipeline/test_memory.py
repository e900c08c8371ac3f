"""Memory stays flat over ten million records."""

import os
import pathlib
import subprocess
import unittest

import pipeline_test
from riffle_process import PROGRAM, Workspace

RECORDS = 10_000_000
GROWTH_KIB_MAX = 2048


class Memory(unittest.TestCase):
    def test_ten_million_records_take_no_more_memory_than_one_million(self):
        with Workspace() as workspace:
            settings = workspace.write("model.yaml", """
name: memory
source: {file: '-', format: csv}
features: {id: transaction, time: at, label: fraud, numbers: [amount], categories: [customer, terminal]}
learner: {type: linear, hash_bits: 16}
sinks: [{file: {path: /dev/null}}]
""")
            generator = subprocess.Popen([os.path.abspath(PROGRAM), "generate", "--records", str(RECORDS), "--format", "csv"],
                                         stdout=subprocess.PIPE)
            worker = subprocess.Popen([os.path.abspath(PROGRAM), "evaluate", settings, "--sinks", "--json"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=False)
            first = self.feed(generator.stdout, worker, RECORDS // 10)
            rest = self.feed(generator.stdout, worker, RECORDS)
            worker.stdin.close()
            output = worker.stdout.read()
            self.assertEqual((worker.wait(), generator.wait()), (0, 0))
            worker.stdout.close()
            generator.stdout.close()
        self.assertIn(f'"records":{RECORDS}'.encode(), output)
        print(f"{first} KiB after a million records, {rest} KiB after all")
        self.assertLess(rest - first, GROWTH_KIB_MAX)

    def feed(self, lines, worker, count):
        """Passes on about `count` records, or all that are left; the memory (KiB) the worker then takes."""
        passed = 0
        while passed < count:
            block = lines.read(1 << 20)
            if not block:
                break
            worker.stdin.write(block)
            passed += block.count(b"\n")
        for line in pathlib.Path(f"/proc/{worker.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("the worker is gone")


if __name__ == "__main__":
    pipeline_test.main(needs_kafka=False)
