"""A fleet of workers over a real broker: settings, starts, what its log of deltas says."""

import json

from pipeline_case import PipelineCase, records

SESSION_MS = 6000


class Fleet:
    """Workers of one model, by their instance ids."""

    def __init__(self, workspace, bootstrap, name, more="", learner="{type: linear, hash_bits: 12}", kafka="", snapshots=""):
        self.workspace, self.bootstrap, self.name = workspace, bootstrap, name
        self.more, self.learner, self.kafka, self.snapshots = more, learner, kafka, snapshots

    def settings(self, worker, more=None):
        return self.workspace.write(f"{self.name}-{worker}.yaml", f"""
name: {self.name}
kafka: {{bootstrap.servers: "{self.bootstrap}", group.instance.id: {worker}, session.timeout.ms: {SESSION_MS},
  heartbeat.interval.ms: 500{self.kafka}}}
source: {{topics: [{self.name}], format: json}}
features: {{id: id, label: fraud, numbers: [amount]}}
learner: {self.learner}
fleet: {{shared: true, drain_seconds: 4, transaction_seconds: 5, deltas: {{records: 2000, seconds: 0.2}},
  snapshots: {{{self.snapshots}}}}}
snapshots: {{directory: state-{worker}}}
{self.more if more is None else more}
""")

    def start(self, worker, **more):
        return self.workspace.riffle("run", self.settings(worker, **more))

    def stands(self, *flags):
        """What `riffle fleet --json` says; None while there is no fleet."""
        done = self.workspace.run_riffle("fleet", self.settings("looker"), "--json", *flags, status=None)
        return json.loads(done.output) if done.status == 0 else None

    def has_learned(self, count):
        stands = self.stands()
        return stands and stands["records"] >= count and stands


class FleetCase(PipelineCase):
    def fleet(self, **more):
        return Fleet(self.workspace, self.broker.bootstrap, self.name, **more)

    def fill_topic(self, partitions, count):
        self.broker.create_topic(self.name, partitions)
        self.broker.produce(self.name, records(0, count))

    def check_once(self, stands, count):
        """The log of deltas covers each of the topic's records, and each once."""
        self.assertEqual((stands["records"], stands["learned"]), (count, count))
        ends = {partition: end for partition, end in enumerate(self.broker.end_offsets(self.name)) if end > 0}
        self.assertEqual({one["partition"]: one["next_offset"] for one in stands["applied"]}, ends)
        self.assertEqual({one["partition"]: one["records"] for one in stands["applied"]}, ends)
