"""A second, short drive of a leaking cell that says who holds and who allocates what grows.

It comes after everything has been measured, for it traces, which changes every figure of the
process. Warm-up, then three censuses at one phase of the period, as far apart as the time
allowed lets them be.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from leakbench.explain.census import Census, Driven, take_census
from leakbench.explain.heapwalk import Heap
from leakbench.explain.lines import growth_by_line, traced_by_line
from leakbench.explain.search import find_growths
from leakbench.explain.tensor_origins import Line, TensorOrigins
from leakbench.probes.traced import Tracing
from leakbench.subject import Subject
from leakbench.trace import write_json

FINDINGS_FILE: Final = "findings.json"

PERIODS_AT_MOST: Final = 40
"""From the first census to the last: more says nothing new of what grows each period."""
_DRIVING: Final = 0.4
"""Share of the time allowed for driving; the censuses and the search take the rest."""


class Explainer:
    """Looks at a subject between chunks, as a sampler does, until it can explain.

    Parameters
    ----------
    folder
        Where ``findings.json`` goes.
    chunks_per_period, phase, warmup_chunks
        As of the cell's schedule.
    quiet_chunks
        Whole periods before anything grew, which are driven without tracing.
    flush
        Writes out what the harness itself has waiting, which would seem to grow.
    leaking
        Paths known to leak: of these, growth seen once is enough.
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
        warmup_chunks: int,
        quiet_chunks: int,
        flush: Callable[[], None],
        leaking: Collection[str],
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
        self._quiet = quiet_chunks
        # One period shows what a period leaves behind: the verdict has had its warm-up.
        self._first = quiet_chunks + min(warmup_chunks, chunks_per_period) + phase
        self._first += chunks_per_period if self._first == quiet_chunks else 0
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
        if not quiet_chunks:
            self._trace()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Go on: an explaining worker runs alone."""

    def after_chunk(self, chunks: int, feed_seconds: float, segments: int, streams: int) -> None:
        """Take a census if it is time for one."""
        if chunks == self._quiet and self._tracing is None:
            self._trace()
        if chunks == self._first:
            self._half = self._periods(chunks) * self._period
        if self._half and (chunks - self._first) % self._half == 0:
            self._look(Driven(chunks=chunks, segments=segments, streams=streams))

    def _trace(self) -> None:
        self._tracing = Tracing()
        self._origins.start()
        self._traced_from = time.perf_counter()

    def _periods(self, chunks: int) -> int:
        """Return the whole periods from one census to the next that fit the time."""
        now = time.perf_counter()
        a_period = (now - self._traced_from) / max(chunks - self._quiet, 1) * self._period
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
