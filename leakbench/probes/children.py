"""The processes below this one: how many there are, and what memory is theirs alone.

A child of a child that has ended becomes the child of another process, by default of process 1:
what a subject detaches from itself in that way is no longer below it and is not seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from leakbench.probes.resources import HAS_ROLLUPS, measure_private

_PROC: Final = Path("/proc")
_HAS_CHILDREN_FILES: Final = (_PROC / "self/task" / str(os.getpid()) / "children").exists()
"""Linux with CONFIG_PROC_CHILDREN; elsewhere psutil goes through all processes there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """The processes below this one, to any depth."""

    count: int
    """Alive, or ended and not yet waited for."""
    private_bytes: int | None
    """Pages that no other process shares; None where the kernel does not say."""


NO_CHILDREN: Final = Children(count=0, private_bytes=0)


def measure_children() -> Children:
    """Return what is below this process."""
    if not _has_any():
        return NO_CHILDREN
    pids = list(_below_files(_PROC / "self") if _HAS_CHILDREN_FILES else _below_listed())
    own = map(measure_private, pids)
    return Children(
        count=len(pids),
        # One that has just ended, or is another user's, counts for nothing.
        private_bytes=sum(filter(None, own)) if HAS_ROLLUPS else None,
    )


def _has_any() -> bool:
    """Whether there is a child: one system call, where a look at /proc takes a dozen."""
    if not hasattr(os, "waitid"):
        return True
    try:
        # Whatever has ended is left for the subject to wait for.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _below_files(process: Path) -> Iterator[int]:
    for task in _tasks(process):
        with suppress(OSError):  # the thread has ended
            for pid in (task / "children").read_bytes().split():
                yield int(pid)
                yield from _below_files(_PROC / pid.decode())


def _tasks(process: Path) -> list[Path]:
    try:
        return list((process / "task").iterdir())
    except OSError:
        return []  # it has ended


def _below_listed() -> Iterator[int]:
    with suppress(psutil.Error):
        yield from (child.pid for child in psutil.Process().children(recursive=True))
