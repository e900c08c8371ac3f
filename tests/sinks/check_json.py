"""Reads what odd_lines writes with another JSON reader: check_json.py ODD_LINES"""
import json
import re
import struct
import subprocess
import sys

TELLING = bytes([0x00, 0x0A, 0x20, 0x22, 0x5C, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2, 0xE0, 0xF4, 0xFF])
IDS = len(TELLING) * 256


def replaced(text):
    return re.sub("\ufffd+", "\ufffd", text)  # how many stand for one bad sequence is free


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


lines = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, check=True).stdout.decode("utf-8").split("\n")
assert lines.pop() == ""
records = [json.loads(line, parse_constant=refuse) for line in lines]
for i, record in enumerate(records[:IDS]):
    expected = bytes([i // len(TELLING), TELLING[i % len(TELLING)]]).decode("utf-8", errors="replace")
    assert replaced(record["id"]) == replaced(expected), (i, record)
for line, record in zip(lines[IDS:], records[IDS:]):
    number, = struct.unpack(">d", bytes.fromhex(record["id"]))
    assert record["score"] == number, line
    assert len(re.search(r'"score":([^,}]*)', line)[1]) <= max(len(repr(number)), 22), line
assert len(records) > IDS + 9000
