"""Writes records as confluent-kafka's own serialisers do. A process of its own, with build/python in its PYTHONPATH:

    confluent_producer.py avro|protobuf|json VERSION REGISTRY BOOTSTRAP TOPIC < lines of {"id", "amount", "fraud"}

REGISTRY is {"url": ..., and more of the client's settings}, in JSON. Later versions of each schema have another order of
fields, and one more; version 3 of Avro and 2 of Protobuf refer to another schema. A line that is no JSON object is sent as it is, base64 decoded.
"""

import base64
import json
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

FIELDS = [("id", "long"), ("amount", "double"), ("fraud", "int")]
TOPIC = {"subject.name.strategy.type": "TOPIC"}


def avro(version, client):
    fields = [{"name": name, "type": kind} for name, kind in FIELDS]
    if version > 1:
        fields = [{"name": f"note{version}", "type": ["null", "string"], "default": None}] + fields[::-1]
    schema = {"type": "record", "name": "Transaction", "namespace": "shop", "fields": fields}
    references = []
    if version == 3:  # a note is a type of another subject
        note = {"type": "record", "name": "Note", "namespace": "common", "fields": [{"name": "text", "type": "string"}]}
        client.register_schema("notes", Schema(json.dumps(note), "AVRO"))
        references = [SchemaReference("common.Note", "notes", 1)]
        fields[0]["type"] = ["null", "common.Note"]
    schema = Schema(json.dumps(schema), "AVRO", references)
    return AvroSerializer(client, schema, conf=TOPIC), lambda record: {**record, f"note{version}": {"text": "x"}} if references else record


def protobuf(version, client):
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
    file = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    file.message_type.add(name="Other").field.add(name="x", number=1, type=5, label=1)
    outer = file.message_type.add(name="Outer")
    for message in (outer.nested_type.add(name="Ignored"), outer.nested_type.add(name="Transaction")):
        for number, (name, kind) in enumerate(FIELDS[::-1] if version == 2 else FIELDS, 1):
            message.field.add(name=name, number=number, label=1, type={"long": 3, "double": 1, "int": 5}[kind])
        if version == 2:
            message.field.add(name="note", number=9, type=11, label=1, type_name=".common.Note")
            message.field.add(name="at", number=10, type=11, label=1, type_name=".google.protobuf.Timestamp")
    pool = descriptor_pool.DescriptorPool()
    if version == 2:
        common = descriptor_pb2.FileDescriptorProto(name="common.proto", package="common", syntax="proto3")
        common.message_type.add(name="Note").field.add(name="text", number=1, type=9, label=1)
        pool.Add(common)
        timestamp = descriptor_pb2.FileDescriptorProto()
        timestamp_pb2.DESCRIPTOR.CopyToProto(timestamp)
        pool.Add(timestamp)
        file.dependency.extend([common.name, timestamp.name])
    pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Outer.Transaction"))
    return ProtobufSerializer(kind, client, TOPIC), lambda record: kind(**record)


def json_schema(version, client):
    properties = {name: {"type": "number"} for name, _ in FIELDS}
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"Transaction{version}", "type": "object",
              "properties": properties}
    return JSONSerializer(json.dumps(schema), client, conf=TOPIC), lambda record: record


def main():
    form, version, registry, bootstrap, topic = sys.argv[1:]
    client = SchemaRegistryClient(json.loads(registry))
    serialise, convert = {"avro": avro, "protobuf": protobuf, "json": json_schema}[form](int(version), client)
    producer = Producer({"bootstrap.servers": bootstrap})
    context = SerializationContext(topic, MessageField.VALUE)
    for line in sys.stdin:
        if line.startswith("{"):
            value = serialise(convert(json.loads(line)), context)
        else:
            value = base64.b64decode(line)
        producer.produce(topic, value, partition=0)
        producer.poll(0)
    if producer.flush(30):
        sys.exit("records were not taken")


main()
