"""Who allocates what is never freed and no object shows; only where memory so grows."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Final

from leakbench.explain.census import Driven
from leakbench.explain.heap_lines import HeapLines, Nets, find_heap_lines
from leakbench.explain.native_stacks import NativeTracking, Stretch, find_native
from leakbench.explain.places import Line
from leakbench.record.explanation import NativeGrowth
from leakbench.worker.stages.stage import Findings, Setup, memory_rate
from leakbench.worker.stages.stretches import TwoStretches

_AT_MOST: Final = 1.5
"""What a line may leave on the heap, over the rate at which memory is known to grow: both are
measured to a few percent, in different stretches."""


class HeapLinesStage(TwoStretches[Nets]):
    """Reads the allocator's ledger line by line."""

    def __init__(self, setup: Setup, findings: Findings) -> None:
        super().__init__(setup, findings)
        self._lines = HeapLines()

    def start(self) -> None:
        """Begin to read."""
        self._lines.start()

    def stop(self) -> Nets:
        """Return what each line has left."""
        return self._lines.stop()

    def find(
        self,
        first: Nets,
        second: Nets,
        *,
        driven: tuple[Driven, Driven],
        hours: tuple[float, float],
    ) -> None:
        """Add the lines that leave ever more."""
        at_most = _AT_MOST * memory_rate(self._setup)
        found = find_heap_lines(first, second, driven=driven, hours=hours, at_most=at_most)
        told = _told(self._findings)
        self._findings.native = tuple(
            growth for growth in found if growth.line and _line_of(growth) not in told
        )


class NativeStage(TwoStretches[Stretch]):
    """Has memray track every allocation; seven times as slow."""

    def __init__(self, setup: Setup, findings: Findings, memray: ModuleType, folder: Path) -> None:
        super().__init__(setup, findings)
        self._tracking = NativeTracking(memray, folder)

    def start(self) -> None:
        """Begin to track."""
        self._tracking.start()

    def stop(self) -> Stretch:
        """Return what is left of the stretch."""
        return self._tracking.stop()

    def find(
        self,
        first: Stretch,
        second: Stretch,
        *,
        driven: tuple[Driven, Driven],
        hours: tuple[float, float],
    ) -> None:
        """Add the stacks of which ever more is left, in place of lines alone."""
        found = find_native(first, second, driven=driven, hours=hours, told=_told(self._findings))
        with_stack = {_line_of(growth) for growth in found}
        # What is called by its address is in no table that memray could patch. Where it has seen
        # most of what grows, there is nothing of the kind.
        seen = sum(growth.bytes_per_hour for growth in found)
        lines = self._findings.native if seen < memory_rate(self._setup) / 2 else ()
        alone = [growth for growth in lines if _line_of(growth) not in with_stack]
        self._findings.native = tuple(
            sorted((*found, *alone), key=lambda growth: -growth.bytes_per_hour)
        )


def _line_of(growth: NativeGrowth) -> Line | None:
    return (growth.line.file, growth.line.line) if growth.line else None


def _told(findings: Findings) -> dict[Line, float]:
    """Return the bytes an audio-hour that growth of objects was put down to, by line."""
    told: dict[Line, float] = {}
    for line in (line for growth in findings.growths for line in growth.allocations):
        at = line.file, line.line
        told[at] = told.get(at, 0.0) + line.bytes_per_hour
    return told
