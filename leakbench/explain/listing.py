"""What this process has open now: descriptors, threads, children, mappings.

Each is listed by keys that tell one from another while it lives, cheaply enough to be asked for
whenever a subject opens something. Where a system has no such list it is empty, and nothing of that
kind is ever seen to stay.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import psutil

_TASKS: Final = "/proc/self/task"
_DESCRIPTORS: Final = "/proc/self/fd"
_CHILDREN: Final = "/proc/thread-self/children"
_MAPS: Final = "/proc/self/maps"
_ANONYMOUS: Final = re.compile(r"anon_inode:\[?(\w+)\]?")
_MULTIPLEXER: Final = "eventpoll"

Piece: TypeAlias = tuple[int, int]
"""Address where memory begins, and where it ends."""


def list_descriptors() -> set[int]:
    """Return the descriptors that are open."""
    try:
        # Listing takes the lowest number that is free, for as long as it lists.
        lowest = lowest_free_descriptor()
        return set(map(int, os.listdir(_DESCRIPTORS))) - {lowest}  # noqa: PTH208 - asked for often
    except OSError:
        return set()


def lowest_free_descriptor() -> int:
    """Return the number that the next descriptor to be opened will have."""
    lowest = os.dup(0)
    os.close(lowest)
    return lowest


def read_descriptor(number: int) -> str:
    """Return what a descriptor stands for, as the kernel writes it; empty once it is closed."""
    try:
        return str(Path(_DESCRIPTORS, str(number)).readlink())
    except OSError:
        return ""


def name_descriptor(text: str) -> str:
    """Return what the kernel's text says a descriptor is: ``pipe``, ``socket``, ``file``, ..."""
    if anonymous := _ANONYMOUS.match(text):
        return "epoll" if anonymous[1] == _MULTIPLEXER else anonymous[1]
    if not text.startswith("/"):
        return text.partition(":")[0]
    if text.startswith("/memfd:"):
        return "memory file"
    if text.startswith("/dev/shm/"):
        return "shared memory"
    if text.startswith("/dev/"):
        return "device"
    return "deleted file" if text.endswith(" (deleted)") else "file"


def list_threads() -> set[int]:
    """Return the kernel's numbers of all threads, of Python and of C."""
    try:
        return set(map(int, os.listdir(_TASKS)))  # noqa: PTH208 - asked for often
    except OSError:
        return {thread.native_id for thread in threading.enumerate() if thread.native_id}


def count_threads() -> int:
    """Return a number that changes with the threads there are, at the cost of one system call."""
    try:
        return os.stat(_TASKS).st_nlink  # noqa: PTH116 - asked for after each call
    except OSError:
        return threading.active_count()


def read_thread(number: int) -> str:
    """Return the name of a thread: Python's where it is one of Python's, else the kernel's."""
    for thread in threading.enumerate():
        if thread.native_id == number:
            return thread.name
    with suppress(OSError):
        return Path(_TASKS, str(number), "comm").read_text(encoding="utf-8").strip()
    return ""


def list_children() -> set[int]:
    """Return the processes below this one, to any depth, alive or not yet waited for."""
    try:
        return {child.pid for child in psutil.Process().children(recursive=True)}
    except psutil.Error:
        return set()


def read_children() -> bytes:
    """Return a text that changes with the children of this thread; empty where there is none."""
    with suppress(OSError):
        return Path(_CHILDREN).read_bytes()
    return b""


def read_child(pid: int) -> str:
    """Return ``process sleep``, ``zombie sleep`` for one that has ended; empty once it is gone."""
    try:
        process = psutil.Process(pid)
        is_zombie = process.status() == psutil.STATUS_ZOMBIE
        return f"{'zombie' if is_zombie else 'process'} {process.name()}"
    except psutil.Error:
        return ""


def list_mappings() -> list[Piece]:
    """Return the pieces of memory that are mapped, in ascending order, neighbours joined."""
    joined: list[Piece] = []
    for start, end in _mappings():
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def subtract(pieces: list[Piece], known: list[Piece]) -> list[Piece]:
    """Return what `pieces` cover and `known` do not; both in ascending order."""
    left: list[Piece] = []
    at = 0
    for start, end in pieces:
        while at < len(known) and known[at][1] <= start:
            at += 1
        following = at
        while following < len(known) and known[following][0] < end:
            if known[following][0] > start:
                left.append((start, known[following][0]))
            start = max(start, known[following][1])
            following += 1
        if start < end:
            left.append((start, end))
    return left


def _mappings() -> Iterator[Piece]:
    with suppress(OSError):
        for line in Path(_MAPS).read_text(encoding="utf-8", errors="replace").splitlines():
            start, _, end = line.partition(" ")[0].partition("-")
            yield int(start, 16), int(end, 16)
