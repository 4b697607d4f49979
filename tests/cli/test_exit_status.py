"""Each way in which a call can end has one status, and only a verdict has a verdict's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from leakbench import errors
from leakbench.cli.exit_status import ExitStatus, status_of_exception
from leakbench.cli.signals import Interrupted

VERDICTS = (ExitStatus.AS_EXPECTED, ExitStatus.UNEXPECTED, ExitStatus.UNDECIDED)


def aborted(cause: BaseException) -> click.Abort:
    """What click makes of an exception that it takes for Ctrl-C."""
    abort = click.Abort()
    abort.__cause__ = cause
    return abort


FORESEEN = {
    "a verdict": (click.exceptions.Exit(ExitStatus.UNEXPECTED), 1),
    "help was shown": (click.exceptions.Exit(0), 0),
    "a misspelt option": (click.NoSuchOption("--x"), 2),
    "a bad scenario": (errors.ScenarioError("x"), 2),
    "a folder that cannot be written": (errors.OutputError("x"), 2),
    "a release that cannot be had": (errors.ProvisionError("x"), 4),
    "a fault": (errors.HarnessError("x"), 4),
    "ctrl-c": (KeyboardInterrupt(), 130),
    "ctrl-c by way of click": (aborted(KeyboardInterrupt()), 130),
    "a time limit": (aborted(Interrupted(signal.SIGTERM)), 143),
    "a closed terminal": (Interrupted(signal.SIGHUP), 129),
}


@pytest.mark.parametrize("case", FORESEEN)
def test_what_is_foreseen_has_its_status(case: str) -> None:
    error, status = FORESEEN[case]
    assert status_of_exception(error) == status


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        UnicodeEncodeError("ascii", "…", 0, 1, "no"),
        MemoryError(),
        RecursionError(),
        BrokenPipeError(),
        # How rich and click give up on a closed pipe.
        SystemExit(1),
        SystemExit(0),
        click.exceptions.Exit(1),
        click.exceptions.Exit(3),
        # click takes an end of input for Ctrl-C.
        aborted(EOFError()),
        GeneratorExit(),
        AssertionError(),
    ],
    ids=repr,
)
def test_nothing_else_has_the_status_of_a_verdict(error: BaseException) -> None:
    status = status_of_exception(error)
    assert status is None


def test_every_error_of_ours_has_a_status_that_is_no_verdicts() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.LeakbenchError)
    ]
    assert len(kinds) > 8
    for kind in kinds:
        assert status_of_exception(kind("x")) in (ExitStatus.USAGE, ExitStatus.FAILED)
        assert status_of_exception(kind("x")) not in VERDICTS


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("numpy", "raise ImportError('libopenblas.so: cannot open \\u2026')"),
        ("click", "raise RuntimeError('broken')"),
        ("rich", "raise SystemExit(1)"),
        ("tempfile", "raise ImportError('shadowed')"),
    ],
)
def test_a_broken_installation_is_one_line_and_a_failure(
    tmp_path: Path, module: str, text: str
) -> None:
    (tmp_path / f"{module}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "leakbench", "list", "scenarios"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
    )
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("leakbench: ")
    file = Path(done.stderr.split()[-1])
    if file.is_file():
        file.unlink()
