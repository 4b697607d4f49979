"""Calls of the command line as users make them, in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FLAT = ("--subject", "leakbench.controls:bounded", "--scenario", "silence", "--audio", "4m")
"""Decided in well under a second."""


def leakbench(
    *arguments: str, cwd: Path, wrapper: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Call the command line, perhaps by way of `wrapper`."""
    return subprocess.run(
        [*wrapper, sys.executable, "-m", "leakbench", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


@dataclass
class Done:
    """What came of a call in this process."""

    returncode: int
    stdout: str
    stderr: str


class Call(Protocol):
    """Calls the command line in this process: starting Python often takes long."""

    def __call__(self, *arguments: str, text: bytes = b"") -> Done: ...


def check_one_line(done: subprocess.CompletedProcess[str] | Done) -> str:
    """Return the one line that a failed call says, shorter than a page."""
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("leakbench: ")
    assert line.isprintable()
    assert len(line) < 1100
    return line
