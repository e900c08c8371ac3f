"""Makes random messages of rich.v1.Rich, and says what Python's protobuf reads in them.

    protobuf_oracle.py PROTO_FOLDER COUNT MESSAGES < PATHS

MESSAGES gets each message after its size in decimal and a line end. Standard input has a path a line; standard output a line a
message: `ok`, or `damaged` for one that was damaged and is read all the same, followed by ` PATH=VALUE,VALUE...` for each path that is
there; `bad` for one that was damaged and is refused; `refused` for one that must be, since a number is not finite.
"""
import os
import random
import subprocess
import sys
import tempfile
import warnings

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.internal.encoder import _VarintBytes as varint
from google.protobuf.message import DecodeError

TEXTS = ["", "a", "red", "Z\u00fcrich", "a.b", "\U0001f600", "0", "x" * 40]
KEYS = ["a", "b", "x.y", "", "k"]
NUMBERS = [0, 1, -1, 7, 127, 128, 2**31 - 1, -2**31, 2**53 + 1, 2**63 - 1, -2**63]
REALS = [0.0, -0.0, 1.5, -2.25, 0.1, 1e300, 5e-324]
WRAPPERS = {f"google.protobuf.{name}Value" for name in
            ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")}
SIGNED_32 = {Field.TYPE_INT32, Field.TYPE_SINT32, Field.TYPE_SFIXED32}
UNSIGNED_32 = {Field.TYPE_UINT32, Field.TYPE_FIXED32}
UNSIGNED_64 = {Field.TYPE_UINT64, Field.TYPE_FIXED64}


def load(folder):
    """The module that protoc makes."""
    with tempfile.TemporaryDirectory() as made:
        subprocess.run(["protoc", f"--python_out={made}", f"-I{folder}", "rich.proto", "rich_old.proto"], check=True)
        sys.path.insert(0, made)
        sys.dont_write_bytecode = True
        import rich_pb2
        return rich_pb2


# Making messages.

def scalar(pick, field):
    kind = field.type
    if kind in (Field.TYPE_DOUBLE, Field.TYPE_FLOAT):
        value = pick.choice(REALS[:5] if kind == Field.TYPE_FLOAT else REALS)
        return float("nan") if pick.takes_nan and pick.random() < 0.002 else value
    if kind == Field.TYPE_BOOL:
        return pick.random() < 0.5
    if kind == Field.TYPE_STRING:
        return pick.choice(TEXTS)
    if kind == Field.TYPE_BYTES:
        return bytes(pick.randrange(256) for _ in range(pick.randrange(5)))
    if kind == Field.TYPE_ENUM:
        closed = field.enum_type.file.syntax == "proto2"
        return pick.choice([value.number for value in field.enum_type.values] + ([] if closed else [3, 77, -9]))
    value = pick.choice(NUMBERS)
    if kind in SIGNED_32:
        return (value + 2**31) % 2**32 - 2**31
    if kind in UNSIGNED_32:
        return value % 2**32
    return value % 2**64 if kind in UNSIGNED_64 else value


def fill(pick, message, depth, share):
    name = message.DESCRIPTOR.full_name
    if name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        message.seconds = pick.choice([0, 1, 1522540831, -62135596800, 253402300799, -1])
        message.nanos = pick.choice([0, 1, 999999, 1000000, 999999999])
        return
    for field in message.DESCRIPTOR.fields:
        if pick.random() > share:
            continue
        value = getattr(message, field.name)
        entry = field.message_type and field.message_type.GetOptions().map_entry and field.message_type
        if entry:
            inner = entry.fields_by_name["value"]
            for _ in range(pick.randrange(4)):
                key = scalar(pick, entry.fields_by_name["key"]) if entry.fields[0].type != Field.TYPE_STRING else pick.choice(KEYS)
                if inner.message_type:
                    fill(pick, value[key], depth + 1, share / 2)
                else:
                    value[key] = scalar(pick, inner)
        elif field.label == Field.LABEL_REPEATED:
            for _ in range(pick.randrange(4)):
                if field.message_type:
                    fill(pick, value.add(), depth + 1, share / 2)
                else:
                    value.append(scalar(pick, field))
        elif field.message_type:
            if depth < 4:
                value.SetInParent()
                fill(pick, value, depth + 1, share / 2)
        else:
            setattr(message, field.name, scalar(pick, field))


def take_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def pieces(data):
    """The fields of an encoded message, as they are written."""
    found, at = [], 0
    while at < len(data):
        begin = at
        tag, at = take_varint(data, at)
        if tag & 7 == 0:
            _, at = take_varint(data, at)
        elif tag & 7 == 2:
            size, at = take_varint(data, at)
            at += size
        elif tag & 7 == 3:
            at = data.index(varint(tag + 1), at) + len(varint(tag + 1))
        else:
            at += 8 if tag & 7 == 1 else 4
        found.append(data[begin:at])
    return found


def unknown(pick):
    number = pick.choice([99, 900, 70000, 2**29 - 1])
    inner = varint(8) + varint(5)
    return pick.choice([
        varint(number << 3) + varint(pick.randrange(2**64)),
        varint(number << 3 | 1) + bytes(8),
        varint(number << 3 | 2) + varint(3) + b"abc",
        varint(number << 3 | 3) + inner + varint(number << 3 | 4),
        varint(number << 3 | 5) + bytes(4),
        varint(14 << 3) + varint(9),         # a known field in another wire type
        varint(1 << 3 | 2) + varint(1) + b"x",
    ])


def make(pick, rich):
    """An encoded message, and whether it was damaged."""
    parts = []
    count = 1 if pick.random() < 0.6 else 2  # two after each other are merged
    pick.takes_nan = count == 1              # one that is replaced is refused all the same
    for _ in range(count):
        message = rich.Rich()
        fill(pick, message, 0, pick.choice([0.1, 0.4, 0.9]))
        parts += pieces(message.SerializeToString())
    if pick.random() < 0.3:
        pick.shuffle(parts)
    for _ in range(pick.randrange(3)):
        parts.insert(pick.randrange(len(parts) + 1), unknown(pick))
    if pick.random() < 0.3:  # the other way to write repeated scalars
        parts += [varint(21 << 3) + varint(5), varint(22 << 3 | 2) + varint(2) + b"\x03\x04",
                  varint(24 << 3) + varint(77), varint(50 << 3 | 5) + b"\x01\0\0\0"]
    data = bytearray(b"".join(parts))
    damaged = bool(data) and pick.random() < 0.2
    for _ in range(pick.randrange(1, 3) if damaged else 0):
        at = pick.randrange(len(data))
        if pick.random() < 0.5:
            data[at] = pick.randrange(256)
        else:
            del data[at:at + pick.randrange(1, 4)]
            data = data or bytearray(b"\0")
    return bytes(data), damaged


# Reading them.

def shown(field, value):
    if field.type == Field.TYPE_BOOL:
        return "true" if value else "false"
    if field.type == Field.TYPE_ENUM:
        named = field.enum_type.values_by_number.get(value)
        # Of several names the first one.
        first = next((v.name for v in field.enum_type.values if v.number == value), None) if named else None
        return "t" + (first or str(value)).encode().hex()
    if field.type == Field.TYPE_STRING:
        return "t" + (value if isinstance(value, bytes) else value.encode()).hex()  # bytes: proto2 does not check them
    if field.type == Field.TYPE_BYTES:
        return "t" + value.hex().encode().hex()
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError
    if isinstance(value, int):
        return f"n{float(value).hex()}/{value}"
    return f"n{value.hex()}/"


def leaf(message):
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        if not 0 <= message.nanos <= 999999999:
            raise ValueError
        return f"n{float(message.seconds * 1000 + message.nanos // 1000000).hex()}/"
    if name == "google.protobuf.Duration":
        if not -999999999 <= message.nanos <= 999999999:
            raise ValueError
        return f"n{(message.seconds + message.nanos / 1e9).hex()}/"
    return shown(message.DESCRIPTOR.fields_by_name["value"], message.value)


def element(field, value, steps):
    if not field.message_type:
        return [shown(field, value)]
    return read(value, steps) if steps else [leaf(value)]


def read(message, steps):
    """All values at the path, in order."""
    field = message.DESCRIPTOR.fields_by_name[steps[0]]
    value, steps = getattr(message, field.name), steps[1:]
    if field.message_type and field.message_type.GetOptions().map_entry:
        inner = field.message_type.fields_by_name["value"]
        whole = not inner.message_type or inner.message_type.full_name == "google.protobuf.Timestamp"
        key, steps = (".".join(steps), []) if whole else (steps[0], steps[1:])
        return element(inner, value[key], steps) if key in value else []
    if field.label == Field.LABEL_REPEATED:
        if steps and steps[0].isdigit():
            return element(field, value[int(steps[0])], steps[1:]) if int(steps[0]) < len(value) else []
        return [found for one in value for found in element(field, one, steps)]
    if field.has_presence and not message.HasField(field.name):
        return []
    return element(field, value, steps)


def answer(rich, data, paths):
    message = rich.Rich()
    try:
        with warnings.catch_warnings(record=True) as caught:  # of bytes behind a message
            warnings.simplefilter("always")
            message.ParseFromString(data)
        if caught:
            return None
        found = [(path, read(message, path.split("."))) for path in paths]
    except (DecodeError, ValueError):
        return None
    return "".join(f" {path}=" + ",".join(values) for path, values in found if values)


def main():
    folder, count, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    paths = sys.stdin.read().split()
    rich = load(os.path.abspath(folder))
    pick = random.Random(5)
    with open(name, "wb") as file:
        for _ in range(count):
            data, damaged = make(pick, rich)
            file.write(b"%d\n" % len(data) + data)
            found = answer(rich, data, paths)
            if found is None:
                print("bad" if damaged else "refused")
            else:
                print(("damaged" if damaged else "ok") + found)


main()
