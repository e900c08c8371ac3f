"""History learned from files or from one topic, then live records from another: one run, wherever it is killed."""

import gzip
import json
import random
import time

import pipeline_test
from pipeline_case import PipelineCase, records

HISTORY = 40000
LIVE = 2000
KILLS = 12


class History(PipelineCase):
    def files(self):
        """Two files, one of them packed."""
        half = HISTORY // 2
        first, second = self.workspace.folder / "first.jsonl", self.workspace.folder / "second.jsonl.gz"
        first.write_text("\n".join(records(0, half)) + "\n")
        with gzip.open(second, "wt") as file:
            file.write("\n".join(records(half, half)))
        return first, second

    def learning(self, history, state="state"):
        return self.workspace.write(f"{state}.yaml", f"""
name: {self.name}
kafka: {{bootstrap.servers: {self.broker.bootstrap}, group.id: {self.name}_{state}}}
source: {{topics: [{self.name}], history: {history}}}
features: {{id: id, label: fraud, numbers: [amount]}}
learner: {{type: linear, hash_bits: 10}}
snapshots: {{directory: {state}, every: {{records: 3000, seconds: 0.2}}}}
sinks: [{{file: {{path: {state}.scores}}}}]
""")

    def ids(self, state="state"):
        return [json.loads(line)["id"] for line in (self.workspace.folder / f"{state}.scores").read_text().splitlines()]

    def check_killed(self, history, seed):
        """Killed at random instants of the history, at the switch and after it, it comes to the bytes of the run that was not."""
        whole = self.run_to_end(self.learning(history, "whole"))
        self.assertEqual(whole["learned"], HISTORY + LIVE)
        expected = [str(i) for i in range(HISTORY + LIVE)]
        self.assertEqual(self.ids("whole"), expected)
        settings = self.learning(history, "killed")
        chance = random.Random(seed)
        at_switch = 0
        for _ in range(KILLS):
            with self.workspace.riffle("run", settings) as worker:
                worker.wait_for(lambda: "learning" in worker.errors, "a start")
                time.sleep(chance.uniform(0, 0.08))
                worker.kill()
            at_switch += (self.workspace.folder / "killed.scores").read_bytes().count(b"\n") > HISTORY
        killed = self.run_to_end(settings)
        print(f"{KILLS} kills, {at_switch} of them after the switch")
        self.assertEqual(self.ids("killed"), expected)
        self.assertEqual((killed["learned"], killed["model_sha256"]), (HISTORY + LIVE, whole["model_sha256"]))

    def test_files_then_a_topic(self):
        self.broker.create_topic(self.name, 1)
        self.broker.produce(self.name, records(HISTORY, LIVE))
        first, second = self.files()
        history = "{files: [first.jsonl, second.jsonl.gz]}"
        self.check_killed(history, 1)
        found = {topic: place for (topic, _), place in self.positions("killed").items()}
        self.assertEqual(found, {"first.jsonl": (HISTORY // 2, HISTORY // 2), "second.jsonl.gz": (HISTORY // 2, HISTORY // 2),
                                 self.name: (LIVE, LIVE)})
        first.unlink()  # it is closed
        self.broker.produce(self.name, records(HISTORY + LIVE, 10))
        self.assertEqual(self.run_to_end(self.learning(history, "killed"))["learned"], HISTORY + LIVE + 10)
        self.assertEqual(self.run_to_end(self.learning("{}", "killed"))["learned"], HISTORY + LIVE + 10)

    def test_a_topic_then_another(self):
        past = f"{self.name}_past"
        self.broker.create_topic(past, 1)
        self.broker.create_topic(self.name, 1)
        self.broker.produce(past, records(0, HISTORY))
        self.broker.produce(self.name, records(HISTORY, LIVE))
        history = f"{{topics: [{past}]}}"
        self.check_killed(history, 2)
        committed = {topic: place[0] for (topic, _), place in self.broker.committed(f"{self.name}_killed").items()}
        self.assertEqual(committed, {past: HISTORY, self.name: LIVE})
        self.broker.produce(past, records(0, 5))  # too late
        self.assertEqual(self.run_to_end(self.learning(history, "killed"))["learned"], HISTORY + LIVE)
        self.broker.delete_topic(past)
        self.broker.produce(self.name, records(HISTORY + LIVE, 10))
        self.assertEqual(self.run_to_end(self.learning(history, "killed"))["learned"], HISTORY + LIVE + 10)

    def test_what_is_evaluated_is_what_history_learns(self):
        self.broker.create_topic(self.name, 1)
        first, second = self.files()
        settings = self.learning("{files: [first.jsonl, second.jsonl.gz]}")
        evaluated = self.workspace.run_riffle("evaluate", settings, "--json").json()
        learned = self.run_to_end(settings)
        self.assertEqual((learned["learned"], learned["model_sha256"]), (HISTORY, evaluated["model_sha256"]))
        second.unlink()
        done = self.workspace.run_riffle("evaluate", settings, "--json", status=1)
        self.assertIn("second.jsonl.gz", done.errors)

    def test_history_that_is_named_too_late_or_is_not_there_is_refused(self):
        self.broker.create_topic(self.name, 1)
        self.broker.produce(self.name, records(0, 10))
        self.refused(self.learning("{files: [nowhere.jsonl]}"), 1, "nowhere.jsonl")
        self.refused(self.learning("{topics: [nowhere]}", "other"), 1, "topic nowhere is not there")
        self.assertEqual(self.run_to_end(self.learning("{}"))["learned"], 10)
        self.files()
        self.refused(self.learning("{files: [first.jsonl]}"), 1, "first.jsonl was to be learned before what was learned already")


if __name__ == "__main__":
    pipeline_test.main()
