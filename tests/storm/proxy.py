"""A TCP proxy between a worker and its broker, whose connections can be cut and slowed."""

import socket
import struct
import threading
import time

CHUNK = 64 * 1024


class Proxy:
    """Listens on a free port from the start; where it leads to is told later."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = None  # port; None: nobody is reached
        self.delay_s = 0  # before each piece that is passed on
        self.passed = 0  # bytes
        self.lock = threading.Lock()
        self.pairs = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Resets every connection; how many there were. New ones are let in at once."""
        with self.lock:
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            self._reset(pair)
        return len(pairs)

    def close(self):
        self.target = None
        self.listener.close()
        self.cut()

    @staticmethod
    def _reset(pair):
        for one in pair:
            try:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.shutdown(socket.SHUT_RDWR)  # wakes who waits in recv()
            except OSError:
                pass
            one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target or 1), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self.lock:
                self.pairs.add(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pass_on, args=(pair, source, sink), daemon=True).start()

    def _pass_on(self, pair, source, sink):
        try:
            while data := source.recv(CHUNK):
                if self.delay_s:
                    time.sleep(self.delay_s)
                sink.sendall(data)
                self.passed += len(data)
        except OSError:
            pass
        with self.lock:
            was_there = pair in self.pairs
            self.pairs.discard(pair)
        if was_there:
            self._reset(pair)
