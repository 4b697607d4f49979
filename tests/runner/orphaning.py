"""Subjects that start what would outlive them, or do not end when they are told to."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


class Plain(EnergyVad):
    """Nothing out of the ordinary."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.chunks += 1
        if self.chunks == 3:
            self.misbehave()
        return super().feed(samples, is_final)

    def misbehave(self) -> None:
        pass

    def roots(self) -> Mapping[str, object]:
        return {"levels": self.levels}


class Hangs(Plain):
    def misbehave(self) -> None:
        time.sleep(600)


class Spins(Plain):
    def misbehave(self) -> None:
        while True:
            pass


class Deaf(Plain):
    def misbehave(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)


class Child(Plain):
    def misbehave(self) -> None:
        self.child = subprocess.Popen(SLEEP)


class Bare(Plain):
    """A child that inherits no variable."""

    def misbehave(self) -> None:
        self.child = subprocess.Popen(SLEEP, env={"MARKED": os.environ["TMPDIR"]})


class Session(Plain):
    def misbehave(self) -> None:
        self.child = subprocess.Popen(SLEEP, start_new_session=True)


class Daemon(Plain):
    """A daemon as the books have it: two forks, and a session of its own."""

    def misbehave(self) -> None:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execv(SLEEP[0], SLEEP)
            os._exit(0)


class Pool(Plain):
    def misbehave(self) -> None:
        self.pool = multiprocessing.get_context("fork").Process(
            target=time.sleep, args=(600,), daemon=True
        )
        self.pool.start()
