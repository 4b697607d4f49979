"""Who holds what grows, which lines allocate it, and who opened what stays open.

Warm-up, then three looks at one phase of the period, as far apart as the time allowed lets them be.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from leakbench.explain.census import Census, Driven, take_census
from leakbench.explain.heapwalk import Heap
from leakbench.explain.ledger import Ledger
from leakbench.explain.lines import traced_by_line
from leakbench.explain.opened import Look, find_opened
from leakbench.explain.places import Place
from leakbench.explain.search import Evidence, find_growths
from leakbench.explain.tensor_origins import TensorOrigins
from leakbench.metrics import metric_of
from leakbench.probes.objects import ObjectProbe
from leakbench.probes.settling import Settling
from leakbench.probes.traced import Tracing
from leakbench.subject import Subject
from leakbench.worker.stages.stage import Findings, Setup

PERIODS_AT_MOST: Final = 40
"""From the first census to the last: more says nothing new of what grows each period."""
_CHUNKS_AT_LEAST: Final = 100
"""From one census to the next: what only warms up, some kilobytes within 60 chunks, ends before."""
_DRIVING: Final = 0.4
"""Share of the time allowed for driving; the censuses and the search take the rest."""
_OPENED: Final = ("mapped_bytes", "shared_bytes", "children_bytes", "temp_bytes")
"""Metrics in bytes of what somebody opens; those that are counts are all of that kind."""


class _Awaited:
    """Watches paths that leak until all have grown, and the rarest one just now."""

    def __init__(self, subject: Subject, gaps: Mapping[str, tuple[int, int]]) -> None:
        self._subject = subject
        self._probe = ObjectProbe()
        self._rarest = max(gaps, key=lambda path: gaps[path][1])
        self._unseen = set(gaps)
        self._elements: dict[str, int] = {}

    def have_grown(self) -> bool:
        """Look at all of them; asked at one phase of the period."""
        sizes = self._probe.measure(self._subject.roots())
        before = self._elements
        self._elements = {path: size.elements for path, size in sizes.items()}
        grown = {path for path, count in self._elements.items() if count > before.get(path, count)}
        self._unseen -= grown
        return not self._unseen and self._rarest in grown


class CensusStage:
    """Takes the censuses and searches them.

    Tracing makes a chunk four times as slow: it begins two periods before what grows most rarely
    should grow. Two periods and 200 chunks are driven in any case.
    """

    def __init__(self, setup: Setup, findings: Findings) -> None:
        subject = setup.subject
        # Attributes of an instance get a dict when there are many, or when it is asked for:
        # without one from the beginning there would be none to see grow.
        getattr(subject, "__dict__", None)
        # First: what it finds is the subject's, what is made after it is known to be ours.
        self._heap = Heap()
        self._setup = setup
        self._findings = findings
        self._period = setup.chunks_per_period
        self._half = 0
        self._censuses: list[Census] = []
        self._lines: list[dict[Place, int]] = []
        """Bytes still held of what each line allocated, at each census."""
        self._open: list[Look] = []
        self._settling = Settling(clears_caches=setup.request.clear_caches)
        self._origins = TensorOrigins()
        self._ledger = _ledger(setup)
        self._tracing: Tracing | None = None
        self._traced_from = 0.0
        self._traced_from_chunk = 0
        self._first = 0
        """Chunk after which the first census is taken; 0 while that is not known."""
        gaps = setup.request.explain_gaps
        self._fewest, self._most = max(gaps.values(), key=lambda gap: gap[1], default=(1, 1))
        self._awaited = _Awaited(subject, gaps) if gaps else None
        self._trace_at = 0
        if not gaps:
            self._trace(0)

    def after_chunk(self, driven: Driven) -> bool:
        """Take a census if it is time for one; the third one is searched."""
        chunks = driven.chunks
        if self._awaited is not None and self._setup.is_at_phase(chunks):
            self._await(self._awaited, chunks)
        if self._trace_at == chunks:
            self._trace(chunks)
        if chunks == self._first:
            rarest = max(self._most - self._fewest, self._setup.request.explain_apart) + 1
            self._half = max(self._periods(chunks), rarest) * self._period
        if self._half and (chunks - self._first) % self._half == 0:
            self._look(driven)
        return len(self._censuses) == 3

    def _await(self, awaited: _Awaited, chunks: int) -> None:
        # What never grows again is waited for no longer than the cell took.
        is_late = self._setup.seconds_since_begun() > self._setup.request.explain_seconds
        if awaited.have_grown() or is_late:
            self._awaited = None
            self._trace_at = chunks + max(self._fewest - 2, 0) * self._period

    def _trace(self, chunks: int) -> None:
        self._tracing = Tracing()
        self._origins.start()
        if self._ledger is not None:
            self._ledger.begin()
        self._traced_from = time.perf_counter()
        self._traced_from_chunk = chunks
        # One period shows what a period leaves behind: the verdict has had its warm-up.
        self._first = chunks + self._period + (self._setup.phase - chunks) % self._period

    def _periods(self, chunks: int) -> int:
        """Return the whole periods from one census to the next that fit the time, or must."""
        now = time.perf_counter()
        a_period = (now - self._traced_from) / (chunks - self._traced_from_chunk) * self._period
        seconds = self._setup.request.explain_seconds
        left = seconds * _DRIVING - self._setup.seconds_since_begun()
        fitting = min(math.floor(left / a_period / 2), PERIODS_AT_MOST // 2)
        return max(math.ceil(_CHUNKS_AT_LEAST / self._period), fitting)

    def _look(self, driven: Driven) -> None:
        if self._ledger is not None:
            self._ledger.unwatch()
            self._open.append(self._ledger.kept())
        self._origins.stop()
        self._setup.flush()
        # What the interpreter caches is nobody's: names of attributes, as ever more are asked for.
        self._settling.settle()
        self._lines.append(traced_by_line())
        walk = self._heap.walk(self._setup.subject, self._ours())
        self._censuses.append(take_census(walk, self._heap, driven))
        if len(self._censuses) < 3:
            self._origins.start()
            if self._ledger is not None:
                self._ledger.watch()
            return
        first, middle, last = self._censuses
        between = last.driven - first.driven
        hours = self._setup.hours_of(between.chunks)
        found = self._findings
        found.chunks, found.audio_seconds = between.chunks, hours * 3600
        found.growths = find_growths(
            self._setup.subject,
            Evidence(
                heap=self._heap,
                walk=walk,
                censuses=(first, middle, last),
                traced=(self._lines[0], self._lines[1], self._lines[2]),
                origins=self._origins,
                hours=hours,
            ),
            ours=(*self._ours(), self._heap, self._heap.__dict__),
            leaking=self._setup.request.explain_leaking,
            heap_bytes_per_hour=self._setup.request.explain_process.get("heap_bytes", 0.0),
        )
        if self._ledger is not None:
            self._ledger.end()
            found.opened = find_opened(*self._open, driven=between, hours=hours)
        if self._tracing is not None:
            self._tracing.stop()

    def _ours(self) -> tuple[object, ...]:
        """Return what belongs to the stage, for no census to count."""
        kept = [owned for census in self._censuses for owned in census.own_objects()]
        ledger = () if self._ledger is None else self._ledger.own_objects()
        return (
            self,
            self.__dict__,
            self._censuses,
            self._lines,
            *self._lines,
            self._open,
            *self._open,
            *ledger,
            *self._origins.own_objects(),
            *kept,
        )


def _ledger(setup: Setup) -> Ledger | None:
    """Return what remembers who opened what, where something of that kind leaks."""
    leaking = setup.request.explain_process
    if not any(name in _OPENED or metric_of(name).quantity == "count" for name in leaking):
        return None
    folder = setup.request.temp_folder
    return Ledger(leaking, Path(folder) if folder else None)
