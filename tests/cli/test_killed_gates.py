"""A gate that is killed at any moment is reported for what it drove, never for what it did not."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leakbench.plan import MANIFEST_FILE, read_plan, replicate_folder
from leakbench.record.trace import read_end, read_trace
from tests.cli.calling import leakbench

CELLS = ("bounded", "sawtooth", "filling")
AT_LEAST_SECONDS = 7200.0
GATE = "".join(
    f'[[cell]]\nsubject = "leakbench.controls:{name}"\nscenario = "silence"\n'
    f'at_least = "2h"\naudio = "2h"\n'
    for name in CELLS
)
WHOLE_SECONDS = 6.0
"""What such a gate takes, more or less."""


def driven_seconds(run: Path) -> list[float]:
    """Return the audio that each worker has on disk and was not ended in the middle of."""
    seconds = []
    for cell in read_plan(run).cells:
        folder = replicate_folder(run, cell, 0)
        end = read_end(folder) if folder.is_dir() else None
        whole = end is not None and end.ending in ("completed", "stopped")
        samples = read_trace(folder).samples if whole else ()
        seconds.append(samples[-1].audio_seconds if samples else 0.0)
    return seconds


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_gate_killed_at_random_is_flat_only_if_all_was_driven(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    (tmp_path / "gate.toml").write_text(GATE)
    gate = subprocess.Popen(
        [sys.executable, "-m", "leakbench", "gate", "--config", "gate.toml", "--output", "o"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not (tmp_path / "o" / MANIFEST_FILE).exists():
        assert gate.poll() is None
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, WHOLE_SECONDS))
    gate.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
    gate.wait(60)
    reported = leakbench("report", "o", cwd=tmp_path)
    assert "Traceback" not in reported.stdout + reported.stderr
    is_whole = min(driven_seconds(tmp_path / "o")) >= AT_LEAST_SECONDS
    assert (reported.returncode == 0) == is_whole, reported.stdout
    assert reported.returncode in (0, 3, 4)
