"""Workers of a fleet in a storm, each with a supervisor that restarts it, and judges how it ended."""

import signal
import time

DONE, FAILED, HELD = 0, 1, 3  # exit codes, see ops/arguments.h
ENVIRONMENT_SECONDS = 90  # so long a broker that was away, or a worker that stood still, explains an end with a sentence
TWIN_SECONDS = 60
STOP_SECONDS = 60


class Member:
    """One group.instance.id. `storm` starts processes, counts, and takes complaints."""

    def __init__(self, storm, name):
        self.storm, self.name = storm, name
        self.program = None
        self.twin = None  # a second process of the same name
        self.is_wanted = True  # else nobody restarts it
        self.is_paused = False
        self.stop_asked = None  # when
        self.restart_at = 0
        self.twin_until = 0

    def is_running(self):
        return self.program is not None and self.program.process.poll() is None

    def is_free(self):
        """Nothing befalls it now."""
        return self.is_running() and not self.is_paused and not self.twin and self.stop_asked is None

    # What befalls it.

    def start(self):
        self.program = self.storm.start_worker(self.name)
        self.storm.counts["starts"] += 1

    def kill(self, restart_in):
        self.program.kill()
        self.program = None
        self.restart_at = time.monotonic() + restart_in

    def pause(self):
        self.program.pause()
        self.is_paused = True

    def resume(self):
        self.program.resume()
        self.is_paused = False
        self.storm.disturb()

    def ask_to_end(self, restart_in=0):
        self.program.process.send_signal(signal.SIGTERM)
        self.stop_asked = time.monotonic()
        self.restart_at = time.monotonic() + restart_in

    def double(self):
        self.twin = self.storm.start_worker(self.name)
        self.twin_until = time.monotonic() + TWIN_SECONDS

    def close(self):
        for program in filter(None, (self.program, self.twin)):
            program.__exit__()

    # What its supervisor does.

    def attend(self):
        now = time.monotonic()
        if self.twin:
            self._attend_twins(now)
        elif self.program is None:
            if self.is_wanted and now >= self.restart_at:
                self.start()
        elif self.program.process.poll() is not None:
            self._judge(self.program, self.program.process.returncode)
            self.program, self.stop_asked = None, None
            self.restart_at = max(self.restart_at, now + 0.5)
        elif self.stop_asked is not None and now - self.stop_asked > STOP_SECONDS:
            self.storm.complain(f"{self.name} did not end within {STOP_SECONDS} s of being asked", self.program)
            self.kill(0)
            self.stop_asked = None

    def _attend_twins(self, now):
        """One of the two goes, because of the other. The one that is left is the worker."""
        if self.program.process.poll() is None and self.twin.process.poll() is None:
            if now > self.twin_until:
                self.storm.complain(f"{self.name} lived twice for {TWIN_SECONDS} s", self.program)
                self.twin.kill()
                self.twin = None
            return
        gone, left = (self.program, self.twin) if self.program.process.poll() is not None else (self.twin, self.program)
        self.storm.counts["the newer of two went" if gone is self.twin else "the older of two went"] += 1
        if gone.process.returncode != HELD:
            self._judge(gone, gone.process.returncode)
        self.program, self.twin = left, None
        if left.process.poll() is None:
            return
        self.storm.counts["both of two went"] += 1
        if left.process.returncode != HELD:
            self._judge(left, left.process.returncode)
        self.program, self.restart_at = None, now

    def _judge(self, program, code):
        counts = self.storm.counts
        if self.stop_asked is not None and code in (DONE, -signal.SIGTERM):
            counts["ended in order" if code == DONE else "ended before it listened"] += 1
            return
        words = (program.errors.splitlines()[-1:] or ["no word"])[0]
        self.storm.sentences[f"{code}: {words[:200]}"] += 1
        counts["ended by itself"] += 1
        if code != FAILED or not self.storm.is_disturbed(ENVIRONMENT_SECONDS):
            self.storm.complain(f"{self.name} ended by itself with {code}", program)
