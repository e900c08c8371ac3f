"""Writes Avro container files of every codec by fastavro, into a folder. Beside each NAME.avro stands NAME.data: its data, each after
its size in four bytes."""
import io
import pathlib
import random
import struct
import sys

import fastavro

SCHEMA = {
    "type": "record", "name": "shop.Event", "fields": [
        {"name": "id", "type": "string"},
        {"name": "amount", "type": ["null", "double"]},
        {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
            {"name": "sku", "type": "string"}, {"name": "count", "type": "int"}]}}},
        {"name": "attrs", "type": {"type": "map", "values": "long"}},
        {"name": "before", "type": ["null", "Event"]},
    ]}


def event(rng, depth=0):
    return {
        "id": "".join(rng.choice("abcdef") for _ in range(rng.choice([0, 3, 20, 3000 if depth == 0 and rng.random() < 0.02 else 5]))),
        "amount": rng.choice([None, rng.gauss(0, 1)]),
        "items": [{"sku": "s" * rng.randrange(5), "count": rng.randrange(-9, 1 << 20)} for _ in range(rng.randrange(4))],
        "attrs": {str(i): rng.getrandbits(60) for i in range(rng.randrange(3))},
        "before": event(rng, depth + 1) if depth < 4 and rng.random() < 0.3 else None,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    rng = random.Random(5)
    schema = fastavro.parse_schema(SCHEMA)
    for codec in ("null", "deflate", "zstandard", "snappy"):
        for count in (0, 1, 2000):
            events = [event(rng) for _ in range(count)]
            path = folder / f"{codec}{count}"
            with open(f"{path}.avro", "wb") as file:
                fastavro.writer(file, schema, events, codec=codec, sync_interval=rng.choice([500, 16000]), metadata={"by": "fastavro"})
            with open(f"{path}.data", "wb") as file:
                for one in events:
                    room = io.BytesIO()
                    fastavro.schemaless_writer(room, schema, one)
                    file.write(struct.pack("<I", len(room.getvalue())) + room.getvalue())


main()
