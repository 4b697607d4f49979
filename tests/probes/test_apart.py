"""What is run in a fork leaves no trace here: no memory, no process, no open pipe."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from leakbench.probes.apart import run_apart


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_the_answer_comes_back_and_what_was_done_for_it_does_not() -> None:
    kept: list[int] = []

    def compute() -> tuple[int, list[int]]:
        kept.extend(range(1000))
        return id(kept), kept

    where, answer = run_apart(compute)
    assert where == id(kept)
    assert answer == list(range(1000))
    assert kept == []


def test_a_long_answer_is_whole() -> None:
    assert len(run_apart(lambda: b"x" * 10_000_000)) == 10_000_000


@pytest.mark.parametrize("harm", ["raises", "is killed", "hangs", "answers what has no form"])
def test_a_fork_without_an_answer_is_told_and_gone(harm: str) -> None:
    def compute() -> object:
        if harm == "raises":
            raise ValueError("no")
        if harm == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if harm == "hangs":
            time.sleep(60)
        return object()

    before = descriptors()
    with pytest.raises(RuntimeError, match="no answer"):
        run_apart(compute, seconds_at_most=0.5)
    assert descriptors() == before
    assert not [c for c in psutil.Process().children() if c.status() == psutil.STATUS_ZOMBIE]


def test_nothing_of_this_process_is_run_in_the_fork() -> None:
    class Loud:
        def __del__(self) -> None:
            os.write(writing, b"!")

    reading, writing = os.pipe()
    loud = Loud()
    run_apart(lambda: 1)
    os.set_blocking(reading, False)
    with pytest.raises(BlockingIOError):
        os.read(reading, 1)
    del loud
    assert os.read(reading, 1) == b"!"
    os.close(reading)
    os.close(writing)
