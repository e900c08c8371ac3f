"""Produces payments until its standard input ends; then tells how many the brokers have acknowledged.

A process of its own, with build/python in its PYTHONPATH: confluent_payments.py BOOTSTRAP TOPIC RATE SEED FIRST
"""

import collections
import json
import sys
import threading
import time

from confluent_kafka import Producer
from payments import Payments

QUEUE_MAX = 50000
KEYS = 1000


def main():
    bootstrap, topic, rate, seed, first = sys.argv[1:]
    payments = Payments(int(seed), int(first))
    counts = collections.Counter()
    ends = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ends.set()), daemon=True).start()
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "message.timeout.ms": 0,
                         "partitioner": "murmur2_random", "linger.ms": 20, "reconnect.backoff.max.ms": 500, "log_level": 0})

    def note(error, _):
        counts[str(error) if error else "acknowledged"] += 1

    begun = time.monotonic()
    while not ends.wait(0.02):
        due = int((time.monotonic() - begun) * int(rate)) - payments.produced
        for _ in range(min(due, QUEUE_MAX - len(producer))):  # brokers may be away
            producer.produce(topic, payments.record(), str(payments.produced % KEYS), on_delivery=note)
        producer.poll(0)
    producer.flush(120)
    print(json.dumps({"produced": payments.produced, "acknowledged": counts.pop("acknowledged", 0), "failed": counts}))


main()
