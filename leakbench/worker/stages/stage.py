"""What a stage of explaining is given, and what it adds its findings to."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from leakbench.explain.census import Driven
from leakbench.explain.native import HeapGrowth, has_memory_of_no_size
from leakbench.record.explanation import AllocationLine, Growth, NativeGrowth, Opened
from leakbench.record.files import write_json
from leakbench.record.request import WorkerRequest
from leakbench.subject import Subject

FINDINGS_FILE: Final = "findings.json"
_MEMORY: Final = ("heap_bytes", "rss_bytes", "mapped_bytes")
"""Metrics of the process in which all memory shows that it allocates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A subject that leaks, and how it is driven."""

    subject: Subject
    request: WorkerRequest
    """What leaks, and how much time there is to explain it."""
    chunks_per_period: int
    phase: int
    """As of the cell's schedule."""
    flush: Callable[[], None]
    """Writes out what the harness itself has waiting, which would seem to grow."""
    began: float = field(default_factory=time.perf_counter)

    def hours_of(self, chunks: int) -> float:
        """Return the audio-hours in `chunks`."""
        return chunks * self.request.chunk_ms / 1000 / 3600

    def is_at_phase(self, chunks: int) -> bool:
        """Whether `chunks` chunks are a point at which periods are compared."""
        return chunks % self.chunks_per_period == self.phase

    def seconds_since_begun(self) -> float:
        """Return the wall time that explaining has taken by now."""
        return time.perf_counter() - self.began


@dataclass(slots=True, kw_only=True)
class Findings:
    """What the stages so far have found."""

    growths: tuple[Growth, ...] = ()
    opened: tuple[Opened, ...] = ()
    native: tuple[NativeGrowth, ...] = ()
    no_memray_in: str = ""
    busy: tuple[AllocationLine, ...] = ()
    chunks: int = 0
    """Between the first and the last census."""
    audio_seconds: float = 0.0
    """Of these chunks."""

    def write(self, folder: Path, *, wall_seconds: float, processor_seconds: float) -> None:
        """Write all of it to ``findings.json``."""
        spent = {"wall_seconds": wall_seconds, "processor_seconds": processor_seconds}
        write_json(folder / FINDINGS_FILE, {**dataclasses.asdict(self), **spent})


def unexplained_bytes(setup: Setup, findings: Findings) -> float | None:
    """Return the growth of memory, in bytes an audio-hour, that nothing found so far explains.

    None where no memory is known to grow, or what was found may be all of it.
    """
    if has_memory_of_no_size(findings.growths, findings.opened):
        return None
    explained = sum(growth.bytes_per_hour for growth in findings.growths)
    explained += sum(opened.bytes_per_hour for opened in findings.opened)
    return HeapGrowth(heap=memory_rate(setup), objects=explained).native(outside=0.0)


def memory_rate(setup: Setup) -> float:
    """Return how fast memory is known to grow, in bytes an audio-hour; 0 where it is not."""
    leaking = setup.request.explain_process
    return max((leaking[name] for name in _MEMORY if name in leaking), default=0.0)


class Stage(Protocol):
    """One way of finding out."""

    def after_chunk(self, driven: Driven) -> bool:
        """Look, if it is time to; return whether all is found that can be."""
