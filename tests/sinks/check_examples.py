"""Runs docs/examples/ against the real sinks: check_examples.py PUBLISHER EXAMPLES MESSAGES

MESSAGES is the folder of riffle_pb2.py.
"""
import hashlib
import os
import subprocess
import sys
import tempfile

publisher, examples, messages = sys.argv[1:]
environment = dict(os.environ, PYTHONPATH=messages)


def start(*command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def start_example(name, *arguments):
    return start(sys.executable, os.path.join(examples, name), *arguments)


def check_predictions(endpoint):
    example = start_example("subscribe.py", endpoint, "fraud")
    lines = [example.stdout.readline().split() for _ in range(50)]
    example.kill()
    example.wait()
    offsets = [int(line[3]) for line in lines]
    assert offsets == list(range(offsets[0], offsets[0] + 50)), offsets
    for line, offset in zip(lines, offsets):
        assert line[1:3] + line[4:] == ["transactions", "3", "t", "0.25", "0"], line
        assert int(line[0]) == offset // 10 + 2, line  # the sequence number of its batch


def check_snapshots(publish, serve, written, kept):
    example = start_example("snapshots.py", publish, serve, "fraud", kept)
    lines = [example.stdout.readline().split() for _ in range(3)]
    example.kill()
    example.wait()
    numbers = [int(line[4].rstrip(":")) for line in lines]
    assert numbers == list(range(numbers[0], numbers[0] + 3)), numbers
    for line, number in zip(lines, numbers):
        data = open(os.path.join(written, str(number)), "rb").read()
        assert line[:4] == ["fraud", "epoch", "2", "snapshot"], line
        assert line[5:] == [str(len(data)), "bytes,", "sha256", hashlib.sha256(data).hexdigest()], line
        copies = [os.path.join(folder, name) for folder, _, names in os.walk(kept) for name in names]
        copy = [path for path in copies if path.endswith(f"fraud-2-{number}.snapshot")]
        assert copy and open(copy[0], "rb").read() == data, copies


with tempfile.TemporaryDirectory() as written, tempfile.TemporaryDirectory() as kept:
    process = start(publisher, written)
    predictions, publish, serve = process.stdout.readline().split()
    try:
        check_predictions(predictions)
        check_snapshots(publish, serve, written, kept)
    finally:
        process.stdin.close()
        assert process.wait() == 0
