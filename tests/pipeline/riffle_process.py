"""Runs the program under test: settings in a temporary folder, output captured, conditions waited for, ended at will.

    with Workspace() as workspace:
        settings = workspace.write("model.yaml", text)
        with workspace.riffle("run", settings) as worker:
            worker.wait_for(lambda: len(broker.consume("scores")) == 100, "100 scores")
            worker.kill()
        done = workspace.run_riffle("evaluate", settings, "--json")
        done.json()["model_sha256"]

The program is $RIFFLE_BIN. Every wait has a deadline and, when it passes, shows what the program said.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

PROGRAM = os.environ.get("RIFFLE_BIN", "build/release/ops/riffle")
DEADLINE_SECONDS = 60  # sanitizers on a busy machine are slow; nothing waits longer than it must


class Finished:
    """What a program that ended left behind."""

    def __init__(self, status, output, errors):
        self.status = status  # exit code; negative: the signal that ended it
        self.output = output
        self.errors = errors

    def json(self):
        """The last line of the output."""
        return json.loads(self.output.splitlines()[-1])

    def lines(self):
        """Every line of the output, as JSON."""
        return [json.loads(line) for line in self.output.splitlines()]


class Riffle:
    """One running program."""

    def __init__(self, workspace, arguments, environment, user=None, before=None):
        self.arguments = [str(argument) for argument in arguments]
        workspace.started += 1
        self.output_path = workspace.folder / f"output.{workspace.started}"
        self.errors_path = workspace.folder / f"errors.{workspace.started}"
        with open(self.output_path, "wb") as output, open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen([os.path.abspath(PROGRAM), *self.arguments], stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=errors, cwd=workspace.folder, env={**os.environ, **environment},
                                            user=user, preexec_fn=before)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def output(self):
        return self.output_path.read_text(errors="replace")

    @property
    def errors(self):
        return self.errors_path.read_text(errors="replace")

    def wait_for(self, condition, what, seconds=DEADLINE_SECONDS):
        """Waits until the condition holds; fails when the program ends first or the deadline passes. Returns what it gave."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.process.poll()
            held = condition()
            if held:
                return held
            if ended is not None:
                raise AssertionError(f"{self._say()} ended with {ended} before {what}{self._said()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self._say()}: waited {seconds} s for {what}{self._said()}")
            time.sleep(0.02)

    def wait_for_words(self, pattern, seconds=DEADLINE_SECONDS):
        """Waits until what it says on standard error or output holds the pattern; returns the match."""
        return self.wait_for(lambda: re.search(pattern, self.errors) or re.search(pattern, self.output), repr(pattern), seconds)

    def wait(self, seconds=DEADLINE_SECONDS):
        """Waits for its end."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self._say()}: waited {seconds} s for its end{self._said()}") from None
        return Finished(status, self.output, self.errors)

    def terminate(self, seconds=DEADLINE_SECONDS):
        """SIGTERM, as an operator does; waits for its end."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """SIGKILL: nothing can be written any more."""
        self.process.kill()
        return self.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def _say(self):
        return " ".join(["riffle", *self.arguments])

    def _said(self):
        shown = ""
        for name, text in (("errors", self.errors), ("output", self.output)):
            if text:
                shown += f"\n--- {name}, last lines ---\n" + "\n".join(text.splitlines()[-40:])
        return shown


class Workspace:
    """A temporary folder that programs run in."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="riffle-test-"))
        self.started = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def riffle(self, *arguments, environment=None, user=None, before=None):
        """Starts it, as another user or with something done `before` in the new process."""
        return Riffle(self, arguments, environment or {}, user, before)

    def run_riffle(self, *arguments, environment=None, status=0, seconds=DEADLINE_SECONDS, user=None, before=None):
        """Runs to the end; fails when the exit code is another than `status` (None: any)."""
        with self.riffle(*arguments, environment=environment, user=user, before=before) as program:
            done = program.wait(seconds)
            if status is not None and done.status != status:
                raise AssertionError(f"{program._say()} ended with {done.status}, not {status}{program._said()}")
            return done
