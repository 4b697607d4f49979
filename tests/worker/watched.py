"""Subjects for the tests of sampling: each holds on to one thing, or looks as if it did."""

import functools
import os
import re
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leakbench.subject import Samples, Segments


class Still:
    """Keeps nothing, and has no number that could become larger."""

    sample_rate = 16000

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.fed = array("q", [0])

    def start(self) -> None:
        self.state = {"levels": [0.5] * 10}

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.fed[0] += 1
        self.state["levels"][0] = float(samples.sum())
        self.hold()
        return []

    def hold(self) -> None:
        """Hold on to something of a chunk."""

    def roots(self) -> Mapping[str, object]:
        return self.state

    def close(self) -> None:
        self.state = {}


class Talkative(Still):
    """Opens and closes a segment in each chunk."""

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        super().feed(samples, is_final)
        return [[0, 600]]


class Holding(Still):
    """Keeps one of what it is told to with each chunk, or, bounded, only the last one."""

    def __init__(self, what: str, bounded: bool) -> None:
        super().__init__()
        self.what = what
        self.bounded = bounded
        self.held: list[Any] = []
        self.take()
        self.let_go()

    def hold(self) -> None:
        self.take()
        if self.bounded:
            self.let_go()

    def take(self) -> None:
        getattr(self, f"take_{self.what}")()

    def let_go(self) -> None:
        held = self.held.pop()
        if isinstance(held, subprocess.Popen):
            held.wait()
        elif isinstance(held, Path):
            held.unlink()
        elif isinstance(held, int):
            os.close(held)

    def take_descriptor(self) -> None:
        self.held.append(os.open(os.devnull, os.O_RDONLY))

    def take_file(self) -> None:
        descriptor, name = tempfile.mkstemp()
        os.write(descriptor, b"x" * 100)
        os.close(descriptor)
        self.held.append(Path(name))

    def take_zombie(self) -> None:
        child = subprocess.Popen([sys.executable, "-S", "-c", ""])
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.held.append(child)

    def take_object(self) -> None:
        self.held.append([None] * 20)


class Matching(Still):
    """Asks the library for a pattern that it has not seen."""

    def hold(self) -> None:
        re.compile(f"a{{{self.fed[0]}}}")


class Slowing(Still):
    """Takes longer with each chunk: by the processor, or waiting."""

    def __init__(self, waits: bool) -> None:
        super().__init__()
        self.waits = waits

    def hold(self) -> None:
        if self.waits:
            time.sleep(0.001)
        else:
            functools.reduce(lambda a, b: a + b, range(200 * self.fed[0]))


class Swallowing(Still):
    """Keeps 1 MiB of each chunk."""

    def hold(self) -> None:
        self.state.setdefault("all", []).append(b"x" * (1 << 20))
