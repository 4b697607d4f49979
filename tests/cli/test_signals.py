"""A signal ends a run as Ctrl-C does: workers first, and what there is is kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from leakbench.cli.signals import Interrupted, signals_held, signals_raise
from leakbench.record.result import read_result
from tests.signals import heed_signals

LONG = (
    *("run", "--subject", "leakbench.controls:bounded", "--scenario", "silence", "--output", "o"),
    *("--audio", "300h", "--at-least", "300h"),
)


class Run:
    """A long run, with its worker driving."""

    def __init__(self, folder: Path, *wrapper: str) -> None:
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "leakbench", *LONG],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_signals,
        )
        trace = folder / "o" / "cells" / "leakbench.controls-bounded--silence--600ms--embedded"
        while not any(file.stat().st_size for file in trace.glob("r0/trace.jsonl")):
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)
        self.workers = psutil.Process(self.process.pid).children(recursive=True)
        assert self.workers

    def end(self) -> int:
        self.process.communicate(timeout=60)
        _, alive = psutil.wait_procs(self.workers, timeout=10)
        assert alive == []
        return self.process.returncode


@pytest.mark.parametrize(
    ("numbers", "status"),
    [
        ([signal.SIGTERM], 143),
        ([signal.SIGHUP], 129),
        ([signal.SIGINT], 130),
        # A scheduler tells the group and the process; a terminal hangs up, then the shell does.
        ([signal.SIGTERM, signal.SIGTERM], 143),
        ([signal.SIGHUP, signal.SIGTERM, signal.SIGHUP], 129),
    ],
    ids=str,
)
def test_workers_are_ended_and_a_result_is_left(
    tmp_path: Path, numbers: list[signal.Signals], status: int
) -> None:
    run = Run(tmp_path)
    for number in numbers:
        run.process.send_signal(number)
        time.sleep(0.1)
    assert run.end() == status
    assert read_result(tmp_path / "o").cells[0].audio_seconds > 0
    assert (tmp_path / "o" / "report.html").is_file()


def test_a_signal_that_was_ignored_stays_ignored(tmp_path: Path) -> None:
    run = Run(tmp_path, "nohup")
    run.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert run.process.poll() is None
    run.process.terminate()
    assert run.end() == 143


@pytest.fixture
def _heeding() -> Iterator[None]:
    """Have SIGHUP end this process, as whoever runs the tests may have ignored it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def wait_for_a_signal(number: signal.Signals) -> None:
    with signals_raise():
        os.kill(os.getpid(), number)
        time.sleep(5)


def test_a_signal_is_raised_where_it_came() -> None:
    with pytest.raises(Interrupted, match="SIGTERM"):
        wait_for_a_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("_heeding")
def test_what_must_not_be_cut_short_is_not() -> None:
    done = []

    def save() -> None:
        with signals_raise(), signals_held():
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.05)
            done.append("saved")

    with pytest.raises(Interrupted, match="SIGHUP"):
        save()
    assert done == ["saved"]
