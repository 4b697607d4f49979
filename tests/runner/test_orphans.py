"""Nothing that a run started outlives it: not a worker, not what a subject started, no folder."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.signals import heed_signals

SUBJECTS = Path(__file__).parent / "orphaning.py"
LINGERING = ("Child", "Bare", "Session", "Daemon", "Pool")
ALL = ("Plain", "Hangs", "Spins", "Deaf", *LINGERING)
PATIENCE_SECONDS = 15.0
"""For a warden's grace, its scan, and a busy machine."""

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no /proc here")


def start(folder: Path, name: str, *more: str) -> subprocess.Popen[bytes]:
    """Start a run of one of them whose every process has `folder` above its temporary files."""
    (folder / "tmp").mkdir()
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "leakbench", "run", "--subject", f"{SUBJECTS}:{name}"),
            *("--scenario", "silence", "--output", "o", *more),
        ],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_signals,
    )


def started_by(folder: Path) -> list[psutil.Process]:
    """The processes that are there of that run, the run itself and zombies apart."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            temp = environment.get("TMPDIR", environment.get("MARKED", ""))
            if temp.startswith(str(folder)) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def check_nothing_is_left(folder: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while (left := started_by(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []
    while (files := list((folder / "tmp").iterdir())) and time.monotonic() < until:
        time.sleep(0.05)
    assert files == []


@pytest.mark.parametrize("name", LINGERING)
def test_what_a_subject_started_ends_with_its_run(tmp_path: Path, name: str) -> None:
    run = start(tmp_path, name, "--audio", "1m", "--no-explain")
    assert run.wait(120) in (0, 1, 3)
    check_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("Plain", 0.0), ("Plain", 0.1), ("Deaf", 1.0), ("Daemon", 1.0), ("Bare", 1.0)],
)
def test_a_run_that_is_killed_leaves_nothing(tmp_path: Path, name: str, seconds: float) -> None:
    kill_after_a_worker_began(tmp_path, name, seconds)
    check_nothing_is_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    kill_after_a_worker_began(tmp_path, "Hangs", 1.0, number)
    check_nothing_is_left(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_runs_killed_at_random_leave_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    seconds = chance.uniform(0.0, 0.2) if chance.random() < 0.4 else chance.uniform(0.0, 4.0)
    number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    kill_after_a_worker_began(tmp_path, chance.choice(ALL), seconds, number)
    check_nothing_is_left(tmp_path)


def kill_after_a_worker_began(
    folder: Path, name: str, seconds: float, number: signal.Signals = signal.SIGKILL
) -> None:
    run = start(folder, name, "--audio", "300h", "--at-least", "300h", "--no-explain")
    while not list((folder / "o").glob("cells/*/r0/cell.json")):
        assert run.poll() is None
        time.sleep(0.01)
    time.sleep(seconds)
    run.send_signal(number)
    run.wait(60)
