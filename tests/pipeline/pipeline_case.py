"""What most pipeline tests begin with: one broker for all of them, a workspace each, and a small model of small records."""

import datetime
import re
import time
import unittest

from kafka_cluster import KafkaBroker
from riffle_process import Workspace

MODEL = """
features: {id: id, label: fraud, numbers: [amount]}
learner: {type: linear, hash_bits: 10}
"""


def records(first, count):
    return [f'{{"id": {i}, "amount": {i % 7}, "fraud": {int(i % 7 > 4)}}}' for i in range(first, first + count)]


def a_moment_between():
    """A time in milliseconds after all that was produced, and before all that will be."""
    moment = int(time.time() * 1000) + 1
    while time.time() * 1000 <= moment + 1:
        pass
    return moment


def rfc3339(milliseconds):
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds")


class PipelineCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = KafkaBroker()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)
        self.name = self.id().rsplit(".", 1)[1][5:45]  # of the test, the model and the topic

    def settings(self, more="", name=None, source=None, bootstrap=None):
        name = name or self.name
        return self.workspace.write(f"{name}.yaml", f"""
name: {name}
kafka: {{bootstrap.servers: {bootstrap or self.broker.bootstrap}}}
source: {source or f"{{topics: [{self.name}], format: json}}"}
{MODEL}
{more}
""")

    def fill(self, count=1000, partitions=1):
        self.broker.create_topic(self.name, partitions)
        self.broker.produce(self.name, records(0, count))

    def run_to_end(self, settings, *flags):
        return self.workspace.run_riffle("run", settings, "--until", "end", "--json", *flags).json()

    def refused(self, settings, status, words, *flags, **options):
        """The one sentence that a run ends with, which holds the words."""
        done = self.workspace.run_riffle("run", settings, "--until", "end", *flags, status=status, **options)
        said = [line for line in done.errors.splitlines() if line.startswith("riffle run: ")]
        self.assertEqual(len(said), 1, done.errors)
        self.assertIn(words, said[0])
        return said[0]

    def snapshots(self):
        return sorted((self.workspace.folder / "state").glob("snapshot-*.riffle"))

    def positions(self, state="state"):
        """{(topic, partition): (next offset, records)} of the newest snapshot."""
        text = self.workspace.run_riffle("snapshot", "show", state).output
        found = re.findall(r"position +(\S+) \[(\d+)\] next offset (-?\d+), (\d+) records", text)
        return {(topic, int(partition)): (int(offset), int(count)) for topic, partition, offset, count in found}
