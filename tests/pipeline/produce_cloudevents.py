"""Writes events by the CloudEvents SDK for Python, in a process of its own: `produce_cloudevents.py BOOTSTRAP BINARY STRUCTURED`, two
topics that get every event in one mode each, with one JSON object {"attributes": {...}, "data": ...} a line on standard input.
"""

import json
import sys

import confluent_kafka
from cloudevents.http import CloudEvent
from cloudevents.kafka import to_binary, to_structured


def main():
    producer = confluent_kafka.Producer({"bootstrap.servers": sys.argv[1]})
    for line in sys.stdin:
        event = json.loads(line)
        event = CloudEvent(event["attributes"], event["data"])
        for topic, message in ((sys.argv[2], to_binary(event)), (sys.argv[3], to_structured(event))):
            producer.produce(topic, value=message.value, key=message.key, headers=list(message.headers.items()), partition=0)
    sys.exit(producer.flush(30))


if __name__ == "__main__":
    main()
