"""Takes looks at a subject between chunks, and appends them to the trace.

What the looking itself needs is there before the first chunk: looks are rehearsed, complete but for
the subject, until nothing is imported, filled or specialised any more. What one look leaves for the
next does not grow with the looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from leakbench.metrics import process_metrics
from leakbench.probes.objects import ObjectProbe
from leakbench.probes.process import ProcessProbe
from leakbench.probes.settling import Settling
from leakbench.probes.traced import Tracing
from leakbench.record.trace import ObjectSize, Sample, TraceWriter
from leakbench.subject import Subject
from leakbench.worker.driver import Counts
from leakbench.worker.expense import Expense
from leakbench.worker.feedtimes import FeedTimes
from leakbench.worker.movement import Movement
from leakbench.worker.schedule import Due, Pace, Schedule

USS_SECONDS: Final = 600.0
"""Audio from one look at USS to the next: the kernel walks the page tables for it."""
REHEARSALS: Final = 24
"""Looks before the first chunk. CPython specialises bytecode in the first 8 to 16 calls of a
function, and the heap was seen to move until then."""
TIMED_PERIODS: Final = 4
"""Periods before a look of which times are told, where that many have passed."""
START_PERIODS: Final = 2
"""Periods after warm-up in which the process may still rise without being looked at more closely:
the first look is some hundred bytes below the second."""
WAIT_SECONDS: Final = 0.02
"""Between two questions whether to go on: no load, no noticeable delay."""
_Measure: TypeAlias = Callable[[], Mapping[str, ObjectSize]]
_MODES: Final = ("traced_bytes",)
"""Metrics of runs of their own: another run does not lack them."""


class Sampler:
    """Takes the looks that the schedule asks for and appends them to the trace.

    Parameters
    ----------
    chunk_seconds
        Audio of a chunk.
    probe
        Of the process, and of nothing else if not given.
    settling
        How the process is settled before it is looked at.
    tracing
        Where allocations are traced: then there are no other figures of the process.
    chunks
        To be driven in all. However dear looks are, they are never so rare that no verdict is
        possible, and the last comes at the very end.
    announce
        Told True when work begins that is not the subject's, and False when it is over.
    """

    def __init__(
        self,
        schedule: Schedule,
        subject: Subject,
        writer: TraceWriter,
        *,
        chunk_seconds: float,
        probe: ProcessProbe | None = None,
        settling: Settling | None = None,
        tracing: Tracing | None = None,
        chunks: int | None = None,
        announce: Callable[[bool], object] = bool,
    ) -> None:
        self._schedule = schedule
        self._pace = Pace(schedule, chunks)
        self._movement = Movement()
        self._subject = subject
        self._writer = writer
        self._chunk_seconds = chunk_seconds
        self._tracing = tracing
        self._probe = probe or ProcessProbe()
        self._settling = settling or Settling()
        self._objects = ObjectProbe()
        self._times = FeedTimes(
            chunks_per_period=schedule.chunks_per_period,
            kept_periods=max(TIMED_PERIODS, schedule.process_every_periods),
        )
        self._expense = Expense((chunks or 0) // schedule.chunks_per_period)
        self._announce = announce
        self._uss_due_seconds = 0.0
        self._began = time.perf_counter()

    def begin(self) -> tuple[str, ...]:
        """Rehearse, set everything that exists aside, and start the clock.

        Returns
        -------
        The metrics of the process that this platform cannot give.
        """
        # Before the rehearsal, for each settles the process, and after it.
        self._settling.freeze()
        given = self._rehearse()
        self._settling.freeze()
        self._began = time.perf_counter()
        wanted = (metric.name for metric in process_metrics())
        return tuple(name for name in wanted if name not in given and name not in _MODES)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait with the clock stopped: waiting for other workers is no time of the subject's."""
        began = time.perf_counter()
        while not condition():
            time.sleep(WAIT_SECONDS)
        self._began += time.perf_counter() - began

    def after_chunk(self, counts: Counts, wall_seconds: float, cpu_seconds: float) -> None:
        """Look at the subject if it is time to.

        Parameters
        ----------
        counts
            What has been driven so far.
        wall_seconds, cpu_seconds
            Time and processor time that the subject took for the last chunk.
        """
        self._times.add(wall_seconds, cpu_seconds)
        due = self._pace.due(counts.chunks)
        if due == "nothing":
            return
        cpu_began, wall_began = time.thread_time(), time.perf_counter()
        # What waits to be written is on the heap, and more of it the longer ago the last look was.
        self._writer.flush()
        sample = self._look(due, counts, self._measure_objects)
        self._writer.write_sample(sample)
        self._expense.add(time.thread_time() - cpu_began, time.perf_counter() - wall_began)
        self._set_pace(sample)

    def _look(self, due: Due, counts: Counts, measure_objects: _Measure) -> Sample:
        wall_seconds = time.perf_counter() - self._began
        # The process first: walking objects makes garbage of its own, and numbers are objects.
        self._announce(True)
        process = self._look_at_process(due, counts)
        self._announce(False)
        objects = measure_objects()
        return Sample(
            chunk=counts.chunks,
            audio_seconds=counts.chunks * self._chunk_seconds,
            wall_seconds=wall_seconds,
            phase=counts.chunks % self._schedule.chunks_per_period,
            segments=counts.segments,
            streams=counts.streams,
            process=process,
            objects=objects,
        )

    def _measure_objects(self) -> Mapping[str, ObjectSize]:
        roots = self._subject.roots()
        self._announce(True)
        objects = self._objects.measure(roots)
        self._announce(False)
        return objects

    def _look_at_process(self, due: Due, counts: Counts) -> Mapping[str, float]:
        if due == "objects":
            return {}
        if self._tracing is not None:
            return {"traced_bytes": self._tracing.traced_bytes()} if due == "everything" else {}
        if due == "early":
            return {"rss_bytes": self._probe.rss_bytes()}
        return self._measure_process(counts.chunks * self._chunk_seconds)

    def _measure_process(self, audio_seconds: float) -> dict[str, float]:
        self._settling.settle()
        figures = self._probe.measure()
        if audio_seconds >= self._uss_due_seconds:
            self._uss_due_seconds += USS_SECONDS
            if (uss_bytes := self._probe.uss_bytes()) is not None:
                figures["uss_bytes"] = uss_bytes
        figures.update(self._times.take())
        return figures

    def _set_pace(self, sample: Sample) -> None:
        if self._expense.is_dear:
            wall_seconds = time.perf_counter() - self._began
            periods = sample.chunk / self._schedule.chunks_per_period
            self._pace.spare(self._expense.stride(wall_seconds, periods))
        period = self._schedule.period(sample.chunk)
        if sample.chunk < self._schedule.warmup_chunks:
            # What it keeps of the objects is there before the first look that counts.
            self._movement.has_begun(sample.objects, {})
        elif period is not None:
            started = period >= START_PERIODS
            if self._movement.has_begun(sample.objects, sample.process if started else {}):
                self._pace.tighten(sample.chunk)
            if self._movement.is_climbing:
                self._pace.look_at_each_chunk(sample.chunk)

    def _rehearse(self) -> frozenset[str]:
        """Take looks that are thrown away, and return which metrics they gave."""
        objects = ObjectProbe()
        stand_in = {"samples": np.zeros(8), "levels": [0.5, "text"], "names": {"one": (1, 2)}}
        given: dict[str, float] = {}
        counts = Counts()
        for _ in range(REHEARSALS):
            counts.chunks += 1
            for _ in range(self._schedule.chunks_per_period):
                self._times.add(0.0, 0.0)
            given.update(self._measure_process(audio_seconds=0.0))
            sample = self._look("objects", counts, lambda: objects.measure(stand_in))
            self._writer.rehearse(sample)
            self._movement.has_begun(sample.objects, given)
        self._movement.forget()
        self._uss_due_seconds = 0.0
        return frozenset(given)
