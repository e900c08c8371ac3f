"""Readers of predictions for pipeline tests: processes that can be slow, stand still, be killed and come back."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pipeline_test

HERE = pathlib.Path(__file__).resolve().parent


def need():
    """Skips the test where a reader cannot run."""
    if not shutil.which("protoc"):
        pipeline_test.skip("no protoc on this machine: run `sh ops/setup.sh test`")
    if subprocess.run([sys.executable, "-c", "import zmq, google.protobuf"], capture_output=True, check=False).returncode:
        pipeline_test.skip("no zmq or protobuf for this Python: run `sh ops/setup.sh test`")


class Reader:
    def __init__(self, workspace, name, kind, endpoint, confirm=None, rate=0):
        self.folder = workspace.folder
        if not (self.folder / "riffle_pb2.py").exists():
            proto = HERE.parent.parent / "proto"
            subprocess.run(["protoc", f"--python_out={self.folder}", f"--proto_path={proto}", "riffle.proto"], check=True)
        self.seen = self.folder / f"{name}.seen"
        self.pace = self.folder / f"{name}.pace"
        self.arguments = [kind, endpoint, str(self.seen), str(self.pace)] + ([confirm] if confirm else [])
        self.process = None
        self._parsed, self._batches, self._count = 0, [], 0  # of the file, up to now
        self.set_rate(rate)
        self.start()

    def start(self):
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        self.process = subprocess.Popen([sys.executable, "-B", str(HERE / "reader_zeromq.py"), *self.arguments],
                                        stdout=subprocess.PIPE, env=environment)
        self.process.stdout.readline()  # it is connected, or about to be

    def set_rate(self, predictions_a_second):
        """0: as many as come."""
        fresh = self.pace.with_suffix(".fresh")
        fresh.write_text(str(predictions_a_second))
        fresh.rename(self.pace)

    def stand_still(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def batches(self):
        """[(epoch, sequence, [(partition, offset)])], in the order of reading."""
        if self.seen.exists():
            with open(self.seen, "rb") as lines:
                lines.seek(self._parsed)
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    self._parsed += len(line)
                    epoch, sequence, *places = line.split()
                    self._batches.append((int(epoch), int(sequence), [tuple(map(int, place.split(b":"))) for place in places]))
                    self._count += len(places)
        return self._batches

    def places(self):
        return [place for _, _, places in self.batches() for place in places]

    def count(self):
        """How many predictions were read; a repeated one counts again."""
        self.batches()
        return self._count

    def gaps(self):
        """Where sequence numbers of an epoch are missing, as (from, to)."""
        gaps = []
        before = None
        for epoch, sequence, _ in self.batches():
            if before and before[0] == epoch and sequence > before[1] + 1:
                gaps.append((before[1] + 1, sequence - 1))
            before = (epoch, sequence)
        return gaps
