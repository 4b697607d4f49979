"""``leakbench init`` and ``leakbench completion`` in a folder of the user's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leakbench.cli.starter import FILES, read_starter
from leakbench.plan.config import load_config
from leakbench.scenario import load_scenario


def call(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leakbench", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_what_it_wrote_runs_and_passes(tmp_path: Path) -> None:
    done = call("init", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    assert load_config(tmp_path / "leakbench.toml").cells
    # One cell of the gate: the whole of it is a test of the control, not of what was written.
    done = call(
        *("run", "--subject", "my_vad.py:MyVad", "--scenario", "meeting.toml"),
        *("--audio", "4m", "--output", "out"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_gate_it_wrote_passes(tmp_path: Path) -> None:
    call("init", cwd=tmp_path)
    done = call("gate", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "vad").mkdir()
    (tmp_path / "vad" / "leakbench.toml").write_text("# mine\n")
    done = call("init", "vad", cwd=tmp_path)
    assert done.returncode == 2
    assert "vad/leakbench.toml: there already" in done.stderr
    assert [path.name for path in (tmp_path / "vad").iterdir()] == ["leakbench.toml"]
    assert (tmp_path / "vad" / "leakbench.toml").read_text() == "# mine\n"


def test_the_subject_is_twenty_lines_of_code_without_our_linters_marks() -> None:
    lines = [line for line in read_starter("my_vad.py").splitlines() if line.strip()]
    assert len(lines) <= 21
    assert "noqa" not in read_starter("my_vad.py")


def test_the_scenario_is_one(tmp_path: Path) -> None:
    (tmp_path / "meeting.toml").write_text(read_starter("meeting.toml"))
    assert load_scenario(str(tmp_path / "meeting.toml")).period_seconds == 12


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_gets_its_script(tmp_path: Path, shell: str) -> None:
    done = call("completion", shell, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "_LEAKBENCH_COMPLETE" in done.stdout


def test_the_script_completes_commands(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "leakbench ju", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'leakbench'; from leakbench.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "_LEAKBENCH_COMPLETE": "zsh_complete", **words},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "judge" in done.stdout
