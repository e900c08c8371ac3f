"""What stands around the values of records: keys, headers, timestamps, the envelope of CloudEvents, and compression."""

import base64
import json
import os
import random
import subprocess
import sys

import pipeline_test
from pipeline_case import PipelineCase, rfc3339

CHANNELS = ("web", "shop", "17")
EACH = 100
COUNT = EACH * len(CHANNELS)
NAMES = ("id", "amount", "fraud", "customer", "channel", "shard", "at")
FEATURES = """
features: {id: id, time: at, label: fraud, numbers: [amount], categories: [customer, channel, shard], derived: [{hour: {}}]}
"""
EVENT_FEATURES = """
features: {id: ce_id, time: ce_time, label: fraud, numbers: [amount], categories: [customer, ce_channel, ce_type]}
"""


def payments():
    return [{"id": f"t{i}", "amount": i % 7, "fraud": int(i % 7 > 4), "customer": f"c{i % 5}", "channel": CHANNELS[i // EACH],
             "shard": i % 3 - 1, "at": 1767225600000 + 3600000 * i} for i in range(COUNT)]


def value(payment, names):
    return json.dumps({name: payment[name] for name in names})


def but(*names):
    return [name for name in NAMES if name not in names]


def attributes(payment):
    return {"specversion": "1.0", "type": "payment", "source": "/shop", "id": payment["id"], "time": rfc3339(payment["at"]),
            "channel": payment["channel"]}


class RecordFields(PipelineCase):
    def topic(self, kind, settings=None):
        topic = f"{self.name}_{kind}"
        self.broker.create_topic(topic, settings=settings)
        return topic

    def settings_of(self, topic, more="", features=FEATURES):
        return self.workspace.write(f"{topic}.yaml", f"""
name: {self.name}
kafka: {{bootstrap.servers: {self.broker.bootstrap}, group.id: {topic}}}
source: {{topics: [{topic}] {more}}}
{features}
learner: {{type: linear, hash_bits: 10}}
snapshots: {{directory: state_{topic}}}
""")

    def learn(self, topic, more="", flags=(), features=FEATURES):
        """The hash of the model that is learned of a topic."""
        done = self.run_to_end(self.settings_of(topic, more, features), *flags)
        self.assertEqual((done["learned"], done["rejected"]), (COUNT, 0))
        return done["model_sha256"]

    def learn_plain(self, names):
        """The same of a topic whose values hold all fields, in this order."""
        topic = self.topic("plain")
        self.broker.produce(topic, [value(payment, names) for payment in payments()])
        return self.learn(topic)

    def run_foreign(self, program, lines, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(pipeline_test.serialisers())}
        subprocess.run([sys.executable, str(pipeline_test.HERE / program), self.broker.bootstrap, *arguments],
                       input="".join(f"{line}\n" for line in lines), text=True, env=environment, check=True, timeout=60)

    def produce_foreign(self, topic, records):
        self.run_foreign("produce_confluent.py", (json.dumps({"topic": topic, **record}) for record in records))

    def surrounded_topic(self):
        """Records of which only some fields are in the value; the settings that find the others, and their order in an event."""
        topic, inside = self.topic("around"), but("channel", "shard", "id", "at")
        self.produce_foreign(topic, ({"value": value(payment, inside), "timestamp": payment["at"],
                                      "key": payment["shard"].to_bytes(4, "big", signed=True).hex(),
                                      "headers": [["id", payment["id"]], ["channel", "no"], ["channel", payment["channel"]],
                                                  ["empty", None]]} for payment in payments()))
        fields = ", fields: {channel: header.channel, shard: key.int32, id: header.id, at: timestamp}"
        return topic, fields, [*inside, "channel", "shard", "id", "at"]

    def test_keys_and_headers_of_kcat(self):
        topic, inside = self.topic("kcat"), but("customer", "channel")
        for i, channel in enumerate(CHANNELS):
            path = self.workspace.write("keyed.txt", "".join(f"{payment['customer']}|{value(payment, inside)}\n"
                                                             for payment in payments()[EACH * i:EACH * i + EACH]))
            self.broker.produce_file(topic, path, key_delimiter="|", headers=[("channel", "no"), ("channel", channel), ("trace", "1")])
        self.assertEqual(self.learn(topic, ", fields: {customer: key, channel: header.channel}"),
                         self.learn_plain([*inside, "customer", "channel"]))

    def test_keys_of_bytes_and_timestamps(self):
        topic, fields, names = self.surrounded_topic()
        wanted = self.learn_plain(names)
        self.assertEqual(self.learn(topic, fields), wanted)
        for other in ("source.order=timestamp", "worker.batch_records=7"):
            flags = ("--fresh", "--set", f"snapshots.directory={other}", "--set", other)
            self.assertEqual(self.learn(topic, fields, flags), wanted)

    def test_a_replay_and_an_explanation_read_headers_too(self):
        topic, fields, _ = self.surrounded_topic()
        wanted = self.learn(topic, fields)
        settings = self.workspace.folder / f"{topic}.yaml"
        self.assertEqual(self.workspace.run_riffle("replay", settings, "--json").json()["model_sha256"], wanted)
        told = self.workspace.run_riffle("explain", settings, f"{topic}:0:{COUNT - 1}").output
        self.assertRegex(told, f"channel.*{CHANNELS[-1]}")

    def test_what_the_value_holds_too_is_rejected(self):
        topic, fields, _ = self.surrounded_topic()
        first = self.topic("first")
        self.broker.produce(first, [value(payment, NAMES) for payment in payments()[:50]])
        done = self.run_to_end(self.settings_of(topic, f"{fields}, history: {{topics: [{first}]}}"))
        self.assertEqual((done["learned"], done["rejected"]), (COUNT, 50))

    def test_cloud_events_in_both_modes(self):
        wanted = self.topic("plain")
        self.broker.produce(wanted, [json.dumps({"amount": payment["amount"], "fraud": payment["fraud"], "customer": payment["customer"],
                                                 "ce_id": payment["id"], "ce_type": "payment", "ce_time": rfc3339(payment["at"]),
                                                 "ce_channel": payment["channel"]}) for payment in payments()])
        wanted = self.learn(wanted, features=EVENT_FEATURES)
        inside = ("amount", "fraud", "customer")
        binary, structured, text = self.topic("binary"), self.topic("structured"), self.topic("text")
        self.produce_foreign(binary, ({"value": value(payment, inside), "headers":
                                       [[f"ce_{name}", text] for name, text in attributes(payment).items()] +
                                       [["content-type", "application/json"]]} for payment in payments()))
        self.produce_foreign(structured, ({"value": json.dumps({**attributes(payment), "data": json.loads(value(payment, inside))}),
                                           "headers": [["content-type", "application/cloudevents+json; charset=UTF-8"]]}
                                          for payment in payments()))
        lines = [f"{payment['amount']},{payment['fraud']},{payment['customer']}" for payment in payments()]
        self.broker.produce(text, [json.dumps({**attributes(payment), "datacontenttype": "text/csv", **(
            {"data": line} if payment["amount"] < 3 else {"data_base64": base64.b64encode(line.encode()).decode()})})
            for payment, line in zip(payments(), lines)])
        for topic, more in ((binary, ""), (structured, ""), (text, ", format: csv, columns: [amount, fraud, customer]")):
            self.assertEqual(self.learn(topic, f", envelope: cloudevents {more}", features=EVENT_FEATURES), wanted, topic)

    def test_events_of_the_sdk_for_python(self):
        chance = random.Random(7)
        texts = ("", "web", "3", "-1.5", "true", "Z\u00fcrich", 'a "b"\\', "x" * 300)
        plain, binary, structured = self.topic("plain"), self.topic("binary"), self.topic("structured")
        values, events = [], []
        for payment in payments():
            data = {"amount": chance.choice((payment["amount"], payment["amount"] / 3)), "fraud": payment["fraud"],
                    "customer": chance.choice(texts), "more": {"a": [chance.random(), None]}}
            given = {**attributes(payment), "type": chance.choice(("payment", "refund")), "channel": chance.choice(texts[1:])}
            values.append(json.dumps({**data, "ce_id": given["id"], "ce_type": given["type"], "ce_time": given["time"],
                                      "ce_channel": given["channel"]}))
            events.append(json.dumps({"attributes": {**given, "datacontenttype": "application/json"}, "data": data}))
        self.broker.produce(plain, values)
        self.run_foreign("produce_cloudevents.py", events, binary, structured)
        wanted = self.learn(plain, features=EVENT_FEATURES)
        for topic in (binary, structured):
            self.assertEqual(self.learn(topic, ", envelope: cloudevents", features=EVENT_FEATURES), wanted, topic)

    def test_an_event_without_an_id_is_rejected_with_the_reason(self):
        topic = self.topic("missing")
        self.broker.produce(topic, ['{"amount": 1, "fraud": 0}'], headers=[("ce_type", "payment"), ("ce_specversion", "1.0")])
        settings = self.settings_of(topic, ", envelope: cloudevents", EVENT_FEATURES + "rejected: {file: rejected.jsonl}")
        self.assertEqual(self.run_to_end(settings)["rejected"], 1)
        rejected = (self.workspace.folder / "rejected.jsonl").read_text()
        self.assertIn("header ce_id is missing: every CloudEvent has an id, source, specversion and type", rejected)

    def test_a_record_of_a_file_shows_what_it_can(self):
        event = {**attributes(payments()[0]), "data": {"amount": 1, "fraud": 0, "customer": "c1"}}
        path = self.workspace.write("event.json", json.dumps(event))
        settings = self.settings_of("any", ", envelope: cloudevents, fields: {shop: header.shop}",
                                    EVENT_FEATURES.replace("ce_type", "ce_type, shop"))
        shown = self.workspace.run_riffle("check", settings, "--record", path).output
        self.assertIn("a file has no headers: it is read in structured mode\n", shown)
        self.assertIn("a file has no key, headers or timestamp: what source.fields names is null\n", shown)
        for line in ('ce_channel = "web"', 'ce_id = "t0"', "shop = null", "amount = 1"):
            self.assertIn(f"  {line}\n", shown)

    def test_compressed_topics_give_the_model_of_a_plain_one(self):
        path = self.workspace.write("payments.txt", "".join(value(payment, NAMES) + "\n" for payment in payments()))
        wanted = self.learn_plain(NAMES)
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            sent = self.topic(f"sent_{codec}")
            self.broker.produce_file(sent, path, settings=[f"compression.codec={codec}"])
            self.assertEqual(self.learn(sent), wanted, codec)
            stored = self.topic(f"stored_{codec}", {"compression.type": codec})
            self.broker.produce_file(stored, path)
            self.assertEqual(self.learn(stored), wanted, codec)
        mixed = self.topic("mixed")  # every message set as its producer had it
        for i, codec in enumerate(("none", "zstd", "lz4")):
            part = self.workspace.write("part.txt", "".join(value(payment, NAMES) + "\n" for payment in payments()[EACH * i:EACH * i + EACH]))
            self.broker.produce_file(mixed, part, settings=[f"compression.codec={codec}"])
        self.assertEqual(self.learn(mixed), wanted)


if __name__ == "__main__":
    pipeline_test.main()
