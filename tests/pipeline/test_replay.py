"""Whatever was killed when: the past is folded again to the same model, and any score given again to the bit."""

import json
import random
import shutil
import time
import unittest

import cards
import pipeline_test
from pipeline_case import PipelineCase, a_moment_between, records, rfc3339

RECORDS = 400000
KILLS = 6
SNAPSHOTS = "snapshots: {{directory: {}, every: {{records: 30000, seconds: 0}}, keep: 2}}"


class Replay(PipelineCase):
    def replay(self, settings, *flags):
        return self.workspace.run_riffle("replay", settings, "--json", *flags, seconds=300).json()

    def explain(self, settings, *flags):
        return self.workspace.run_riffle("explain", settings, "--json", *flags, seconds=300).json()

    def refused_by(self, verb, settings, words, *flags):
        """The one sentence that a verb ends with."""
        done = self.workspace.run_riffle(verb, settings, *flags, status=None, seconds=300)
        self.assertNotEqual(done.status, 0)
        self.assertIn(words, done.errors)
        self.assertEqual(done.output, "")

    def scores(self):
        with open(self.workspace.folder / "scores.jsonl", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def content(self, folder):
        return {path.name: path.read_bytes() for path in sorted((self.workspace.folder / folder).iterdir())}

    def run_with_kills(self, settings, seed):
        chance = random.Random(seed)
        kills = 0
        for _ in range(KILLS):
            with self.workspace.riffle("run", settings, "--until", "end", "--json") as worker:
                time.sleep(chance.uniform(0.05, 0.5))
                if worker.process.poll() is not None:
                    break
                worker.kill()
                kills += 1
        self.assertGreater(kills, 0)
        print(f"{kills} kills")
        return self.workspace.run_riffle("run", settings, "--until", "end", "--json", seconds=300).json()

    def test_four_partitions_and_kills_give_models_and_scores_again(self):
        lines = cards.json_lines(self.workspace.folder, RECORDS)
        self.broker.create_topic(self.name, 4)
        self.broker.produce_file(self.name, lines)
        settings = self.workspace.write("cards.yaml", cards.settings(
            self.name, self.broker.bootstrap, self.name, SNAPSHOTS.format("state") + "\nsinks: [{file: {path: scores.jsonl}}]"))
        run = self.run_with_kills(settings, 5)
        self.assertEqual(run["records"], RECORDS)
        before = self.content("state")
        self.assertEqual(self.replay(settings)["model_sha256"], run["model_sha256"])
        scores = self.scores()
        self.check_points(settings, run, scores)
        self.check_scores(settings, scores)
        self.assertEqual(self.content("state"), before)

    def check_points(self, settings, run, scores):
        """From the snapshots that are left, and from nothing, a point has one model; the second meets all on record."""
        bare = self.workspace.write("bare.yaml", settings.read_text().replace("directory: state", "directory: bare"))
        shutil.copytree(self.workspace.folder / "state", self.workspace.folder / "bare")
        for snapshot in (self.workspace.folder / "bare").glob("snapshot-*"):
            snapshot.unlink()
        for at in (12345, RECORDS // 2, RECORDS - 20000, RECORDS - 1):
            point = f"{self.name}:{scores[at]['partition']}:{scores[at]['offset']}"
            near, far = (self.replay(file, "--until", point) for file in (settings, bare))
            self.assertEqual(near["records"], at + 1)  # none is rejected, so lines stand in the order of the records
            self.assertEqual(near["model_sha256"], far["model_sha256"])
            self.assertEqual(near["positions"], far["positions"])
            self.assertEqual((far["from"], far["folded"]), (0, at + 1))
            self.assertGreaterEqual(far["met"], at // 31000)
            print(f"{far['folded']} records in {far['seconds']} s, {far['met']} snapshots met")
        self.assertEqual(self.replay(bare)["model_sha256"], run["model_sha256"])

    def check_scores(self, settings, scores):
        chance = random.Random(6)
        for _ in range(10):
            line = scores[chance.randrange(len(scores))]
            told = self.explain(settings, f"{self.name}:{line['partition']}:{line['offset']}")
            self.assertEqual(repr(told["prediction"]["score"]), repr(line["score"]))
            version = {name: line[name] for name in ("line", "base", "epoch", "since")}
            self.assertIn(version, told["versions"])
            self.assertEqual({**told["prediction"], **version}, line)
            self.assertAlmostEqual(told["sum"], sum(one["amount"] for one in told["contributions"]), places=12)
            self.assertLess(abs(told["difference"]), 1e-12)
            self.assertEqual({one["name"]: one["value"] for one in told["fields"]}["TRANSACTION_ID"], line["id"])

    def test_contributions_of_all_learners_add_up(self):
        self.workspace.run_riffle("generate", "--records", "3000", "--format", "csv", "--out", "day.csv")
        learners = (
            "{type: linear, loss: logistic, optimizer: {type: sgd}, hash_bits: 10}",
            "{type: linear, loss: hinge, optimizer: {type: nesterov}, precision: double}",
            "{type: linear, loss: logistic, optimizer: {type: momentum, rate: 0.05}, l2: 1e-6, bias: false}",
            "{type: linear, loss: logistic, optimizer: {type: adaptive}}",
            "{type: bayes, model: gaussian}",
            "{type: bayes, model: bernoulli}",
        )
        for number, learner in enumerate(learners):
            crosses = ", crosses: [[customer, terminal]]" if "linear" in learner else ""
            settings = self.workspace.write(f"{number}.yaml", f"""
name: cards
source: {{file: day.csv, format: csv}}
features: {{id: transaction, time: at, label: fraud, numbers: [amount], categories: [customer, terminal]{crosses}}}
learner: {learner}
snapshots: {{directory: state{number}, every: {{records: 700, seconds: 0}}}}
sinks: [{{file: {{path: scores.jsonl}}}}]
""")
            (self.workspace.folder / "scores.jsonl").unlink(missing_ok=True)
            with self.subTest(learner=learner):
                self.run_to_end(settings)
                scores = self.scores()
                for at in (0, 1, 1000, 2999):
                    told = self.explain(settings, f"day.csv:0:{at}")
                    self.assertEqual(repr(told["prediction"]["score"]), repr(scores[at]["score"]))
                    if at >= 1000 and "adaptive" not in learner:  # at first variances are next to nothing; rates are mixed
                        self.assertLess(abs(told["difference"]), 1e-9)
                    amounts = [abs(one["amount"]) for one in told["contributions"]]
                    self.assertEqual(amounts, sorted(amounts, reverse=True))
                    self.assertAlmostEqual(sum(one["amount"] for one in told["by_field"]), told["sum"], places=9)

    def test_a_replay_beside_a_worker_that_runs(self):
        self.fill(2000, 4)
        settings = self.settings("snapshots: {directory: state, every: {records: 300, seconds: 0}}")
        with self.workspace.riffle("run", settings, "--progress") as worker:
            def learned():
                done = self.workspace.run_riffle("replay", settings, "--json", status=None)
                return done.status == 0 and done.json()["records"] == 2000 and done.json()
            before = worker.wait_for(learned, "2000 records")
            self.broker.produce(self.name, records(2000, 500))
            worker.wait_for(lambda: self.replay(settings)["records"] == 2500, "500 records more")
            self.assertEqual(self.replay(settings, "--until", "2000")["model_sha256"], before["model_sha256"])
            self.assertEqual(worker.terminate().status, 0)
        self.assertEqual(self.run_to_end(settings)["records"], 2500)

    def test_a_time_is_a_point(self):
        self.fill(700, 2)
        settings = self.settings("snapshots: {directory: state, every: {records: 200, seconds: 0}}")
        first = self.run_to_end(settings)
        moment = a_moment_between()
        self.broker.produce(self.name, records(700, 300))
        self.assertEqual(self.run_to_end(settings)["records"], 1000)
        then = self.replay(settings, "--until", rfc3339(moment))
        self.assertEqual((then["records"], then["model_sha256"]), (700, first["model_sha256"]))
        self.assertEqual(self.replay(settings, "--until", rfc3339(moment + 3600 * 1000))["records"], 1000)

    def test_a_time_lies_in_a_history_or_behind_it(self):
        past = f"{self.name}_past"
        self.broker.create_topic(past, 2)
        self.broker.create_topic(self.name, 2)
        moments, total = [], 0
        for topic in (past, past, self.name, self.name):
            self.broker.produce(topic, records(total, 300))
            total += 300
            moments.append((a_moment_between(), total))
        (self.workspace.folder / "day.jsonl").write_text("\n".join(records(0, 10)))
        snapshots = "snapshots: {directory: state, every: {records: 200, seconds: 0}, keep: 2, keep_hours: 0, keep_days: 0}"
        learned = f"{{topics: [{self.name}], order: timestamp, history: {{topics: [{past}]}}}}"
        settings = self.settings(snapshots, source=learned)
        self.assertEqual(self.run_to_end(settings)["records"], total)
        for moment, count in moments:
            then, counted = (self.replay(settings, "--until", until) for until in (rfc3339(moment), str(count)))
            self.assertEqual((then["records"], then["model_sha256"]), (count, counted["model_sha256"]))
            self.assertEqual(then["positions"], counted["positions"])
        self.broker.delete_topic(past)
        without = self.settings(snapshots, source=f"{{topics: [{self.name}], order: timestamp}}")
        self.refused_by("replay", without, "no longer holds what was learned of it", "--until", rfc3339(moments[2][0]))
        files = self.settings(snapshots, source=f"{{topics: [{self.name}], history: {{files: [day.jsonl]}}}}")
        self.refused_by("replay", files, "day.jsonl: records of a file carry no time of their own, give an offset", "--until",
                        rfc3339(moments[2][0]))

    def test_a_model_of_the_past_goes_on_by_itself(self):
        self.fill(1000)
        settings = self.settings("snapshots: {directory: state, every: {records: 200, seconds: 0}}")
        run = self.run_to_end(settings)
        then = self.replay(settings, "--until", f"{self.name}:0:449", "--output", "past/450")
        self.assertEqual(then["records"], 450)
        verified = self.workspace.run_riffle("snapshot", "verify", "past/450").output
        self.assertIn("the chain is whole: 1 snapshots on record", verified)
        self.refused_by("replay", settings, "past/450 holds a model already", "--output", "past/450")
        other = self.settings("snapshots: {directory: past/450}", name="other")
        other.write_text(other.read_text().replace("name: other", f"name: {self.name}"))
        self.assertEqual(self.run_to_end(other, "--take-over")["model_sha256"], run["model_sha256"])

    def test_a_way_that_was_learned_under_other_settings_needs_those(self):
        self.fill(500, 2)
        snapshots = "snapshots: {directory: state, every: {records: 200, seconds: 0}}"
        before = self.settings(snapshots)
        first = self.run_to_end(before)
        after = self.settings(snapshots, name="after")
        text = after.read_text().replace("name: after", f"name: {self.name}").replace("[amount]", "[amount, more]")
        after.write_text(text)
        self.broker.produce(self.name, records(500, 500))
        last = self.run_to_end(after)
        self.refused_by("replay", after, "was learned under other settings, give those of then: features.numbers", "--until", "300")
        self.assertEqual(self.replay(before, "--until", "500")["model_sha256"], first["model_sha256"])
        self.assertEqual(self.replay(after)["model_sha256"], last["model_sha256"])
        self.assertEqual(self.replay(after, "--until", "900")["records"], 900)
        self.refused_by("replay", before, "features.numbers", "--until", "900")

    def test_rejected_records_and_texts_are_shown(self):
        self.broker.create_topic(self.name, 1)
        self.broker.produce(self.name, records(0, 50) + ["\u001b[2Jno record"] + records(50, 50))
        settings = self.settings("rejected: {file: rejected.jsonl}")
        self.run_to_end(settings)
        told = self.explain(settings, f"{self.name}:0:50")
        self.assertEqual(told["rejected"], json.loads((self.workspace.folder / "rejected.jsonl").read_text()))
        shown = self.workspace.run_riffle("explain", settings, f"{self.name}:0:50").output
        self.assertIn("it was rejected and never reached the model: undecodable", shown)
        shown = self.workspace.run_riffle("explain", settings, f"{self.name}:0:60").output
        self.assertIn("is the score that was given", shown)
        self.assertNotIn("\u001b", shown)

    def test_what_is_gone_is_named(self):
        self.fill(1000, 2)
        settings = self.settings("snapshots: {directory: state, every: {records: 100, seconds: 0}, keep: 2, keep_hours: 0}")
        self.run_to_end(settings)
        self.refused_by("explain", settings, "nothing of " + self.name + " [5] was learned", f"{self.name}:5:1")
        self.refused_by("replay", settings, "is not learned yet", "--until", f"{self.name}:0:90000")
        self.refused_by("replay", settings, "names no point", "--until", "yesterday")
        end = self.broker.end_offsets(self.name)[0]
        self.broker.delete_records(self.name, 0, end - 1)
        self.refused_by("explain", settings, f"is no longer there: the log holds {end - 1} to {end}", f"{self.name}:0:10")
        self.broker.delete_topic(self.name)
        self.refused_by("explain", settings, f"topic {self.name} is not there", f"{self.name}:0:10")
        self.broker.create_topic(self.name, 2)
        self.refused_by("explain", settings, "the topic", f"{self.name}:0:10")


if __name__ == "__main__":
    pipeline_test.main()
