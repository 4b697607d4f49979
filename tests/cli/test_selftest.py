"""``leakbench selftest`` as users call it."""

import subprocess
import sys
from pathlib import Path

import pytest


def selftest(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "leakbench", "selftest", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_a_clean_subject_is_flat_and_a_leak_is_found_at_its_rate(tmp_path: Path) -> None:
    done = selftest("--leak", "float-per-chunk", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith(" ")}
    assert rows["float-per-chunk"].split()[-2:] == ["+0.0%", "ok"]
    assert "nothing (alternating)" in done.stdout
    assert "nothing (silence)" in done.stdout
    assert "prove a leak of" in done.stdout


def test_a_subject_that_leaks_by_itself_fails(tmp_path: Path) -> None:
    subject = "leakbench.controls:leaky"
    done = selftest("--subject", subject, "--leak", "pinned-view", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"clean {subject}: " in done.stdout


@pytest.mark.slow
def test_leaks_are_hung_on_a_subject_in_a_file_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "vad.py").write_text("from leakbench.controls import EnergyVad\n")
    done = selftest("--subject", "vad.py:EnergyVad", "--leak", "key-per-chunk", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_every_leak_is_found(tmp_path: Path) -> None:
    done = selftest(cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
