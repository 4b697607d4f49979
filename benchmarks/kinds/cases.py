"""What is known of a kind: whether it leaks, what must show it, at which rate, by which line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Per: TypeAlias = Literal["", "chunk", "segment", "stream", "period"]

PROCESS: Final = "process"
PAGE: Final = 4096
MIB: Final = 2**20
_SMALL: Final = 512
"""Larger requests CPython hands on to the C library."""


def malloc_bytes(nbytes: int) -> int:
    """Return what a request takes of glibc's heap.

    A header of 8 bytes, rounded up to 16; and above 128 KiB, before anything of that size was
    freed, a mapping of whole pages with a header of 16 (malloc/malloc.c, ``request2size`` and
    ``sysmalloc_mmap``).
    """
    if nbytes > 128 * 1024:
        return -(-(nbytes + 16) // PAGE) * PAGE
    return max(32, nbytes + 8 + 15 & ~15)


def object_bytes(nbytes: int) -> int:
    """Return what an object of `nbytes` by ``sys.getsizeof`` takes of the heap."""
    return nbytes + 15 & ~15 if nbytes <= _SMALL else malloc_bytes(nbytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A kind of growth, or a bounded twin."""

    file: str
    """Beside this one."""
    name: str
    """Class in the file."""
    metrics: frozenset[str] = frozenset()
    """Any of these must show the leak; empty for what does not leak."""
    path: str = PROCESS
    """Where: a path of an object, or the process."""
    rate: float | None = None
    """Growth each `per`; None where the code does not say exactly."""
    per: Per = ""
    scenario: str = "alternating"
    tells: str = ""
    """Text of the first line that the explanation must name for the growth, or of its function;
    empty where nothing is asked."""
    advises: str = ""
    """Text that what is printed must hold."""
    wobble: float = 0.0
    """How far one look may be off the line that it grows along."""
    onset_chunks: int = 0
    """Chunks before which nothing grows."""
    packages: tuple[str, ...] = ()
    """Requirements of an interpreter of its own; empty for the one that runs."""

    @property
    def title(self) -> str:
        """What it is called: unique, and fit for a folder."""
        return "-".join((self.name, *self.packages[:1]))

    @property
    def leaks(self) -> bool:
        """Whether it is a leak."""
        return bool(self.metrics)
