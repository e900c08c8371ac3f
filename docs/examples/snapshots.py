"""Keeps a copy of a model's newest snapshot: snapshots.py PUBLISH SERVE MODEL FOLDER

PUBLISH and SERVE are the two endpoints of the clone. It asks for the newest snapshot, then follows; what has gaps is
asked for again; what does not verify is thrown away. Needs what subscribe.py needs.
"""
import hashlib
import os
import sys

import zmq

import riffle_pb2


class Assembly:
    """One snapshot on its way. Every socket has its own: their messages do not mix."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = None

    def take(self, topic, body):
        """Returns the manifest when a snapshot is whole, None while it is not; raises ValueError at a gap."""
        if topic.endswith(b"/manifest"):
            self.manifest = riffle_pb2.SnapshotManifest.FromString(body)
            self.data, self.index = hashlib.sha256(), 0
            self.path = os.path.join(self.folder, f"{self.manifest.model}.part")
            self.file = open(self.path, "wb")
            return None
        chunk = riffle_pb2.SnapshotChunk.FromString(body)
        if not self.manifest or (chunk.epoch, chunk.sequence) != (self.manifest.epoch, self.manifest.sequence):
            return None  # of a snapshot whose beginning was not seen
        if chunk.index != self.index:
            self.manifest = None
            raise ValueError(f"chunk {self.index} of snapshot {chunk.sequence} is missing")
        self.file.write(chunk.data)
        self.data.update(chunk.data)
        self.index += 1
        return self.finish() if self.index == self.manifest.chunk_count else None

    def finish(self):
        manifest, self.manifest = self.manifest, None
        self.file.close()
        if self.data.digest() != manifest.sha256:
            raise ValueError(f"snapshot {manifest.sequence} does not verify")
        os.replace(self.path, os.path.join(self.folder, f"{manifest.model}-{manifest.epoch}-{manifest.sequence}.snapshot"))
        return manifest


def main(publish, serve, model, folder):
    context = zmq.Context()
    follower, client = context.socket(zmq.SUB), context.socket(zmq.DEALER)
    follower.connect(publish)
    follower.subscribe(f"snapshot/{model}/")  # first subscribe, then ask: nothing falls between
    client.connect(serve)
    poller = zmq.Poller()
    poller.register(follower, zmq.POLLIN)
    poller.register(client, zmq.POLLIN)

    def ask():
        client.send(riffle_pb2.SnapshotRequest(model=model).SerializeToString())

    assemblies = {socket: Assembly(os.path.join(folder, name)) for socket, name in ((follower, "followed"), (client, "asked"))}
    for assembly in assemblies.values():
        os.makedirs(assembly.folder, exist_ok=True)
    have = None
    ask()
    while True:
        for socket, _ in poller.poll():
            try:
                manifest = assemblies[socket].take(*socket.recv_multipart())
            except ValueError as gap:
                print(gap, file=sys.stderr, flush=True)
                ask()
                continue
            if manifest and (have is None or (manifest.epoch, manifest.sequence) > have):  # an older one may come late
                have = (manifest.epoch, manifest.sequence)
                print(f"{manifest.model} epoch {have[0]} snapshot {have[1]}: {manifest.size} bytes, "
                      f"sha256 {manifest.sha256.hex()}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])
