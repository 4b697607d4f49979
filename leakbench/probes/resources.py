"""What the kernel keeps for the process: memory by kind, threads, descriptors, temporary files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

_STATUS: Final = "/proc/self/status"
_STATUS_BYTES: Final = 1 << 14
"""It is about 1.5 KiB; on machines with many processors some lines of it are longer."""
_DESCRIPTORS: Final = "/proc/self/fd"
_ROLLUP: Final = "/proc/{}/smaps_rollup"
HAS_ROLLUPS: Final = Path(_ROLLUP.format("self")).exists()
_PRIVATE: Final = re.compile(rb"^Private_\w+:\s+(\d+) kB", re.MULTILINE)
_BLOCK_BYTES: Final = 512
"""Unit of ``st_blocks``, whatever the file system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What ``/proc/self/status`` says; None where the kernel does not."""

    rss_bytes: int | None
    """Resident pages."""
    shared_bytes: int | None
    """Resident pages of shared memory: shared anonymous mappings, tmpfs, memfd."""
    data_bytes: int | None
    """Private writable mappings, touched or not: heap, arenas, stacks of threads, the rest."""
    threads: int | None


class StatusProbe:
    """Reads the kernel's summary of this process, by one read of an open file."""

    def __init__(self) -> None:
        self._text = bytearray(_STATUS_BYTES)
        self.descriptor = _open_or_minus_one(_STATUS, os.O_RDONLY)

    def take(self) -> None:
        """Take the summary as of now, with hardly an allocation."""
        if self.descriptor >= 0:
            os.preadv(self.descriptor, [self._text], 0)

    def parse(self) -> Status:
        """Return what was taken last."""
        return Status(
            rss_bytes=self._kib(b"\nVmRSS:"),
            shared_bytes=self._kib(b"\nRssShmem:"),
            data_bytes=self._kib(b"\nVmData:"),
            threads=self._number(b"\nThreads:"),
        )

    def close(self) -> None:
        """Close the file."""
        _close(self.descriptor)
        self.descriptor = -1

    def _kib(self, name: bytes) -> int | None:
        number = self._number(name)
        return None if number is None else number << 10

    def _number(self, name: bytes) -> int | None:
        at = self._text.find(name)
        if at < 0:
            return None
        at += len(name)
        return int(self._text[at : self._text.index(b"\n", at)].split(maxsplit=1)[0])


def measure_private(pid: int | Literal["self"]) -> int | None:
    """Return the bytes resident in `pid` that no other process shares.

    None where the kernel does not say: the process has ended, or is another user's. The kernel
    walks the page tables for it, 1 ms for each 100 MB.
    """
    try:
        text = Path(_ROLLUP.format(pid)).read_bytes()
    except OSError:
        return None
    return sum(int(kib) << 10 for kib in _PRIVATE.findall(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """What is open; None where there is no list of it."""

    count: int | None = None
    nameless_bytes: int | None = None
    """In regular files that no folder names any more: unlinked ones, memfd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What is in a folder; None where there is no such folder."""

    count: int | None = None
    """Files and folders."""
    held_bytes: int | None = None
    """In the files."""


class DescriptorProbe:
    """Lists the open descriptors of this process.

    Parameters
    ----------
    disregarded
        Descriptors of the harness itself, which count for nothing.
    """

    def __init__(self, disregarded: frozenset[int] = frozenset()) -> None:
        self.descriptor = _open_or_minus_one(_DESCRIPTORS, os.O_RDONLY | os.O_DIRECTORY)
        self._disregarded = disregarded | {self.descriptor}

    def read(self) -> Descriptors:
        """Return what is open."""
        if self.descriptor < 0:
            return Descriptors()
        count = nameless_bytes = 0
        seen: set[tuple[int, int]] = set()
        for name in os.listdir(self.descriptor):  # noqa: PTH208 - no path: what is open is read again
            number = int(name)
            if number in self._disregarded:
                continue
            try:
                status = os.fstat(number)
            except OSError:
                continue  # the copy that listing the folder opens, closed again
            count += 1
            if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                key = status.st_dev, status.st_ino
                if key not in seen:
                    seen.add(key)
                    nameless_bytes += _held_bytes(status)
        return Descriptors(count=count, nameless_bytes=nameless_bytes)

    def close(self) -> None:
        """Close the list."""
        _close(self.descriptor)
        self.descriptor = -1


def measure_folder(folder: Path | None) -> Files:
    """Return what is below `folder`, to any depth."""
    if folder is None:
        return Files()
    count = held_bytes = 0
    folders: list[str | Path] = [folder]
    for above in folders:  # grows while it is read
        for entry in _entries(above):
            count += 1
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                continue
            with suppress(OSError):  # gone by now
                held_bytes += _held_bytes(entry.stat(follow_symlinks=False))
    return Files(count=count, held_bytes=held_bytes)


def _entries(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as found:
        yield from found


def _held_bytes(status: os.stat_result) -> int:
    # A file with holes takes less than its length; one of ten bytes takes a block.
    return min(status.st_size, status.st_blocks * _BLOCK_BYTES)


def _open_or_minus_one(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError:
        return -1


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
