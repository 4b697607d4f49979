"""A worker's house is its own: nothing beside a subject shadows it, no subject moves it."""

import subprocess
import sys
from pathlib import Path

import pytest

NAMES = [
    "json",
    "numpy",
    "random",
    "types",
    "select",
    "token",
    "platform",
    "psutil",
    "math",
    "statistics",
    "queue",
    "scipy",
]

MOVES = """
import os
from leakbench.controls.energy_vad import EnergyVad

class Moves(EnergyVad):
    chunks = 0

    def feed(self, samples, is_final):
        self.chunks += 1
        if self.chunks == 30:
            os.chdir("/")
        return super().feed(samples, is_final)

    def roots(self):
        return {"levels": self.levels}
"""

SIBLING = """
import helper
from leakbench.controls.energy_vad import EnergyVad

class Uses(EnergyVad):
    def roots(self):
        return {"levels": self.levels, "of": helper.VALUE}
"""


def run(folder: Path, subject: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-P", "-m", "leakbench", "run", "--subject", subject),
            *("--scenario", "silence", "--output", "o", "--no-explain"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("subject", ["leakbench.controls:bounded", "here.py:Uses"])
def test_files_that_are_called_like_modules_shadow_nothing(tmp_path: Path, subject: str) -> None:
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not the module it is called')")
    (tmp_path / "here.py").write_text(SIBLING)
    (tmp_path / "helper.py").write_text("VALUE = 1")
    done = run(tmp_path, subject)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_subject_may_change_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "moves.py").write_text(MOVES)
    done = run(tmp_path, "moves.py:Moves")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "o" / "result.json").exists()
