"""Says what Python's json makes of records: one line each, the top-level scalars in order, or `bad`.

Reads a file of records, each after its size in decimal and a line end. Made as strict as Riffle is: no NaN, no lone
surrogates, no doubled name in the outermost object. With the names of fields behind the file: the values of each, by its
path, one field after the other; texts of those marked with # are read as the numbers they spell.
"""
import json
import re
import sys

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)


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


def members(value, name):
    found = [member for other, member in value if other == name]
    if len(found) > 1:
        raise ValueError("doubled name on a path")
    return found


def values(value, steps):
    """The values that a path leads to; None where it leads to an empty list."""
    if isinstance(value, Pairs):
        if not steps:
            raise ValueError("an object where a value must be")
        for member in members(value, steps[0]):
            yield from values(member, steps[1:])
    elif isinstance(value, list):
        if steps and re.fullmatch("0|[1-9][0-9]*", steps[0]):
            yield from values(value[int(steps[0])], steps[1:]) if int(steps[0]) < len(value) else ()
        else:
            yield from () if steps or value else (Empty,)
            for element in value:
                yield from values(element, steps)
    elif not steps:
        yield value


class Empty:
    pass


def number_of(value):
    if not isinstance(value, str):
        return value
    text = value.strip(" \t\r\n")
    return None if not text else float(text) if NUMBER.fullmatch(text) else value


def field_values(record, name):
    path = name.lstrip("#")
    nested = list(values(record, path.split(".")))
    whole = list(values(record, [path])) if "." in path else []
    if whole and nested:
        raise ValueError("the same field in two ways")
    found = [value for value in nested + whole if value is not Empty]
    return [(path, number_of(value) if name != path else value) for value in found]


def top_level(record, names):
    return [(name, member) for name, member in record if not isinstance(member, list)]


def by_paths(record, names):
    return [pair for name in names for pair in field_values(record, name)]


def answer(record, names):
    try:
        text = record.decode("utf-8")
        if text.startswith("\ufeff"):
            raise ValueError("byte order mark")
        value = json.loads(text, parse_constant=refuse, parse_int=float, object_pairs_hook=Pairs)
        check_texts(value)
        if not isinstance(value, Pairs) or len({name for name, _ in value}) < len(value):
            return "bad"
        fields = by_paths(value, names) if names else top_level(value, names)
        return "ok" + "".join(f" {name.encode('utf-8').hex()}={shown(member)}" for name, member in fields)
    except (ValueError, RecursionError):
        return "bad"


def main():
    with open(sys.argv[1], "rb") as file:
        while size := file.readline():
            print(answer(file.read(int(size)), sys.argv[2:]))


main()
