"""What the worker's process holds: memory, and all else that a process can leak.

`READERS` says which metric is read off what. A metric that this platform cannot give is absent
from every look, and `ProcessProbe.missing` names it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import psutil

from leakbench.probes.children import Children, measure_children
from leakbench.probes.heap import Heap, HeapProbe
from leakbench.probes.resources import (
    DescriptorProbe,
    Descriptors,
    Files,
    Status,
    StatusProbe,
    measure_folder,
    measure_private,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that one look at the process reads."""

    heap: Heap
    status: Status
    descriptors: Descriptors
    children: Children
    temp: Files


Reader: TypeAlias = Callable[[Reading], float | None]


def _mapped_bytes(reading: Reading) -> int | None:
    """Return what is private and writable, less what both allocators have obtained.

    Growth of the heap is no growth of this, and an anonymous mapping shows with its length,
    touched or not. Stacks of threads are part of it, 8 MiB each by default: glibc keeps some of
    them for later threads, so they cannot be counted off by the threads there are.
    """
    data, obtained = reading.status.data_bytes, reading.heap.obtained_bytes
    return None if data is None or obtained is None else data - obtained


def _temp_bytes(reading: Reading) -> int | None:
    named, nameless = reading.temp.held_bytes, reading.descriptors.nameless_bytes
    return None if named is None or nameless is None else named + nameless


READERS: Final[dict[str, Reader]] = {
    "heap_bytes": lambda reading: reading.heap.allocated_bytes,
    "rss_bytes": lambda reading: reading.status.rss_bytes,
    "mapped_bytes": _mapped_bytes,
    "shared_bytes": lambda reading: reading.status.shared_bytes,
    "descriptors": lambda reading: reading.descriptors.count,
    "threads": lambda reading: reading.status.threads,
    "children": lambda reading: reading.children.count,
    "children_bytes": lambda reading: reading.children.private_bytes,
    "temp_files": lambda reading: reading.temp.count,
    "temp_bytes": _temp_bytes,
}
"""Metric of the catalogue to what reads it off a look, in the order of the trace."""


@contextmanager
def added_reader(name: str, read: Reader) -> Iterator[None]:
    """Have a metric read at each look for as long as the block runs."""
    READERS[name] = read
    try:
        yield
    finally:
        del READERS[name]


class ProcessProbe:
    """Measures the process it lives in. Everything it needs is allocated when it is made.

    Parameters
    ----------
    temp_folder
        The folder for temporary files, if it is this process's alone.
    disregarded
        Descriptors of the harness itself.
    """

    def __init__(
        self, *, temp_folder: Path | None = None, disregarded: Collection[int] = ()
    ) -> None:
        self._process = psutil.Process()
        self._temp_folder = temp_folder
        self._heap = HeapProbe()
        self._status = StatusProbe()
        own = {*disregarded, self._status.descriptor}
        self._descriptors = DescriptorProbe(frozenset(own))

    def measure(self) -> dict[str, float]:
        """Return every metric of `READERS` that can be had, as of now.

        Measured again with nothing done in between it gives the same numbers, provided that
        none of them is kept as an object.
        """
        reading = self._read()
        figures: dict[str, float] = {}
        for name, read in READERS.items():
            value = read(reading)
            if value is not None:
                figures[name] = value
        return figures

    def rss_bytes(self) -> int:
        """Return the resident set size alone."""
        self._status.take()
        rss_bytes = self._status.parse().rss_bytes
        return self._process.memory_info().rss if rss_bytes is None else rss_bytes

    def uss_bytes(self) -> int | None:
        """Return the unshared resident bytes; walks the page tables, so ask rarely."""
        return measure_private("self")

    def close(self) -> None:
        """Close what is read from."""
        self._heap.close()
        self._status.close()
        self._descriptors.close()

    def _read(self) -> Reading:
        # The kernel's figures and the allocators' must be of one moment, and both from before
        # anything is allocated here.
        self._status.take()
        heap = self._heap.read()
        status = self._status.parse()
        if status.rss_bytes is None:
            status = dataclasses.replace(status, rss_bytes=self._process.memory_info().rss)
        return Reading(
            heap=heap,
            status=status,
            descriptors=self._descriptors.read(),
            children=measure_children(),
            temp=measure_folder(self._temp_folder),
        )
