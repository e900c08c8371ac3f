"""Produces records with keys and headers through confluent-kafka, in a process of its own (PYTHONPATH is the folder of the
foreign serialisers): `produce_confluent.py BOOTSTRAP [PROPERTY=VALUE ...]`, with one JSON object a line on standard input:
{"topic": ..., "value": text, "key": hex, "headers": [[name, text or null], ...], "timestamp": milliseconds}, all but the topic optional.
"""

import json
import sys

import confluent_kafka


def main():
    producer = confluent_kafka.Producer({"bootstrap.servers": sys.argv[1], **dict(pair.split("=", 1) for pair in sys.argv[2:])})
    failures = []
    for line in sys.stdin:
        record = json.loads(line)
        more = {"timestamp": record["timestamp"]} if "timestamp" in record else {}
        producer.produce(record["topic"], value=record.get("value"), partition=record.get("partition", 0),
                         key=bytes.fromhex(record["key"]) if "key" in record else None, headers=[tuple(pair) for pair in record.get("headers", ())],
                         on_delivery=lambda error, _: error and failures.append(error), **more)
        producer.poll(0)
    producer.flush()
    sys.exit("\n".join(str(error) for error in failures[:10]) or None)


if __name__ == "__main__":
    main()
