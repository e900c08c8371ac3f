"""The few administrative requests that tests make of a broker, spoken directly: no Java start-up, no library.

Layouts: the protocol guide of Apache Kafka, https://kafka.apache.org/protocol (request header version 1, response
header version 0, none of the flexible versions).
"""

import collections
import socket
import struct
import time

# name: (key, version)
LIST_OFFSETS = (2, 2)
OFFSET_FETCH = (9, 2)
FIND_COORDINATOR = (10, 0)
CREATE_TOPICS = (19, 2)
DELETE_TOPICS = (20, 1)
DELETE_RECORDS = (21, 0)
CREATE_PARTITIONS = (37, 0)
METADATA = (3, 4)

UNKNOWN_TOPIC_OR_PARTITION = 3
NOT_LEADER = 6
COORDINATOR_LOADING = 14
COORDINATOR_NOT_AVAILABLE = 15
NOT_COORDINATOR = 16

LATEST = -1
EARLIEST = -2

TIMEOUT_MS = 20000


Part = collections.namedtuple("Part", "error partition leader replicas in_sync")


class KafkaError(Exception):
    """The broker answered with an error code."""

    def __init__(self, what, code, message=None):
        super().__init__(f"{what}: error {code}" + (f" ({message})" if message else ""))
        self.code = code


class Writer:
    def __init__(self):
        self.bytes = bytearray()

    def number(self, form, value):
        self.bytes += struct.pack(">" + form, value)
        return self

    def text(self, value):
        if value is None:
            return self.number("h", -1)
        encoded = value.encode()
        self.number("h", len(encoded))
        self.bytes += encoded
        return self

    def list(self, values, write):
        self.number("i", len(values))
        for value in values:
            write(value)
        return self


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def number(self, form):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        size = self.number("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def list(self, read):
        return [read() for _ in range(self.number("i"))]


class Admin:
    """One connection to a broker."""

    def __init__(self, host, port, timeout_s=30):
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        self.correlation = 0

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, request, body):
        key, version = request
        self.correlation += 1
        header = Writer().number("h", key).number("h", version).number("i", self.correlation).text("riffle-tests")
        message = bytes(header.bytes + body.bytes)
        self.socket.sendall(struct.pack(">i", len(message)) + message)
        (size,) = struct.unpack(">i", self._receive(4))
        answer = Reader(self._receive(size))
        if answer.number("i") != self.correlation:
            raise KafkaError("correlation id", -1)
        return answer

    def _receive(self, size):
        data = bytearray()
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("the broker closed the connection")
            data += piece
        return bytes(data)

    def create_topic(self, name, partitions, settings=None, replication=1):
        body = Writer()

        def topic(_):
            body.text(name).number("i", partitions).number("h", replication).list([], None)
            body.list(list((settings or {}).items()), lambda pair: body.text(pair[0]).text(str(pair[1])))

        body.list([name], topic).number("i", TIMEOUT_MS).number("?", False)
        answer = self.ask(CREATE_TOPICS, body)
        answer.number("i")  # throttle
        for _, code, message in answer.list(lambda: (answer.text(), answer.number("h"), answer.text())):
            if code:
                raise KafkaError(f"create topic {name}", code, message)

    def delete_topic(self, name):
        body = Writer()
        body.list([name], body.text).number("i", TIMEOUT_MS)
        answer = self.ask(DELETE_TOPICS, body)
        answer.number("i")
        for _, code in answer.list(lambda: (answer.text(), answer.number("h"))):
            if code:
                raise KafkaError(f"delete topic {name}", code)

    def create_partitions(self, name, count):
        """Raises a topic's number of partitions to `count`."""
        body = Writer()
        body.list([name], lambda _: body.text(name).number("i", count).number("i", -1))
        body.number("i", TIMEOUT_MS).number("?", False)
        answer = self.ask(CREATE_PARTITIONS, body)
        answer.number("i")
        for _, code, message in answer.list(lambda: (answer.text(), answer.number("h"), answer.text())):
            if code:
                raise KafkaError(f"create partitions of {name}", code, message)

    def delete_records(self, name, partition, offset):
        """Cuts the log: everything below `offset` is gone."""
        body = Writer()
        body.list([name], lambda _: body.text(name).list([partition], lambda p: body.number("i", p).number("q", offset)))
        body.number("i", TIMEOUT_MS)
        answer = self.ask(DELETE_RECORDS, body)
        answer.number("i")
        read = lambda: (answer.number("i"), answer.number("q"), answer.number("h"))
        for _, parts in answer.list(lambda: (answer.text(), answer.list(read))):
            for _, _, code in parts:
                if code:
                    raise KafkaError(f"delete records of {name}", code)

    def topics(self):
        """{name: number of partitions, 0 while one of them has no leader}"""
        has_leaders = lambda parts: all(part.error == 0 and part.leader >= 0 for part in parts)
        return {name: len(parts) if has_leaders(parts) else 0 for name, parts in self.layout()[1].items()}

    def layout(self):
        """({id of broker: (host, port)}, {name of topic: [Part]}), as this broker knows it."""
        body = Writer().number("i", -1).number("?", False)
        answer = self.ask(METADATA, body)
        answer.number("i")
        brokers = answer.list(lambda: (answer.number("i"), answer.text(), answer.number("i"), answer.text()))
        answer.text()
        answer.number("i")
        numbers = lambda: answer.list(lambda: answer.number("i"))
        partition = lambda: Part(answer.number("h"), answer.number("i"), answer.number("i"), numbers(), numbers())
        topic = lambda: (answer.number("h"), answer.text(), answer.number("?"), answer.list(partition))
        parts = {name: parts for code, name, _, parts in answer.list(topic) if code == 0}
        return {number: (host, port) for number, host, port, _ in brokers}, parts

    def offsets(self, name, partitions, time_ms=LATEST):
        """The offset of each partition of `partitions` (a list) at a time; LATEST: its end, EARLIEST: its start."""
        body = Writer().number("i", -1).number("b", 0)
        body.list([name], lambda _: body.text(name).list(partitions, lambda p: body.number("i", p).number("q", time_ms)))
        answer = self.ask(LIST_OFFSETS, body)
        answer.number("i")
        read = lambda: (answer.number("i"), answer.number("h"), answer.number("q"), answer.number("q"))
        found = {}
        for _, parts in answer.list(lambda: (answer.text(), answer.list(read))):
            for partition, code, _, offset in parts:
                if code:
                    raise KafkaError(f"offsets of {name} [{partition}]", code)
                found[partition] = offset
        return [found[partition] for partition in partitions]

    def committed(self, group):
        """{(topic, partition): (offset, metadata)} of a group; waits until its coordinator is there."""
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while True:
            code, offsets = self._committed(group)
            if code == 0:
                return offsets
            if code not in (COORDINATOR_LOADING, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR) or time.monotonic() > deadline:
                raise KafkaError(f"offsets of group {group}", code)
            time.sleep(0.05)

    def coordinator(self, group):
        """(error code, host, port) of the broker that keeps a group."""
        answer = self.ask(FIND_COORDINATOR, Writer().text(group))
        code, _ = answer.number("h"), answer.number("i")
        return code, answer.text(), answer.number("i")

    def _committed(self, group):
        code = self.coordinator(group)[0]
        if code:
            return code, None
        answer = self.ask(OFFSET_FETCH, Writer().text(group).number("i", -1))
        read = lambda: (answer.number("i"), answer.number("q"), answer.text(), answer.number("h"))
        topics = answer.list(lambda: (answer.text(), answer.list(read)))
        return answer.number("h"), {(name, p): (offset, note) for name, parts in topics for p, offset, note, _ in parts}
