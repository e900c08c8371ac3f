"""Says what Python's json makes of records: one line each, the top-level scalars in order, or `bad`.

Reads a file of records, each after its size in decimal and a line end. Made as strict as Riffle is: no NaN, no lone
surrogates, no doubled name in the outermost object.
"""
import json
import sys


class Pairs(list):
    pass


def refuse(word):
    raise ValueError(word)


def check_texts(value):
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, Pairs):
        for name, member in value:
            check_texts(name)
            check_texts(member)
    elif isinstance(value, list):
        for member in value:
            check_texts(member)


def shown(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise ValueError("not finite")
        return value.hex()
    return value.encode("utf-8").hex()


def answer(record):
    try:
        text = record.decode("utf-8")
        if text.startswith("\ufeff"):
            raise ValueError("byte order mark")
        value = json.loads(text, parse_constant=refuse, parse_int=float, object_pairs_hook=Pairs)
        check_texts(value)
        if not isinstance(value, Pairs) or len({name for name, _ in value}) < len(value):
            return "bad"
        fields = [(name, member) for name, member in value if not isinstance(member, list)]
        return "ok" + "".join(f" {name.encode('utf-8').hex()}={shown(member)}" for name, member in fields)
    except (ValueError, RecursionError):
        return "bad"


def main():
    with open(sys.argv[1], "rb") as file:
        while size := file.readline():
            print(answer(file.read(int(size))))


main()
