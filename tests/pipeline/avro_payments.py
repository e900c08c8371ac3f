"""Writes the same payments by fastavro. A process of its own, with build/python in its PYTHONPATH:

    avro_payments.py FOLDER COUNT LIVE

into FOLDER: payment.avsc, payments.CODEC.avro of all, history.avro of all but the last LIVE, these as live/N (one datum each),
and payments.jsonl, where paths and times are as JSON has them.
"""

import decimal
import io
import json
import pathlib
import random
import sys

import fastavro

SCHEMA = {
    "type": "record", "name": "Payment", "namespace": "shop", "fields": [
        {"name": "id", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "fraud", "type": ["null", "boolean"]},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "card", "type": {"type": "enum", "name": "Card", "symbols": ["VISA", "OTHER"]}},
        {"name": "note", "type": "string"},
        {"name": "items", "type": {"type": "array", "items": {
            "type": "record", "name": "Item", "fields": [{"name": "price", "type": "double"}, {"name": "sku", "type": "string"}]}}},
        {"name": "attrs", "type": {"type": "map", "values": ["null", "string"]}},
    ]}


def payment(rng, number):
    fraud = rng.random() < 0.3
    return {
        "id": number,
        "at": 1_600_000_000_000_000 + number * 1_000_000 + rng.randrange(1000),
        "fraud": rng.choice([None, fraud, fraud, fraud]),
        "amount": decimal.Decimal(rng.randrange(1, 100_000 if fraud else 10_000)) / 100,
        "card": rng.choice(["VISA", "OTHER"]),
        "note": rng.choice(["", "über", "x" * 100]),
        "items": [{"price": rng.uniform(0, 9), "sku": rng.choice("abcd")} for _ in range(rng.randrange(1, 4))],
        "attrs": {key: rng.choice([None, "red", "blue"]) for key in rng.sample(["colour", "size", "other"], 2)},
    }


def as_json(one):
    return json.dumps({**one, "at": one["at"] // 1000, "amount": float(one["amount"])})


def main():
    folder, count, live = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(9)
    schema = fastavro.parse_schema(SCHEMA)
    payments = [payment(rng, number) for number in range(count)]
    (folder / "payment.avsc").write_text(json.dumps(SCHEMA))
    for codec in ("null", "deflate", "zstandard", "snappy"):
        with open(folder / f"payments.{codec}.avro", "wb") as file:
            fastavro.writer(file, schema, payments, codec=codec)
    with open(folder / "history.avro", "wb") as file:
        fastavro.writer(file, schema, payments[:-live], codec="zstandard")
    (folder / "live").mkdir()
    for number, one in enumerate(payments[-live:]):
        room = io.BytesIO()
        fastavro.schemaless_writer(room, schema, one)
        (folder / "live" / f"{number:05}").write_bytes(room.getvalue())
    (folder / "payments.jsonl").write_text("".join(as_json(one) + "\n" for one in payments))


main()
