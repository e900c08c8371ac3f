"""Partitions merged by the timestamps of their records: every run over the same log gives the same model."""

import random
import time

import pipeline_test
from pipeline_case import PipelineCase, records

PARTITIONS = 4
ROUNDS = 25
EACH = 200


class Order(PipelineCase):
    def learning(self, state, more="", order="timestamp"):
        return self.workspace.write(f"{state}.yaml", f"""
name: {self.name}
kafka: {{bootstrap.servers: {self.broker.bootstrap}, group.id: {self.name}_{state} {more}}}
source: {{topics: [{self.name}], order: {order}, order_idle_seconds: 0.2}}
features: {{id: id, label: fraud, numbers: [amount]}}
learner: {{type: linear, hash_bits: 10}}
snapshots: {{directory: {state}, every: {{records: 3000, seconds: 0.5}}}}
""")

    def interleave(self):
        """Uneven partitions, written in turns of some hundred records."""
        chance = random.Random(1)
        self.broker.create_topic(self.name, PARTITIONS)
        total = 0
        for _ in range(ROUNDS):
            count = chance.randrange(1, EACH)
            self.broker.produce(self.name, records(total, count), chance.randrange(PARTITIONS))
            total += count
        return total

    def test_any_run_gives_the_same_model(self):
        total = self.interleave()
        whole = self.run_to_end(self.learning("whole"))
        self.assertEqual(whole["learned"], total)
        for i, (more, flags) in enumerate((("", ("--set", "worker.batch_records=7")), (", fetch.message.max.bytes: 2000", ()),
                                           (", max.partition.fetch.bytes: 700", ("--set", "worker.batch_bytes=1024")))):
            again = self.run_to_end(self.learning(f"again{i}", more), *flags)
            self.assertEqual(again["model_sha256"], whole["model_sha256"])

    def test_a_live_run_that_is_killed_gives_it_too(self):
        total = self.interleave()
        whole = self.run_to_end(self.learning("whole"))
        settings = self.learning("killed")
        chance = random.Random(2)
        for _ in range(8):
            with self.workspace.riffle("run", settings, "--until", "end") as worker:
                worker.wait_for(lambda: "learning" in worker.errors, "a start")
                time.sleep(chance.uniform(0, 0.02))
                worker.kill()
        killed = self.run_to_end(settings)
        self.assertEqual((killed["learned"], killed["model_sha256"]), (total, whole["model_sha256"]))

    def test_live_a_silent_partition_is_not_waited_for(self):
        self.broker.create_topic(self.name, 2)
        self.broker.produce(self.name, records(0, 100), 0)
        settings = self.learning("live")
        with self.workspace.riffle("run", settings) as worker:
            worker.wait_for(lambda: "learning" in worker.errors, "a start")
            worker.wait_for(lambda: self.broker.committed(f"{self.name}_live").get((self.name, 0), (0, ""))[0] == 100, "a commit")
            done = worker.terminate()
        self.assertEqual(done.status, 0)
        self.assertEqual(self.positions("live"), {(self.name, 0): (100, 100), (self.name, 1): (0, 0)})


if __name__ == "__main__":
    pipeline_test.main()
