"""The simulated Kafka is checked against a real one: the scripts of tests/simulation/test_twins.c give the same on both."""

import os
import subprocess
import unittest

import pipeline_test
from kafka_cluster import KafkaBroker

PROGRAM = os.environ["RIFFLE_TWINS"]


class Twins(unittest.TestCase):
    def run_script(self, name, partitions):
        with KafkaBroker() as broker:
            broker.create_topic("cards", partitions)
            environment = {**os.environ, "RIFFLE_BOOTSTRAP": broker.bootstrap}
            done = subprocess.run([PROGRAM, name], env=environment, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{name}: the same", done.stdout)

    def test_deaths(self):
        self.run_script("deaths", 1)

    def test_growth(self):
        self.run_script("growth", 1)

    def test_rollbacks(self):
        self.run_script("rollbacks", 1)

    def test_partitions(self):
        self.run_script("partitions", 3)


if __name__ == "__main__":
    pipeline_test.main()
