"""A reader of predictions in a process of its own, so that it can be stopped and killed: reader_zeromq.py KIND ENDPOINT SEEN PACE [CONFIRM]

KIND is pull or sub. For each batch a line goes to the file SEEN, `EPOCH SEQUENCE PARTITION:OFFSET ...`, and is confirmed then, at the endpoint
CONFIRM. The file PACE holds how many predictions it takes a second, 0 for as many as come; it may change.
"""

import pathlib
import sys
import time

import riffle_pb2
import zmq

kind, endpoint, seen, pace, *confirm_at = sys.argv[1:]
context = zmq.Context()
socket = context.socket(zmq.PULL if kind == "pull" else zmq.SUB)
socket.setsockopt(zmq.RCVHWM, 2)
socket.setsockopt(zmq.RCVBUF, 1 << 16)  # so that what is not read soon stands before the worker
if kind == "sub":
    socket.subscribe("predictions/")
socket.connect(endpoint)
confirm = context.socket(zmq.PUSH)
if confirm_at:
    confirm.connect(confirm_at[0])
print("reads", flush=True)
with open(seen, "ab", buffering=0) as lines:  # a line is written with one call: it is there or not
    while True:
        _, body = socket.recv_multipart()
        batch = riffle_pb2.Predictions.FromString(body)
        if rate := float(pathlib.Path(pace).read_text(encoding="ascii")):
            time.sleep(len(batch.predictions) / rate)
        places = " ".join(f"{one.partition}:{one.offset}" for one in batch.predictions)
        lines.write(f"{batch.epoch} {batch.sequence} {places}\n".encode())
        if confirm_at:
            confirm.send(riffle_pb2.Confirmation(epoch=batch.epoch, sequence=batch.sequence).SerializeToString())
