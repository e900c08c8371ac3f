"""Makes random Avro schemas, data of them by fastavro, and says what must become of each.

Lines, words in hex: `schema TEXT`, `names NAME...` or `rest LABEL ID`, then for each datum `datum BYTES` and what is expected: `bad`,
or `fields` and for each `NAME=VALUE` in no order. Arguments: seed, count of schemas.
"""
import decimal
import io
import json
import random
import struct
import sys
import uuid

import fastavro

decimal.getcontext().prec = 100
WORDS = ["", "a", "Bern", "Zürich", "007", "1.5", "naïve", "長い", "x" * 40]
KEYS = ["a", "b", "colour", "0", "1", "k.v", ""]
NAMES = ["a", "b", "c", "id", "items", "colour", "n_1"]


class Made:
    """A schema in the making: named types by their full names, each with what makes a value."""

    def __init__(self, rng):
        self.rng = rng
        self.named = {}  # full name -> maker of (datum, tree); None while it is being made
        self.count = 0

    def name(self, space):
        self.count += 1
        name = f"T{self.count}"
        kind = self.rng.randrange(4)
        if kind == 0:
            return {"name": f"other.space.{name}"}, f"other.space.{name}", "other.space"
        if kind == 1:
            return {"name": name, "namespace": "own"}, f"own.{name}", "own"
        return {"name": name}, f"{space}.{name}" if space else name, space


def integer(rng, bits):
    size = rng.choice([1, 3, 7, 14, bits])
    return rng.randrange(-(1 << size - 1), (1 << size - 1)) if size > 1 else rng.randrange(2)


def number(value, text=None, unit=""):
    return ("leaf", f"n{float(value):.17g}/{unit}/{text if text is not None else '?'}")


def text(value):
    return ("leaf", "t" + value.encode().hex())


def make_integer(rng, word):
    """(schema, union name, maker)"""
    bits = 32 if word == "int" else 64
    units = {"int": [("date", 4)], "long": [("timestamp-millis", 0), ("timestamp-micros", 2), ("local-timestamp-millis", 0),
                                           ("local-timestamp-micros", 2), ("time-micros", ""), ("absurd", "")]}
    if rng.random() < 0.3:
        logical, unit = rng.choice(units[word])

        def maker():
            value = integer(rng, min(bits, 40))
            return value, number(value, str(value), unit)

        return {"type": word, "logicalType": logical}, word, maker

    def maker():
        value = integer(rng, bits)
        return value, number(value, str(value))

    return rng.choice([word, {"type": word}]), word, maker


def make_real(rng, word):
    def maker():
        value = rng.choice([0.0, 0.1, -2.5, 1e-6, 123456.789, rng.uniform(-1e9, 1e9)])
        if word == "float":
            value = struct.unpack("f", struct.pack("f", value))[0]
        return value, number(value)

    return word, word, maker


def make_decimal(rng, made, space):
    precision = rng.choice([1, 5, 18, 30, 60])
    scale = rng.randrange(precision + 1)
    schema = {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
    word = "bytes"
    if rng.random() < 0.5:
        name, word, _ = made.name(space)
        schema.update(type="fixed", size=precision // 2 + 1, **name)
        made.named[word] = None

    def maker():
        unscaled = rng.randrange(-(10 ** rng.randrange(1, precision + 1)) + 1, 10**precision)
        value = decimal.Decimal(unscaled).scaleb(-scale)
        shown = format(value, "f")
        return value, number(value, shown if scale or unscaled else "0")

    return schema, word, maker


def make_enum(rng, made, space):
    name, full, _ = made.name(space)
    symbols = rng.sample(["RED", "GREEN", "BLUE", "X1"], rng.randrange(1, 5))

    def maker():
        symbol = rng.choice(symbols)
        return symbol, text(symbol)

    made.named[full] = maker
    return {"type": "enum", "symbols": symbols, "doc": "of colours", **name}, full, maker


def make_bytes(rng, made, space):
    kind = rng.randrange(3)
    if kind == 0:
        def maker():
            value = rng.choice(WORDS).encode()
            return value, ("bytes", "t" + value.hex())

        return "bytes", "bytes", maker
    name, full, _ = made.name(space)
    size = rng.choice([0, 1, 16])
    if kind == 1:
        def maker():
            value = bytes(rng.choice(b"abcXYZ") for _ in range(size))
            return value, ("bytes", "t" + value.hex())

        made.named[full] = maker
        return {"type": "fixed", "size": size, **name}, full, maker

    def maker():
        value = uuid.UUID(int=rng.getrandbits(128))
        return value.bytes, text(str(value))

    made.named[full] = None  # fastavro knows no uuid of a fixed by its reference
    return {"type": "fixed", "size": 16, "logicalType": "uuid", **name}, full, maker


def make_text(rng):
    def maker():
        value = rng.choice(WORDS)
        return value, text(value)

    return rng.choice(["string", {"type": "string", "logicalType": "absurd"}]), "string", maker


def make_scalar(rng, made, space):
    kind = rng.randrange(9)
    if kind == 0:
        return "null", "null", lambda: (None, ("leaf", "0"))
    if kind == 1:
        def maker():
            value = rng.random() < 0.5
            return value, ("leaf", "b" + str(int(value)))

        return "boolean", "boolean", maker
    if kind < 4:
        return make_integer(rng, rng.choice(["int", "long"]))
    if kind == 4:
        return make_real(rng, rng.choice(["float", "double"]))
    if kind == 5:
        return make_decimal(rng, made, space)
    if kind == 6:
        return make_enum(rng, made, space)
    return make_bytes(rng, made, space) if kind == 7 else make_text(rng)


def make_record(rng, made, space, depth):
    name, full, inner = made.name(space)
    state = {"depth": 0}
    fields = []

    def maker():
        state["depth"] += 1
        datum, tree = {}, []
        for field, (_, _, make) in fields:
            datum[field], shown = make()
            tree.append((field, shown))
        state["depth"] -= 1
        return datum, ("record", tree)

    made.named[full] = maker
    names = rng.sample(NAMES, rng.randrange(0 if depth < 3 else 1, 5))
    for field in names:
        if rng.random() < 0.15:  # it holds itself
            branches = [("null", "null", lambda: (None, ("leaf", "0"))), (full if inner else full, full, maker)]

            def itself(branches=branches):
                word, make = branches[rng.random() < 0.5 and state["depth"] < 3][1:]
                value, tree = make()
                return (word, value), tree

            short = full.rsplit(".", 1)[-1] if inner and full == f"{inner}.{full.rsplit('.', 1)[-1]}" else full
            fields.append((field, (["null", rng.choice([full, short])], None, itself)))
        else:
            fields.append((field, make_type(rng, made, inner, depth - 1)))
    schema = {"type": "record", "fields": [{
        "name" : field, "type" : made_type[0]} for field, made_type in fields], **name}
    if rng.random() < 0.2:
        schema["aliases"] = ["Former"]
    return schema, full, maker


def make_array(rng, made, space, depth):
    item = make_type(rng, made, space, depth - 1)

    def maker():
        items = [item[2]() for _ in range(rng.choice([0, 1, 2, 5]))]
        return [value for value, _ in items], ("array", [tree for _, tree in items])

    return {"type": "array", "items": item[0]}, "array", maker


def make_map(rng, made, space, depth):
    item = make_type(rng, made, space, depth - 1)

    def maker():
        items = [(key, item[2]()) for key in rng.sample(KEYS, rng.randrange(4))]
        return {
key: value for key, (value, _) in items}, ("map", [(key, tree) for key, (_, tree) in items])

    return {"type": "map", "values": item[0]}, "map", maker


def make_union(rng, made, space, depth):
    branches = {}
    for _ in range(rng.randrange(1, 5)):
        schema, word, maker = make_type(rng, made, space, depth - 1)
        if not isinstance(schema, list):
            branches.setdefault(word, (schema, maker))
    if rng.random() < 0.6 or not branches:
        branches.setdefault("null", ("null", lambda: (None, ("leaf", "0"))))

    def maker():
        word = rng.choice(list(branches))
        value, tree = branches[word][1]()
        return (word, value), tree

    return [schema for schema, _ in branches.values()], None, maker


def make_type(rng, made, space, depth):
    known = [full for full, maker in made.named.items() if maker]
    kind = rng.random()
    if depth <= 0 or kind < 0.45:
        return make_scalar(rng, made, space)
    if kind < 0.6:
        return make_record(rng, made, space, depth)
    if kind < 0.72:
        return make_array(rng, made, space, depth)
    if kind < 0.82:
        return make_map(rng, made, space, depth)
    return make_union(rng, made, space, depth)


def all_paths(tree, path, found):
    """Names that lead somewhere in one value."""
    if tree[0] in ("leaf", "bytes"):
        if path:
            found.add(path)
    elif tree[0] == "array":
        for index, item in enumerate(tree[1]):
            all_paths(item, path, found)
            all_paths(item, path + (str(index),), found)
    else:
        for name, member in tree[1]:
            if "." not in name:
                all_paths(member, path + (name,), found)
    if path and found and len(path) < 2:
        found.add(path)


def is_index(step):
    return step.isdigit() and (step == "0" or step[0] != "0")


def walk(tree, cursors, out):
    """cursors: (name, steps that are left). False: the record is to be rejected."""
    if not cursors:
        return True
    kind, content = tree
    if kind in ("leaf", "bytes"):
        out.extend(f"{name.encode().hex()}={content}" for name, steps in cursors if not steps)
        return True
    if kind == "array":
        for index, item in enumerate(content):
            inner = []
            for name, steps in cursors:
                if steps and is_index(steps[0]):
                    if steps[0] == str(index):
                        inner.append((name, steps[1:]))
                else:
                    inner.append((name, steps))
            if not walk(item, inner, out):
                return False
        return True
    if any(not steps for _, steps in cursors):
        return False
    for name, member in content:
        if not walk(member, [(whole, steps[1:]) for whole, steps in cursors if steps[0] == name], out):
            return False
    return True


def expected(tree, names, takes_rest):
    out = []
    if not walk(tree, [(name, tuple(name.split("."))) for name in names], out):
        return "bad"
    for name, member in tree[1] if takes_rest else []:
        if member[0] == "leaf" and name not in names:
            out.append(f"{name.encode().hex()}={member[1]}")
    return " ".join(["fields", *out])


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        made = Made(rng)
        space = rng.choice(["", "shop", "shop.v1"])
        schema, _, maker = make_record(rng, made, space, 4)
        if "." not in schema["name"]:
            schema.setdefault("namespace", space)
        parsed = fastavro.parse_schema(json.loads(json.dumps(schema)))
        data = [maker() for _ in range(6)]
        found = set()
        for _, tree in data:
            all_paths(tree, (), found)
        paths = sorted(".".join(path) for path in found if "" not in path)
        takes_rest = rng.random() < 0.3
        names = rng.sample(paths, min(len(paths), rng.randrange(2 if takes_rest else 6)))
        names = names + ["nowhere.at.all"] if not takes_rest and not names else names
        print("schema", json.dumps(schema).encode().hex())
        print("rest" if takes_rest else "names", *(name.encode().hex() for name in names))
        for datum, tree in data:
            room = io.BytesIO()
            fastavro.schemaless_writer(room, parsed, datum)
            print("datum", room.getvalue().hex() or "-")
            print(expected(tree, names, takes_rest))


main()
