"""When to look at a subject, and what at.

Objects are looked at at one fixed phase of every period, the process at the same phase but
more rarely. Two whole periods after warm-up are looked at chunk by chunk: only there can
growth that comes with each chunk be told from growth that comes with each segment.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from leakbench.probes.objects import ObjectProbe
from leakbench.probes.process import ProcessProbe
from leakbench.probes.traced import Tracing
from leakbench.record.trace import Sample, TraceWriter
from leakbench.subject import Subject

DENSE_PERIODS: Final = 2
"""Periods looked at chunk by chunk: one shows where growth falls, two that it falls there again."""
DENSE_CHUNKS_AT_MOST: Final = 400
"""Longer periods are looked at chunk by chunk only so far: looking must stay cheap."""
USS_EVERY: Final = 20
"""Looks at the process for each look at its USS, which walks the page tables."""

WAIT_SECONDS: Final = 0.02
"""Between two questions whether to go on: no load, no noticeable delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Which chunks are followed by a look, as whole numbers of chunks and periods."""

    chunks_per_period: int
    phase: int
    """Chunks into the period at which looks are taken, 0 to chunks_per_period - 1."""
    warmup_chunks: int
    process_every_periods: int

    @classmethod
    def plan(
        cls,
        *,
        chunks_per_period: int,
        phase: int,
        warmup_periods: int,
        period_seconds: float,
        process_interval_seconds: float,
    ) -> Schedule:
        """Return the schedule that looks at the process at most every `process_interval_seconds`.

        All times are audio-seconds.
        """
        return cls(
            chunks_per_period=chunks_per_period,
            phase=phase,
            warmup_chunks=warmup_periods * chunks_per_period,
            process_every_periods=max(1, math.ceil(process_interval_seconds / period_seconds)),
        )

    def looks_at_objects(self, chunks: int) -> bool:
        """Whether objects are looked at once `chunks` chunks have been fed."""
        return chunks % self.chunks_per_period == self.phase or self._is_dense(chunks)

    def looks_at_process(self, chunks: int) -> bool:
        """Whether the process is looked at once `chunks` chunks have been fed."""
        periods, phase = divmod(chunks - self.phase, self.chunks_per_period)
        return phase == 0 and periods % self.process_every_periods == 0

    def _is_dense(self, chunks: int) -> bool:
        since_warmup = chunks - self.warmup_chunks
        dense_chunks = min(DENSE_PERIODS * self.chunks_per_period, DENSE_CHUNKS_AT_MOST)
        return 0 <= since_warmup <= dense_chunks


class Sampler:
    """Takes the looks that the schedule asks for and appends them to the trace."""

    def __init__(
        self,
        schedule: Schedule,
        subject: Subject,
        writer: TraceWriter,
        *,
        chunk_seconds: float,
        tracing: Tracing | None = None,
    ) -> None:
        self._schedule = schedule
        self._subject = subject
        self._writer = writer
        self._chunk_seconds = chunk_seconds
        self._tracing = tracing
        self._probe = ProcessProbe()
        self._objects = ObjectProbe()
        # Preallocated: a list of timings would be a leak of our own.
        self._feed_seconds = np.zeros(
            schedule.process_every_periods * schedule.chunks_per_period, dtype=np.float64
        )
        self._fed = 0
        self._looks_at_process = 0
        self._began = time.perf_counter()

    def begin(self) -> None:
        """Set everything that exists before the first chunk aside and start the clock."""
        self._probe.freeze()
        self._began = time.perf_counter()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait with the clock stopped: waiting for other workers is no time of the subject's."""
        began = time.perf_counter()
        while not condition():
            time.sleep(WAIT_SECONDS)
        self._began += time.perf_counter() - began

    def after_chunk(self, chunks: int, feed_seconds: float, segments: int, streams: int) -> None:
        """Look at the subject if the schedule says so.

        Parameters
        ----------
        chunks
            Chunks fed so far.
        feed_seconds
            Seconds the subject took for the last one.
        segments, streams
            Segments closed and streams started so far.
        """
        self._feed_seconds[self._fed % len(self._feed_seconds)] = feed_seconds
        self._fed += 1
        look_at_process = self._schedule.looks_at_process(chunks)
        if not look_at_process and not self._schedule.looks_at_objects(chunks):
            return
        self._writer.write_sample(
            Sample(
                chunk=chunks,
                audio_seconds=chunks * self._chunk_seconds,
                wall_seconds=time.perf_counter() - self._began,
                phase=chunks % self._schedule.chunks_per_period,
                segments=segments,
                streams=streams,
                # The process first: walking objects makes garbage of its own.
                process=self._look_at_process() if look_at_process else {},
                objects=self._objects.measure(self._subject.roots()),
            )
        )

    def _look_at_process(self) -> Mapping[str, float]:
        if self._tracing is not None:
            return {"traced_bytes": self._tracing.traced_bytes()}
        probe = self._probe
        probe.settle()
        figures: dict[str, float] = {}
        if (heap := probe.heap_bytes()) is not None:
            figures["heap_bytes"] = heap
        if (rss := probe.rss_bytes()) is not None:
            figures["rss_bytes"] = rss
        if self._looks_at_process % USS_EVERY == 0 and (uss := probe.uss_bytes()) is not None:
            figures["uss_bytes"] = uss
        self._looks_at_process += 1
        if self._fed:
            recent = self._feed_seconds[: min(self._fed, len(self._feed_seconds))]
            figures["chunk_seconds"] = float(np.median(recent))
            self._fed = 0
        return figures
