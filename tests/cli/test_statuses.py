"""An exit status is a verdict's, or says that there is none, whoever reads and whatever is said."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from leakbench.record.result import read_result

FLAT = ("run", "--subject", "leakbench.controls:bounded", "--scenario", "silence", "--audio", "4m")
LONG = (
    "run",
    "--subject",
    "leakbench.controls:bounded",
    "--scenario",
    "silence",
    "--audio",
    "300h",
)
HOSTILE = """
from leakbench.controls.energy_vad import EnergyVad

class Boom(EnergyVad):
    def feed(self, samples, is_final):
        raise ValueError("[/foo] :boom: bad\\n::error::PWN\\x1b[31m \\udc80 caf\\u00e9")
"""


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=240,
        env={**os.environ, **environment},
    )


def leakbench(*arguments: str) -> str:
    return " ".join([sys.executable, "-m", "leakbench", *arguments])


@pytest.mark.parametrize(
    ("after", "environment"),
    [
        ("| head -1; exit ${PIPESTATUS[0]}", {}),
        ("| grep -q started; exit ${PIPESTATUS[0]}", {}),
        ("| true; exit ${PIPESTATUS[0]}", {}),
        ("> /dev/full", {}),
        (">&-", {}),
        ("", {"PYTHONIOENCODING": "ascii"}),
        ("", {"GITHUB_STEP_SUMMARY": "/nonexistent/summary.md"}),
    ],
    ids=["head", "grep", "true", "full", "closed", "ascii", "no summary"],
)
def test_who_reads_changes_no_verdict(
    tmp_path: Path, after: str, environment: Mapping[str, str]
) -> None:
    done = shell(f"{leakbench(*FLAT, '--output', 'o')} {after}", tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path / "o").verdict == "flat"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_what_a_subject_says_is_printed_as_text(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "boom.py").write_text(HOSTILE)
    command = leakbench("run", "--subject", "boom.py:Boom", "--scenario", "silence")
    done = shell(command, tmp_path, PYTHONIOENCODING=encoding, GITHUB_ACTIONS="true")
    assert done.returncode == 4, done.stderr
    assert "[/foo] :boom: bad" in done.stdout
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert not any(line.startswith("::error::PWN") for line in lines)
    assert "Traceback" not in done.stderr


def test_what_a_subject_says_is_text_in_a_terminal_too(tmp_path: Path) -> None:
    (tmp_path / "boom[red].py").write_text(HOSTILE)
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "leakbench", "run", "--subject", "boom[red].py:Boom"),
            *("--scenario", "silence", "--output", "o"),
        ],
        cwd=tmp_path,
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    seen = b""
    while True:
        try:
            more = os.read(parent, 65536)
        except OSError:
            break
        if not more:
            break
        seen += more
    assert process.wait(60) == 4
    assert b"[/foo] :boom: bad" in seen
    assert b"boom[red].py" in seen
    assert b"\x1b[31m \xef" not in seen


def test_what_nobody_foresaw_is_a_failure_with_its_traceback_in_a_file(tmp_path: Path) -> None:
    program = (
        "import sys, leakbench.cli as cli; import leakbench.cli.listing as listing\n"
        "def broken(): raise RuntimeError('[/x] nobody foresaw')\n"
        "listing.Terminal = broken; sys.argv = ['leakbench', 'list', 'scenarios']; cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert line.startswith("leakbench: unexpected RuntimeError: [/x] nobody foresaw (<string>:2)")
    file = Path(line.rpartition(" ")[2])
    assert "in broken" in file.read_text()
    file.unlink()


@pytest.mark.parametrize(
    "output", ["x" * 300, "/proc/nowhere/o", "/dev/null/o"], ids=["too long", "proc", "a file"]
)
def test_an_output_that_cannot_be_made_is_bad_input(tmp_path: Path, output: str) -> None:
    done = shell(leakbench(*FLAT, "--output", output), tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be written" in done.stderr


def test_two_runs_into_one_folder_are_kept_apart(tmp_path: Path) -> None:
    commands = [[sys.executable, "-m", "leakbench", *FLAT, "--output", "o"] for _ in range(2)]
    pair = [subprocess.Popen(c, cwd=tmp_path) for c in commands]
    assert sorted(process.wait(120) for process in pair) == [0, 2]
    assert read_result(tmp_path / "o").verdict == "flat"


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    pair = [
        subprocess.Popen([sys.executable, "-m", "leakbench", *FLAT], cwd=tmp_path) for _ in range(3)
    ]
    assert [process.wait(120) for process in pair] == [0, 0, 0]
    assert len(list((tmp_path / "reports").iterdir())) == 3


def test_two_scenarios_of_one_name_that_differ_are_refused(tmp_path: Path) -> None:
    for folder, seconds in (("a", 6), ("b", 12)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "meeting.toml").write_text(
            f'chunk_ms = 600\nperiod_seconds = {seconds}\n[[parts]]\nkind = "silence"\n'
            f"seconds = {seconds}\n"
        )
    done = shell(
        leakbench(
            *("run", "--subject", "leakbench.controls:bounded"),
            *("--scenario", "a/meeting.toml", "--scenario", "b/meeting.toml"),
        ),
        tmp_path,
    )
    assert done.returncode == 2
    assert "meeting" in done.stderr
