"""A disk that takes nothing for a while: learning goes on where only the state folder stalls, and waits, in bounded memory, where
predictions cannot be written; nothing is lost, and a worker killed meanwhile resumes to the same bytes."""

import json
import os
import pathlib
import time
import unittest

import pipeline_test
from pipeline_case import PipelineCase
from test_backpressure import GROWTH_KIB_MAX, QUEUES, large, resident_kib

SHIM = os.environ.get("RIFFLE_STALL", "build/release/tests/pipeline/libstalled_disk.so")
FIRST, REST = 20000, 60000


class StalledDisk(PipelineCase):
    def setUp(self):
        super().setUp()
        self.stalled = self.workspace.folder / "stalled"
        self.scores = self.workspace.folder / "scores.jsonl"

    def settings_of(self, state, scores="scores.jsonl"):
        return self.workspace.write(f"{state}.yaml", f"""
name: {state}
kafka: {{bootstrap.servers: {self.broker.bootstrap}, {QUEUES}}}
source: {{topics: [{self.name}], format: json}}
features: {{id: id, label: fraud, numbers: [amount]}}
learner: {{type: linear, hash_bits: 18}}
snapshots: {{directory: {state}, every: {{records: 10000, seconds: 0}}}}
sinks: [{{file: {{path: {scores}}}}}]
worker: {{shutdown_seconds: 1}}
""")

    def begin(self, path, calls):
        """A worker that has learned the first records, and has a disk that stalls from here on; then the rest comes."""
        self.broker.create_topic(self.name, 1)
        self.broker.produce(self.name, large(0, FIRST))
        settings = self.settings_of("state")
        worker = self.workspace.riffle("run", settings, environment={
            "LD_PRELOAD": os.path.abspath(SHIM), "STALL_WHILE": str(self.stalled), "STALL_PATH": path, "STALL_CALLS": calls})
        self.addCleanup(worker.__exit__)
        worker.wait_for(lambda: self.lines() == FIRST and self.newest() >= 2, "the first records")
        self.stalled.touch()
        self.broker.produce(self.name, large(FIRST, REST))
        return settings, worker

    def lines(self):
        return self.scores.read_bytes().count(b"\n") if self.scores.exists() else 0

    def newest(self):
        return max([int(path.name.split("-")[1].split(".")[0]) for path in self.snapshots()], default=0)

    def order(self):
        return sum(path.stat().st_size for path in (self.workspace.folder / "state").glob("schedule-*"))

    def check_end(self, settings):
        """The same bytes as a run that nothing disturbed, and the same predictions in the same order."""
        found = self.run_to_end(settings)
        whole = self.run_to_end(self.settings_of("whole", "whole.jsonl"))
        self.assertEqual((found["records"], found["learned"]), (FIRST + REST, FIRST + REST))
        self.assertEqual(found["model_sha256"], whole["model_sha256"])
        kept = self.predictions("scores.jsonl")
        self.assertEqual(len(kept), FIRST + REST)
        self.assertTrue(kept == self.predictions("whole.jsonl"))  # a difference would take minutes to be shown

    def predictions(self, name):
        with open(self.workspace.folder / name, encoding="ascii") as lines:
            return [(one["offset"], one["score"]) for one in map(json.loads, lines)]

    def stand(self, worker):
        """Waits until nothing is folded any more, and for a while longer; memory stays bounded. How much the recorded order then has."""
        begun = resident_kib(worker)
        before, since = self.order(), time.monotonic()
        while time.monotonic() - since < 2:
            time.sleep(0.1)
            self.assertLess(resident_kib(worker) - begun, GROWTH_KIB_MAX)
            if self.order() != before:
                before, since = self.order(), time.monotonic()
        return before

    def test_learning_goes_on_while_the_state_folder_stalls(self):
        settings, worker = self.begin("/state/", "sync")
        before, begun = self.newest(), resident_kib(worker)
        worker.wait_for(lambda: self.lines() == FIRST + REST, "all predictions")
        self.assertLess(resident_kib(worker) - begun, GROWTH_KIB_MAX)
        self.assertLessEqual(self.newest(), before + 1)  # one may have been on its way
        worker.kill()
        self.stalled.unlink()
        self.check_end(settings)

    def test_snapshots_come_again_once_the_state_folder_does(self):
        settings, worker = self.begin("/state/", "sync")
        worker.wait_for(lambda: self.lines() == FIRST + REST, "all predictions")
        before = self.newest()
        self.stalled.unlink()
        worker.wait_for(lambda: self.newest() > before, "the next snapshot")
        self.assertEqual(worker.terminate().status, 0)
        self.check_end(settings)

    def test_the_source_waits_while_predictions_cannot_be_written(self):
        settings, worker = self.begin("/scores.jsonl", "write sync")
        order = self.stand(worker)
        self.assertLess(self.lines(), FIRST + REST)
        self.stalled.unlink()
        worker.wait_for(lambda: self.lines() == FIRST + REST, "all predictions")
        self.assertGreater(self.order(), order)
        done = worker.terminate()
        self.assertEqual(done.status, 0)
        self.assertRegex(done.errors, r"stopped.*source_waits=[1-9]")
        self.check_end(settings)

    def test_a_worker_killed_while_predictions_cannot_be_written_resumes(self):
        settings, worker = self.begin("/scores.jsonl", "write sync")
        self.stand(worker)
        worker.kill()
        self.stalled.unlink()
        self.check_end(settings)

    def test_a_stop_ends_within_its_deadline_though_the_disk_stalls(self):
        settings, worker = self.begin("/scores.jsonl", "write sync")
        self.stand(worker)
        done = worker.terminate()
        self.assertEqual(done.status, 1)
        self.assertIn("did not stop within the deadline; the newest snapshot stays in place", done.errors)
        self.stalled.unlink()
        self.check_end(settings)

    def test_a_stop_names_the_snapshot_that_the_disk_holds_up(self):
        settings, worker = self.begin("/state/", "sync")
        worker.wait_for(lambda: self.lines() == FIRST + REST, "all predictions")
        done = worker.terminate()
        self.assertEqual(done.status, 1)
        self.assertIn("the last snapshot took more than 1000 ms", done.errors)
        self.stalled.unlink()
        self.check_end(settings)


if __name__ == "__main__":
    if not pathlib.Path(SHIM).exists():
        pipeline_test.skip(f"{SHIM} is not there")
    pipeline_test.main()
