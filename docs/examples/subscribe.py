"""Prints every prediction of a model: subscribe.py ENDPOINT MODEL

Needs pyzmq, protobuf, and riffle_pb2: protoc --python_out=. --proto_path=proto riffle.proto
"""
import sys

import zmq

import riffle_pb2

socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
socket.subscribe(f"predictions/{sys.argv[2]}")
while True:
    topic, body = socket.recv_multipart()
    batch = riffle_pb2.Predictions.FromString(body)
    for p in batch.predictions:
        print(batch.sequence, p.topic, p.partition, p.offset, p.id, p.score, p.class_name, flush=True)
