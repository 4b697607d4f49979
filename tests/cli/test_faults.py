"""Whatever fails besides the subject is one line and a status that is no verdict's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leakbench.cli.traceback_file import FAULT_FILE
from leakbench.record.result import read_result
from tests.cli.calling import FLAT, Call, check_one_line, leakbench

LONG = "x" * 25_000
TOO_LONG = "o" * 256


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", *FLAT, "--output", TOO_LONG],
        ["run", *FLAT, "--output", LONG],
        ["run", "--subject", LONG, "--scenario", "silence"],
        ["run", "--subject", f"{LONG}.py:Vad", "--scenario", "silence"],
        ["run", *FLAT[:2], "--scenario", LONG],
        ["run", *FLAT[:2], "--scenario", f"{LONG}.toml"],
        ["run", *FLAT[:2], "--scenario", "recorded", "--recordings", LONG],
        ["run", *FLAT, "--budget", f"{LONG}=1 B/{LONG}"],
        ["run", *FLAT, "--memory-limit", "9" * 400 + "GiB"],
        ["run", *FLAT, "--chunk-limit", "9" * 400 + "h"],
        ["run", *FLAT[:4], "--audio", "9" * 400 + "h"],
        ["run", *FLAT[:4], "--audio", "9" * 30 + "h"],
        ["gate", "--config", LONG],
        ["report", LONG],
        ["compare", LONG, LONG],
        ["history", LONG],
        ["init", LONG],
        ["judge", LONG, "--budget", "1 B/h"],
        ["sweep", "--scenario", "silence", "--subject-range", f"{LONG}..{LONG}"],
        ["completion", LONG],
        [LONG],
        ["run", f"--{LONG}"],
    ],
    ids=lambda arguments: " ".join(argument[:20] for argument in arguments)[:60],
)
def test_a_name_that_is_too_long_is_bad_input(
    tmp_path: Path, call: Call, arguments: list[str]
) -> None:
    done = call(*arguments)
    check_one_line(done)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        f'[[cell]]\nsubject = "a"\nscenario = "{LONG}"',
        f'[[cell]]\nsubject = "{LONG}.py:Vad"\nscenario = "silence"',
        f'[[cell]]\nsubject = "leakbench.controls:leaky"\nscenario = "recorded"\n'
        f'recordings = "{LONG}"',
        f'[gate]\noutput = "{LONG}"\n[[cell]]\nsubject = "leakbench.controls:leaky"\n'
        'scenario = "silence"',
        '[[cell]]\nsubject = "a"\nscenario = "a\\u0000.toml"',
        '[[cell]]\nsubject = "a\\u0000.py:X"\nscenario = "silence"',
        '[gate]\noutput = "a\\u0000"\n[[cell]]\nsubject = "a"\nscenario = "silence"',
        f'[[cell]]\nsubject = "a"\nscenario = "silence"\n{LONG} = 1',
        f"{LONG}",
    ],
    ids=lambda text: text[:50],
)
def test_so_is_one_in_a_configuration(tmp_path: Path, call: Call, text: str) -> None:
    (tmp_path / "leakbench.toml").write_text(text)
    done = call("gate")
    check_one_line(done)
    assert done.returncode == 2


def test_a_cell_of_long_names_is_driven(tmp_path: Path) -> None:
    folder = tmp_path / ("f" * 200) / ("g" * 200)
    folder.mkdir(parents=True)
    (folder / "vad.py").write_text("from leakbench.controls import bounded as Vad")
    name = folder / ("s" * 240 + ".toml")
    name.write_text(
        'name = "' + "n" * 240 + '"\nperiod_seconds = 6\n[[parts]]\nkind = "silence"\nseconds = 6'
    )
    done = leakbench(
        *("run", "--subject", f"{folder / 'vad.py'}:Vad", "--scenario", str(name)),
        *("--output", "o", "--audio", "4m", "--model", "m" * 300),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert read_result(tmp_path / "o").verdict == "flat"


@pytest.mark.parametrize("command", ["run", "list", "gate", "report", "judge", "history"])
def test_a_current_folder_that_is_gone_is_bad_input(tmp_path: Path, command: str) -> None:
    more = {
        "run": FLAT,
        "list": ("scenarios",),
        "report": (".",),
        "judge": ("x.csv", "--budget", "1 B/h"),
    }.get(command, ())
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f'rmdir {gone}; exec "$@"'
    done = leakbench(command, *more, cwd=gone, wrapper=("bash", "-c", line, "bash"))
    check_one_line(done)
    assert done.returncode == 2


def test_what_an_earlier_run_left_is_not_run_over(tmp_path: Path) -> None:
    (tmp_path / "o" / "cells").mkdir(parents=True)
    done = leakbench("run", *FLAT, "--output", "o", cwd=tmp_path)
    assert "already holds a run" in check_one_line(done)
    assert done.returncode == 2


IN_THE_WAY = """
import os, pathlib, shutil, time
from leakbench.controls import EnergyVad

FOLDER = pathlib.Path("o").absolute()

class GoesWrong(EnergyVad):
    def __init__(self):
        super().__init__()
        self.fed = 0
    def feed(self, samples, is_final):
        self.fed += 1
        if self.fed == 300:
            self.go_wrong()
        return super().feed(samples, is_final)

class RemovesTheFolder(GoesWrong):
    def go_wrong(self):
        shutil.rmtree(FOLDER)

class PutsAFolderInTheWay(GoesWrong):
    def go_wrong(self):
        (FOLDER / "result.json.new").mkdir()

class FillsTheDisk(EnergyVad):
    def close(self):
        # Last of all: by now the worker has let go of the audio that it had on disk.
        with open(FOLDER / "big", "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
"""


@pytest.mark.parametrize("subject", ["RemovesTheFolder", "PutsAFolderInTheWay"])
def test_a_folder_that_goes_wrong_meanwhile_is_a_failure_of_the_run(
    tmp_path: Path, subject: str
) -> None:
    (tmp_path / "vad.py").write_text(IN_THE_WAY)
    done = leakbench(
        *("run", "--subject", f"vad.py:{subject}", "--scenario", "silence", "--output", "o"),
        *("--audio", "4m", "--at-least", "4m"),
        cwd=tmp_path,
        TMPDIR=str(tmp_path),
    )
    check_one_line(done)
    # What can be mended by another folder is bad input, even if it shows late.
    assert done.returncode in (2, 4)


@pytest.fixture
def small_disk(tmp_path: Path) -> tuple[str, ...]:
    """What runs a command with 700 KiB of disk at ``disk`` in the folder it is run in."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare to mount a small disk in a namespace of its own")
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o size=700k tmpfs disk && cd disk && exec "$@"'
    wrapper = ("unshare", "-rm", "bash", "-c", script, "bash")
    tried = subprocess.run([*wrapper, "true"], cwd=tmp_path, capture_output=True, timeout=30)
    if tried.returncode:
        pytest.skip(f"no small disk can be mounted here: {tried.stderr.decode(errors='replace')}")
    return wrapper


def test_a_disk_that_fills_up_is_a_failure_and_the_verdict_is_told(
    tmp_path: Path, small_disk: tuple[str, ...]
) -> None:
    (tmp_path / "vad.py").write_text(IN_THE_WAY)
    done = leakbench(
        *("run", "--subject", f"{tmp_path / 'vad.py'}:FillsTheDisk", "--scenario", "silence"),
        *("--output", "o", "--audio", "4m", "--at-least", "4m"),
        cwd=tmp_path,
        wrapper=small_disk,
    )
    line = check_one_line(done)
    assert done.returncode == 4, done.stdout
    assert "No space left on device" in line
    assert "FillsTheDisk" in done.stdout


def test_a_report_on_a_full_disk_is_a_failure(tmp_path: Path, small_disk: tuple[str, ...]) -> None:
    assert leakbench("run", *FLAT, "--output", "o", cwd=tmp_path).returncode == 0
    fill = "cp -r ../o/cells ../o/run.json ../o/scenarios . ; head -c 1m /dev/zero > big 2>&-; "
    wrapper = (*small_disk, "bash", "-c", f'{fill} exec "$@"', "bash")
    done = leakbench("report", ".", cwd=tmp_path, wrapper=wrapper)
    assert "No space left on device" in check_one_line(done)
    assert done.returncode == 4
    # What is known is told, although it cannot be kept.
    assert "flat" in done.stdout


def broken(module: str, name: str, how: str, *arguments: str) -> list[str]:
    """Return a program that calls the command line with one function of ours broken."""
    program = (
        f"import sys, {module} as module, leakbench.cli as cli\n"
        f"def broken(*_a, **_k): raise {how}\n"
        f"module.{name} = broken\n"
        f"sys.argv = ['leakbench', *{list(arguments)!r}]\n"
        "cli.main()"
    )
    return [sys.executable, "-c", program]


@pytest.mark.parametrize(
    "how",
    [
        "RuntimeError('[/x] :boom: \\x1b[31m\\n::error::PWN \\ud800')",
        "FileExistsError(17, 'File exists')",
        "UnicodeEncodeError('ascii', 'x', 0, 1, 'no')",
        "SystemExit(1)",
        "SystemExit(0)",
        "EOFError()",
        "MemoryError()",
        "BrokenPipeError(32, 'Broken pipe')",
        "AssertionError",
    ],
)
def test_what_nobody_foresaw_leaves_its_traceback_in_the_runs_folder(
    tmp_path: Path, how: str
) -> None:
    done = subprocess.run(
        broken("leakbench.cli.execution", "conclude", how, "run", *FLAT, "--output", "o"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    line = check_one_line(done)
    assert done.returncode == 4
    assert line.endswith(f"its traceback is in {tmp_path / 'o' / FAULT_FILE}")
    told = (tmp_path / "o" / FAULT_FILE).read_text(encoding="utf-8")
    assert told.startswith("Traceback")
    assert "in broken" in told


def test_without_a_runs_folder_the_traceback_is_in_a_temporary_file(tmp_path: Path) -> None:
    done = subprocess.run(
        broken("leakbench.cli.listing", "load_scenario", "KeyError('x')", "list", "scenarios"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    line = check_one_line(done)
    assert done.returncode == 4
    (file,) = tmp_path.iterdir()
    assert line.endswith(f"its traceback is in {file}")
    assert "in broken" in file.read_text(encoding="utf-8")


def test_a_traceback_that_cannot_be_kept_is_no_second_fault(tmp_path: Path) -> None:
    done = subprocess.run(
        broken("leakbench.cli.listing", "load_scenario", "KeyError('x')", "list", "scenarios"),
        cwd="/proc",
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TMPDIR": "/nonexistent", "TEMP": "", "TMP": ""},
    )
    # The system's own folder for temporary files may do in the place of a missing one.
    line = check_one_line(done)
    assert done.returncode == 4
    assert "KeyError" in line
    kept = Path(line.split()[-1])
    if kept.is_file():
        kept.unlink()
