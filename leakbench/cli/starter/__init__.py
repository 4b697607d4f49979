"""What ``leakbench init`` writes into a repository: a subject, a scenario, a gate."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Final

from leakbench.errors import OutputError

FILES: Final = ("my_vad.py", "meeting.toml", "leakbench.toml")
"""Beside this module, and what they are called where they are written."""


def read_starter(name: str) -> str:
    """Return the text of one of `FILES`, as it is written."""
    text = importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    # What our own linter asks of this file is no business of its reader.
    return "".join(f"{line.partition('  # noqa')[0]}\n" for line in text.splitlines())


def write_starter(folder: Path) -> tuple[Path, ...]:
    """Write every file into `folder`, or none.

    Raises
    ------
    OutputError
        When one of them is there already, or `folder` cannot be written.
    """
    paths = tuple(folder / name for name in FILES)
    there = [str(path) for path in paths if path.exists()]
    if there:
        raise OutputError(f"{', '.join(there)}: there already; nothing was written")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            path.write_text(read_starter(path.name), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    return paths
