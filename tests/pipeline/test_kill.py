"""Killed at random instants and started again, a worker learns every record exactly once."""

import json
import pathlib
import random
import re
import time
import unittest

import cards
import pipeline_test
from kafka_cluster import KafkaBroker
from riffle_process import Workspace

KILLS = 20
SNAPSHOTS = "snapshots: {{directory: {}, every: {{records: 30000, seconds: 0.5}}, keep: 3}}"


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = Workspace()
        cls.addClassCleanup(cls.workspace.close)
        cls.broker = KafkaBroker()
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.lines = cards.json_lines(cls.workspace.folder)

    def settings(self, topic, state, more=""):
        text = cards.settings(state, self.broker.bootstrap, topic, SNAPSHOTS.format(state) + more)
        return self.workspace.write(f"{state}.yaml", text)

    def run_with_kills(self, settings, seed, span_s):
        """Kills `KILLS` times, each at a random instant of the next `span_s` seconds; then runs to the end."""
        chance = random.Random(seed)
        kills = 0
        while kills < KILLS:
            with self.workspace.riffle("run", settings, "--until", "end", "--json") as worker:
                time.sleep(chance.uniform(0, span_s))
                if worker.process.poll() is not None:
                    break  # it came to the end; the next start finds nothing left
                worker.kill()
                kills += 1
        return kills, self.workspace.run_riffle("run", settings, "--until", "end", "--json", seconds=300).json()

    def positions(self, state):
        """{partition: (next offset, records)} of the newest snapshot."""
        text = self.workspace.run_riffle("snapshot", "show", state).output
        found = re.findall(r"position +\S+ \[(\d+)\] next offset (\d+), (\d+) records", text)
        return {int(partition): (int(offset), int(records)) for partition, offset, records in found}

    def check_once(self, result, topic, state):
        self.assertEqual(result["records"], cards.RECORDS)
        self.assertEqual(result["learned"], cards.RECORDS)
        self.assertEqual(result["rejected"], 0)
        ends = dict(enumerate(self.broker.end_offsets(topic)))
        self.assertEqual(self.positions(state), {partition: (end, end) for partition, end in ends.items()})

    def test_one_partition_gives_the_bytes_of_the_uninterrupted_run(self):
        self.broker.create_topic("one", 1)
        self.broker.produce_file("one", self.lines, partition=0)
        whole = self.workspace.run_riffle("run", self.settings("one", "whole"), "--until", "end", "--json", seconds=300).json()
        self.check_once(whole, "one", "whole")
        print(f"{whole['records_per_second']:.0f} records a second uninterrupted")
        kills, killed = self.run_with_kills(self.settings("one", "killed"), 1, whole["seconds"] / 16)
        self.assertEqual(kills, KILLS)
        self.check_once(killed, "one", "killed")
        self.assertEqual(killed["model_sha256"], whole["model_sha256"])
        self.assertEqual(killed["log_loss"], whole["log_loss"])

    def test_four_partitions_lose_nothing_and_repeat_nothing(self):
        self.broker.create_topic("four", 4)
        self.broker.produce_file("four", self.lines)
        settings = self.settings("four", "many", "\nsinks: [{file: {path: scores.jsonl}}]")
        kills, killed = self.run_with_kills(settings, 2, 0.6)
        self.assertEqual(kills, KILLS)
        print(f"{kills} kills, {killed['records']} records")
        self.check_once(killed, "four", "many")
        self.check_scores()

    def check_scores(self):
        """Every transaction is scored once: what was written after a snapshot that a kill cut off was taken back."""
        seen = set()
        count = 0
        with open(pathlib.Path(self.workspace.folder) / "scores.jsonl", encoding="ascii") as lines:
            for line in lines:
                score = json.loads(line)
                seen.add((score["partition"], score["offset"]))
                count += 1
        self.assertEqual((len(seen), count), (cards.RECORDS, cards.RECORDS))


if __name__ == "__main__":
    pipeline_test.main()
