"""Where in code something came from: the user's own line first, then what it went through.

Memory is mostly allocated by a library's line, such as numpy's ``_methods.py``. The line to look at
is the one of the subject that called it. Which code is the subject's own is told by where its file
lies: not among installed packages, not in the standard library, not in leakbench. Where a stack has
no such line, because leakbench itself drives an installed model, the model is the outermost package
on the stack, and its innermost line is named.
"""

from __future__ import annotations

import functools
import linecache
import os
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from types import FrameType
from typing import Final, TypeAlias

Line: TypeAlias = tuple[str, int]
"""File and line number."""
Place: TypeAlias = tuple[Line, ...]
"""The line to name, and after it those it called, innermost last."""

FRAMES_AT_MOST: Final = 8
"""Lines kept of a place: the first is the one to look at, the others say how it got there."""

# Not resolved: frames name files as a worker finds them, through a link.
_PACKAGE: Final = str(PurePath(__file__).parents[1]) + os.sep
_HARNESS: Final = (
    *(_PACKAGE + name + os.sep for name in ("explain", "probes", "worker", "record")),
    tracemalloc.__file__,
    linecache.__file__,
)
_AUDIO: Final = _PACKAGE + "scenario" + os.sep
_PACKAGES: Final = ("site-packages", "dist-packages")
_STANDARD: Final = str(PurePath(os.__file__).parent) + os.sep

_STARTING: Final = ("<frozen importlib", "<frozen runpy", "<frozen zipimport")
"""Modules that start others: below every line there is."""

OWN: Final = "own"
"""Owner of the subject's own code."""
LEAKBENCH: Final = "leakbench"
PYTHON: Final = "python"
"""Owner of the standard library."""


def place_of(stack: Iterable[Line]) -> Place:
    """Return what to name of a stack, innermost line first; empty where it is the harness's own.

    The innermost line of the subject's own code; failing that, of leakbench where it called nothing
    (a control); failing that, of the outermost package.
    """
    lines = [line for line in stack if not is_nobodys(line[0])]
    owners = [owner_of(file) for file, _ in lines]
    if not lines:
        return ()
    at = 0
    if OWN in owners:
        at = owners.index(OWN)
    elif owners[0] != LEAKBENCH:
        packages = [owner for owner in owners if owner not in (LEAKBENCH, PYTHON)]
        at = owners.index(packages[-1]) if packages else 0
    named, *through = lines[at::-1]
    return named, *through[-(FRAMES_AT_MOST - 1) :]


def place_of_frame(frame: FrameType | None) -> Place:
    """Return what to name of the stack of a frame."""
    return place_of(lines_of(frame))


def lines_of(frame: FrameType | None) -> Iterator[Line]:
    """Yield the lines of a frame's stack, innermost first."""
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back


def is_nobodys(file: str) -> bool:
    """Whether a line of `file` is of the harness, or has no file to look into."""
    # Modules that are frozen into the interpreter, such as os, are Python's like any other.
    is_frozen = file.startswith("<frozen ") and not file.startswith(_STARTING)
    return is_harness(file) or (file.startswith("<") and not is_frozen)


def is_harness(file: str) -> bool:
    """Whether a line of `file` allocates for this harness and not for the subject."""
    return file.startswith(_HARNESS) or file == "<unknown>"


def is_audio(file: str) -> bool:
    """Whether `file` makes the audio that is fed: its memory and its time are not the subject's."""
    return file.startswith(_AUDIO)


def is_final(file: str) -> bool:
    """Whether a line of `file`, innermost on its stack, is the one to name whoever called it."""
    return owner_of(file) in (OWN, LEAKBENCH)


@functools.cache
def owner_of(file: str) -> str:
    """Return whose a file is: `OWN`, `LEAKBENCH`, `PYTHON`, or the name of an installed package."""
    if file.startswith(_PACKAGE):
        return LEAKBENCH
    parts = PurePath(file).parts
    for at in range(len(parts) - 1, 0, -1):
        if parts[at - 1] in _PACKAGES:
            return parts[at].removesuffix(".py")
    return PYTHON if file.startswith((_STANDARD, "<")) else OWN
