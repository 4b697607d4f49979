"""A second, short drive of a leaking cell that says who holds and who allocates what grows.

It comes after everything has been measured, for it traces, which changes every figure of the
process. Warm-up, then three censuses at one phase of the period, as far apart as the time
allowed lets them be.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from leakbench.explain.census import Census, Driven, take_census
from leakbench.explain.heapwalk import Heap
from leakbench.explain.lines import growth_by_line, traced_by_line
from leakbench.explain.search import find_growths
from leakbench.explain.tensor_origins import Line, TensorOrigins
from leakbench.probes.objects import ObjectProbe
from leakbench.probes.traced import Tracing
from leakbench.record.trace import write_json
from leakbench.subject import Subject
from leakbench.worker.driver import Counts

FINDINGS_FILE: Final = "findings.json"

PERIODS_AT_MOST: Final = 40
"""From the first census to the last: more says nothing new of what grows each period."""
_DRIVING: Final = 0.4
"""Share of the time allowed for driving; the censuses and the search take the rest."""


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


class Explainer:
    """Looks at a subject between chunks, as a sampler does, until it can explain.

    Parameters
    ----------
    folder
        Where ``findings.json`` goes.
    chunks_per_period, phase
        As of the cell's schedule.
    flush
        Writes out what the harness itself has waiting, which would seem to grow.
    leaking
        Paths known to leak: of these, growth seen once is enough.
    gaps
        Fewest and most periods from one growth of such a path to its next. Tracing makes a chunk
        four times as slow: it begins two periods before what grows most rarely should grow.
    seconds
        Wall time to keep to, from the first chunk on; two periods are driven in any case.
    """

    def __init__(
        self,
        folder: Path,
        subject: Subject,
        *,
        chunk_seconds: float,
        chunks_per_period: int,
        phase: int,
        flush: Callable[[], None],
        leaking: Collection[str],
        gaps: Mapping[str, tuple[int, int]],
        seconds: float,
    ) -> None:
        self._began = time.perf_counter()
        self._processor_began = time.process_time()
        # First: what it finds is the subject's, what is made after it is known to be ours.
        self._heap = Heap()
        self.is_done = False
        self._folder = folder
        self._subject = subject
        self._chunk_seconds = chunk_seconds
        self._period = chunks_per_period
        self._phase = phase
        self._half = 0
        self._flush = flush
        self._leaking = leaking
        self._seconds = seconds
        self._censuses: list[Census] = []
        self._lines: list[dict[Line, int]] = []
        """Bytes still held of what each line allocated, at each census."""
        self._origins = TensorOrigins()
        self._tracing: Tracing | None = None
        self._traced_from = 0.0
        self._traced_from_chunk = 0
        self._first = 0
        """Chunk after which the first census is taken; 0 while that is not known."""
        self._fewest, self._most = max(gaps.values(), key=lambda gap: gap[1], default=(1, 1))
        self._awaited = _Awaited(subject, gaps) if gaps else None
        self._trace_at = 0
        if not gaps:
            self._trace(0)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Go on: an explaining worker runs alone."""

    def after_chunk(self, counts: Counts, wall_seconds: float, cpu_seconds: float) -> None:
        """Take a census if it is time for one."""
        chunks = counts.chunks
        if self._awaited is not None and chunks % self._period == self._phase:
            self._await(self._awaited, chunks)
        if self._trace_at == chunks:
            self._trace(chunks)
        if chunks == self._first:
            self._half = max(self._periods(chunks), self._most - self._fewest + 1) * self._period
        if self._half and (chunks - self._first) % self._half == 0:
            self._look(Driven(chunks=chunks, segments=counts.segments, streams=counts.streams))

    def _await(self, awaited: _Awaited, chunks: int) -> None:
        # What never grows again is waited for no longer than the cell took.
        is_late = time.perf_counter() - self._began > self._seconds
        if awaited.have_grown() or is_late:
            self._awaited = None
            self._trace_at = chunks + max(self._fewest - 2, 0) * self._period

    def _trace(self, chunks: int) -> None:
        self._tracing = Tracing()
        self._origins.start()
        self._traced_from = time.perf_counter()
        self._traced_from_chunk = chunks
        # One period shows what a period leaves behind: the verdict has had its warm-up.
        self._first = chunks + self._period + (self._phase - chunks) % self._period

    def _periods(self, chunks: int) -> int:
        """Return the whole periods from one census to the next that fit the time."""
        now = time.perf_counter()
        a_period = (now - self._traced_from) / (chunks - self._traced_from_chunk) * self._period
        left = self._seconds * _DRIVING - (now - self._began)
        return max(1, min(math.floor(left / a_period / 2), PERIODS_AT_MOST // 2))

    def _look(self, driven: Driven) -> None:
        tracing = self._tracing
        if tracing is None:
            return
        self._origins.stop()
        self._flush()
        if len(self._censuses) != 1:  # nothing is asked of the one in the middle
            self._lines.append(traced_by_line())
        walk = self._heap.walk(self._subject, self._ours())
        self._censuses.append(take_census(walk, self._heap, driven))
        if len(self._censuses) < 3:
            self._origins.start()
            return
        first, middle, last = self._censuses
        between = last.driven - first.driven
        hours = between.chunks * self._chunk_seconds / 3600
        growths = find_growths(
            self._subject,
            self._heap,
            walk,
            (first, middle, last),
            traced=growth_by_line(self._lines[0], self._lines[-1]),
            origins=self._origins,
            hours=hours,
            ours=(*self._ours(), self._heap, self._heap.__dict__),
            leaking=self._leaking,
        )
        del walk
        tracing.stop()
        write_json(
            self._folder / FINDINGS_FILE,
            {
                "growths": [dataclasses.asdict(growth) for growth in growths],
                "chunks": between.chunks,
                "audio_seconds": hours * 3600,
                "wall_seconds": time.perf_counter() - self._began,
                "processor_seconds": time.process_time() - self._processor_began,
            },
        )
        self.is_done = True

    def _ours(self) -> tuple[object, ...]:
        """Return what belongs to the explainer, for no census to count."""
        kept = [owned for census in self._censuses for owned in census.own_objects()]
        return (
            self,
            self.__dict__,
            self._censuses,
            self._lines,
            *self._lines,
            *self._origins.own_objects(),
            *kept,
        )
