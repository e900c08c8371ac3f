"""Records of confluent-kafka's own serialisers, with a schema registry that comes and goes."""

import base64
import json
import os
import subprocess
import sys
import unittest

import pipeline_test
from pipeline_case import PipelineCase, records
from schema_registry import SchemaRegistry

HERE = pipeline_test.HERE
SERIALISERS = pipeline_test.serialisers()


class Registry(PipelineCase):
    def registry(self, **options):
        registry = SchemaRegistry(**options)
        self.addCleanup(registry.stop)
        return registry

    def produce(self, form, registry, lines, version=1, topic=None, **client):
        client = {"url": registry.url, **client}
        subprocess.run([sys.executable, HERE / "confluent_producer.py", form, str(version), json.dumps(client),
                        self.broker.bootstrap, topic or self.name],
                       input="\n".join(lines) + "\n", text=True, check=True, env={**os.environ, "PYTHONPATH": str(SERIALISERS)})

    def framed(self, form, registry=None, more="", name=None, **credentials):
        asked = ""
        if registry:
            pairs = ", ".join(f"{key}: {value}" for key, value in credentials.items())
            asked = f", registry: {{url: '{registry.url}'{', ' + pairs if pairs else ''}}}"
        return self.settings(more, name=name, source=f"{{topics: [{self.name}], format: {form}, framing: confluent{asked}}}")

    def of_json(self, lines):
        """What the same records as plain JSON give."""
        plain = f"{self.name}.plain"
        self.broker.create_topic(plain, 1)
        self.broker.produce(plain, lines)
        settings = self.settings("snapshots: {directory: plain}", name=plain, source=f"{{topics: [{plain}], format: json}}")
        return self.run_to_end(settings)

    def check_learns_the_same(self, form, registry, **credentials):
        lines = records(0, 600)
        self.broker.create_topic(self.name, 1)
        self.produce(form, registry, lines[:300], 1)
        self.produce(form, registry, lines[300:], 2)
        needs = registry if form != "json" else None
        result = self.run_to_end(self.framed(form, needs, **credentials))
        self.assertEqual((result["records"], result["learned"], result["rejected"]), (600, 600, 0))
        self.assertEqual(result["model_sha256"], self.of_json(lines)["model_sha256"])

    def test_json_behind_ids_is_json(self):
        self.check_learns_the_same("json", self.registry())

    def test_what_is_not_framed_is_rejected_and_says_why(self):
        self.broker.create_topic(self.name, 1)
        self.produce("json", self.registry(), records(0, 3) + [base64.b64encode(b'{"id": 1}').decode(), "AAAA"])
        result = self.run_to_end(self.framed("json", more="rejected: {file: rejected.jsonl}"))
        self.assertEqual((result["records"], result["rejected"]), (5, 2))
        rejected = [json.loads(line) for line in (self.workspace.folder / "rejected.jsonl").read_text().splitlines()]
        self.assertEqual([record["detail"] for record in rejected],
                         ["begins with byte 7b, must begin with 00 and a schema id",
                          "has 3 bytes, must begin with 00 and a schema id of 4"])


if __name__ == "__main__":
    pipeline_test.main()
