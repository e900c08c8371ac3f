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

    def test_json_behind_ids_is_json(self):
        registry = self.registry()
        lines = records(0, 600)
        self.broker.create_topic(self.name, 1)
        self.produce("json", registry, lines[:300], 1)
        self.produce("json", registry, lines[300:], 2)
        result = self.run_to_end(self.framed("json"))
        self.assertEqual((result["records"], result["learned"], result["rejected"]), (600, 600, 0))
        self.assertEqual(result["model_sha256"], self.of_json(lines)["model_sha256"])

    def test_check_of_a_record_says_that_it_waits_for_the_registry(self):
        registry = self.registry()
        registry.stop()
        record = self.workspace.folder / "record"
        record.write_bytes(b"\0\0\0\0\1x")
        told = self.workspace.run_riffle("check", self.framed("avro", registry), "--record", record, status=1).errors
        self.assertEqual(told.count("waiting for the schema of the record, up to "), 1)
        self.assertRegex(told.splitlines()[-1], "^riffle check: .*schema registry")

    def test_what_is_not_framed_is_rejected_and_says_why(self):
        self.broker.create_topic(self.name, 1)
        self.produce("json", self.registry(), records(0, 3) + [base64.b64encode(b'{"id": 1}').decode(), "AAAA"])
        result = self.run_to_end(self.framed("json", more="rejected: {file: rejected.jsonl}"))
        self.assertEqual((result["records"], result["rejected"]), (5, 2))
        rejected = [json.loads(line) for line in (self.workspace.folder / "rejected.jsonl").read_text().splitlines()]
        self.assertEqual([record["detail"] for record in rejected],
                         ["begins with byte 7b, must begin with 00 and a schema id",
                          "has 3 bytes, must begin with 00 and a schema id of 4"])

    def check_versions(self, form, count):
        """Records of that many versions of a schema, with basic authentication."""
        registry = self.registry(user="riffle:secret")
        lines = records(0, 300 * count)
        self.broker.create_topic(self.name, 1)
        for version in range(count):
            self.produce(form, registry, lines[300 * version:300 * version + 300], version + 1,
                         **{"basic.auth.user.info": "riffle:secret"})
        settings = self.framed(form, registry, user="riffle", password="secret")
        result = self.run_to_end(settings)
        self.assertEqual((result["records"], result["learned"], result["rejected"]), (300 * count, 300 * count, 0))
        self.assertEqual(result["model_sha256"], self.of_json(lines)["model_sha256"])
        self.assertEqual(len(list((self.workspace.folder / "state" / "schemas").iterdir())), count)
        registry.stop()
        self.assertEqual(self.replayed(settings), result["model_sha256"])
        return registry

    def test_avro_of_three_schemas_is_learned_as_json(self):
        registry = self.check_versions("avro", 3)
        self.assertIn("/subjects/notes/versions/1?deleted=true", registry.asked)

    def test_protobuf_of_two_schemas_is_learned_as_json(self):
        registry = self.check_versions("protobuf", 2)
        self.assertIn("/subjects/common.proto/versions/1?deleted=true&format=serialized", registry.asked)

    def test_an_id_that_nobody_knows_is_rejected_and_stays_so(self):
        registry = self.registry()
        self.broker.create_topic(self.name, 1)
        strange = base64.b64encode(b"\0\0\0\x03\xe7" + b"x").decode()
        self.produce("avro", registry, records(0, 5) + [strange] + records(5, 5))
        settings = self.framed("avro", registry, more="rejected: {file: rejected.jsonl}")
        result = self.run_to_end(settings)
        self.assertEqual((result["learned"], result["rejected"]), (10, 1))
        rejected = json.loads((self.workspace.folder / "rejected.jsonl").read_text())
        self.assertEqual(rejected["detail"], "schema id 999 is not known to the schema registry")
        registry.stop()
        self.assertEqual(self.replayed(settings), result["model_sha256"])

    def replayed(self, settings):
        return self.workspace.run_riffle("replay", settings, "--json").json()["model_sha256"]

    def test_records_wait_while_the_registry_is_away_and_none_is_lost(self):
        registry = self.registry()
        lines = records(0, 900)
        self.broker.create_topic(self.name, 1)
        self.produce("avro", registry, lines[:300], 1)
        registry.stop()
        with self.workspace.riffle("run", self.framed("avro", registry)) as worker:
            worker.wait_for_words("the schema registry is away; schemas that are kept will do")
            worker.wait_for_words("records wait for a schema.*Couldn't connect|records wait for a schema.*Failed to connect")
            registry.start()
            worker.wait_for_words("the schema is there; going on")
            self.produce("avro", registry, lines[300:600], 2)
            worker.wait_for_words("schema fetched.*schema_id=2")
            registry.stop()
            self.produce("avro", self.beside(registry, 77), lines[600:], 3)
            worker.wait_for_words("(?s)records wait for a schema.*records wait for a schema")
            self.assertEqual(worker.terminate(seconds=10).status, 0)
        registry.start()
        result = self.run_to_end(self.framed("avro", registry))
        self.assertEqual((result["records"], result["learned"], result["rejected"]), (900, 900, 0))
        self.assertEqual(result["model_sha256"], self.of_json(lines)["model_sha256"])

    def beside(self, registry, first_id=1):
        """Another one that knows the same, for the producer alone."""
        other = self.registry(first_id=first_id)
        other.schemas, other.subjects = registry.schemas, registry.subjects
        return other

    def test_a_kill_and_a_resume_need_no_registry(self):
        registry = self.registry()
        lines = records(0, 4000)
        self.broker.create_topic(self.name, 1)
        self.produce("avro", registry, lines[:1000], 1)
        self.produce("avro", registry, lines[1000:], 2)
        more = "snapshots: {every: {records: 500, seconds: 0}}\nworker: {batch_records: 50}"
        with self.workspace.riffle("run", self.framed("avro", registry, more)) as worker:
            worker.wait_for(lambda: len(self.snapshots()) >= 4, "snapshots of both schemas")
            worker.kill()
        registry.stop()
        result = self.run_to_end(self.framed("avro", registry, more))
        self.assertEqual((result["records"], result["learned"], result["rejected"]), (4000, 4000, 0))
        self.assertEqual(result["model_sha256"], self.of_json(lines)["model_sha256"])

    def test_a_damaged_schema_is_fetched_again(self):
        registry = self.registry()
        self.broker.create_topic(self.name, 1)
        self.produce("avro", registry, records(0, 300))
        settings = self.framed("avro", registry)
        self.run_to_end(settings)
        kept = self.workspace.folder / "state" / "schemas" / "1"
        sound = kept.read_bytes()
        kept.write_bytes(sound[:-9])
        self.produce("avro", registry, records(300, 300))
        done = self.workspace.run_riffle("run", settings, "--until", "end", "--json")
        self.assertEqual(done.json()["learned"], 600)
        self.assertIn("a kept schema cannot be read; asking the registry", done.errors)
        self.assertEqual(kept.read_bytes(), sound)

    def test_credentials_that_are_wrong_end_the_start_and_stand_nowhere(self):
        registry = self.registry(user="riffle:secret")
        self.broker.create_topic(self.name, 1)
        self.produce("avro", registry, records(0, 300), **{"basic.auth.user.info": "riffle:secret"})
        wrong = self.framed("avro", registry, user="riffle", password="guessed")
        said = self.refused(wrong, 2, f"schema registry {registry.url}: refuses the credentials (401)")
        self.assertNotIn("guessed", said)
        asked = self.workspace.run_riffle("check", wrong, "--connect", status=2)
        self.assertIn("refuses the credentials (401)", asked.errors)
        self.assertNotIn("guessed", asked.errors + asked.output)
        good = self.framed("avro", registry, user="riffle", password="secret")
        self.workspace.run_riffle("check", good, "--connect")
        registry.authorization = "Basic other"  # from now on
        with self.workspace.riffle("run", good, "--set", f"snapshots.directory={self.name}") as worker:
            self.assertEqual(worker.wait().status, 2)
        registry.stop()
        asked = self.workspace.run_riffle("check", good, "--connect", status=1)
        self.assertIn(f"schema registry {registry.url}: ", asked.errors)

    def test_credentials_that_become_wrong_make_records_wait(self):
        registry = self.registry(token="t0ken")
        lines = records(0, 600)
        self.broker.create_topic(self.name, 1)
        with self.workspace.riffle("run", self.framed("avro", registry, token="t0ken")) as worker:
            worker.wait_for_words("learning")
            registry.authorization = "Bearer another"
            self.produce("avro", self.beside(registry), lines)
            worker.wait_for_words("records wait for a schema.*refuses the credentials")
            registry.authorization = "Bearer t0ken"
            worker.wait_for_words("the schema is there; going on")
            self.assertEqual(worker.terminate().status, 0)
            self.assertNotIn("t0ken", worker.errors)
        result = self.run_to_end(self.framed("avro", registry, token="t0ken"))
        self.assertEqual((result["learned"], result["rejected"]), (600, 0))

    def test_a_registry_that_sends_elsewhere_is_not_followed(self):
        registry = self.registry(user="riffle:secret")
        self.broker.create_topic(self.name, 1)
        self.produce("avro", registry, records(0, 300), **{"basic.auth.user.info": "riffle:secret"})
        registry.trouble = 307
        with self.workspace.riffle("run", self.framed("avro", registry, user="riffle", password="secret")) as worker:
            worker.wait_for_words(r"records wait for a schema.*sends elsewhere \(307\)")
            registry.trouble = None
            worker.wait_for_words("the schema is there; going on")
            self.assertEqual(worker.terminate().status, 0)

    def test_a_registry_that_never_answers_holds_up_no_stop(self):
        registry = self.registry()
        self.broker.create_topic(self.name, 1)
        self.produce("avro", registry, records(0, 300))
        registry.silent.set()
        with self.workspace.riffle("run", self.framed("avro", registry, timeout_seconds=600)) as worker:
            worker.wait_for(lambda: "/schemas/ids/1" in registry.asked, "the question")
            self.assertEqual(worker.terminate(seconds=10).status, 0)
        with self.workspace.riffle("run", self.framed("avro", registry, timeout_seconds=0.3)) as worker:
            worker.wait_for_words("records wait for a schema.*timed out")
            registry.silent.clear()
            worker.wait_for_words("the schema is there; going on")
            self.assertEqual(worker.terminate(seconds=10).status, 0)

    def test_https_with_a_certificate_of_ones_own(self):
        pem = self.workspace.folder / "registry.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2", "-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem, "-out", f"{pem}.crt"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(pem, "ab") as both, open(f"{pem}.crt", "rb") as certificate:
            both.write(certificate.read())
        registry = self.registry(certificate=pem)
        self.broker.create_topic(self.name, 1)
        self.produce("avro", registry, records(0, 300), **{"ssl.ca.location": f"{pem}.crt"})
        unknown = self.workspace.run_riffle("check", self.framed("avro", registry), "--connect", status=1)
        self.assertIn("certificate", unknown.errors)
        result = self.run_to_end(self.framed("avro", registry, ca_file=f"{pem}.crt"))
        self.assertEqual((result["learned"], result["rejected"]), (300, 0))


if __name__ == "__main__":
    pipeline_test.main()
