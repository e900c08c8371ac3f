"""The order in which a state folder says its records were folded, read from the segment files (see ops/schedule.h)."""

import pathlib
import struct

MAGIC = b"RIFFSCH\x01"


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def frames(data):
    """The contents of each frame, up to one that is torn."""
    at = len(MAGIC)
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        if size == 0 or at + 8 + size > len(data):
            return
        yield data[at + 8 : at + 8 + size]
        at += 8 + size


def runs(path):
    """(topic, partition, count) of each run in a segment."""
    data = pathlib.Path(path).read_bytes()
    names = []
    for frame in frames(data) if data[: len(MAGIC)] == MAGIC else ():
        at = 1
        if frame[:1] == b"T":
            index, at = varint(frame, at)
            partition, at = varint(frame, at)
            assert index == len(names), f"{path} names partition {index} behind {len(names)}"
            names.append((frame[at:].decode(), partition))
        while frame[:1] == b"R" and at < len(frame):
            index, at = varint(frame, at)
            count, at = varint(frame, at)
            yield (*names[index], count)


def order(folder, line=1):
    """(topic, partition, count) of all that was folded on a line. A segment counts up to where the next one begins."""
    paths = sorted(pathlib.Path(folder).glob(f"schedule-{line:010}-*.log"))
    firsts = [int(path.stem.rsplit("-", 1)[1]) for path in paths]
    for i, path in enumerate(paths):
        assert i or firsts[0] == 0, f"{path} begins at record {firsts[0]}"
        left = firsts[i + 1] - firsts[i] if i + 1 < len(paths) else None
        for topic, partition, count in runs(path):
            count = count if left is None else min(count, left)
            left = left if left is None else left - count
            if count:
                yield topic, partition, count
        assert not left, f"{left} records are missing between {path} and the next segment"
