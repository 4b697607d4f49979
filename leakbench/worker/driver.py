"""The loop that feeds a subject, chunk by chunk, until it is told to stop."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Protocol

from leakbench.errors import SubjectError
from leakbench.record.heartbeat import Heartbeat
from leakbench.record.trace import SegmentEvent, TraceWriter
from leakbench.scenario.audio.stimulus import ChunkReader
from leakbench.subject import Segments, Subject


class Counts(ctypes.Structure):
    """How much has been driven, in memory that is the same whatever the numbers.

    CPython makes an object of an integer from 257 on: counts held as such weigh 32 bytes more from
    then on.
    """

    chunks: int
    """Chunks fed, over all streams."""
    segments: int
    """Segments closed."""
    streams: int
    """Streams started."""
    _fields_ = tuple((name, ctypes.c_int64) for name in ("chunks", "segments", "streams"))


class Looker(Protocol):
    """Looks at a subject between chunks."""

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for leave to go on."""

    def after_chunk(self, counts: Counts, wall_seconds: float, cpu_seconds: float) -> None:
        """Look, if it is time to, once a chunk has been fed in so much time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """How far to drive."""

    chunks: int
    """Chunks to feed, over all streams."""
    stream_chunks: int | None
    """Chunks of each stream; None for one endless stream."""
    chunk_seconds: float


def drive(
    subject: Subject,
    reader: ChunkReader,
    plan: Drive,
    *,
    sampler: Looker,
    writer: TraceWriter,
    heartbeat: Heartbeat,
    stop_requested: Callable[[], bool],
) -> bool:
    """Feed `subject` as `plan` says and return whether it got to the end of it.

    Raises
    ------
    SubjectError
        When the subject returns what is not a list of segments.
    Exception
        Whatever the subject raises.
    """
    counts = Counts()
    stream_chunks = plan.stream_chunks or plan.chunks
    allowed_chunks = 0
    heartbeat.beat(1, 0.0)
    while counts.chunks < plan.chunks:
        if counts.chunks >= allowed_chunks:
            allowed_chunks = _await_leave(counts, sampler, heartbeat, stop_requested)
        if stop_requested():
            return False
        if counts.chunks % stream_chunks == 0:
            subject.start()
            counts.streams += 1
        samples = reader.read()
        is_final = plan.stream_chunks is not None and (counts.chunks + 1) % stream_chunks == 0
        wall_began = time.perf_counter()
        cpu_began = time.process_time()
        segments = subject.feed(samples, is_final)
        cpu_seconds = time.process_time() - cpu_began
        wall_seconds = time.perf_counter() - wall_began
        # Let go of the audio: a look must not find what only this loop holds.
        del samples
        if not isinstance(segments, list) or segments:
            event = _check(counts.chunks, segments)
            if event.segments:
                counts.segments += sum(1 for _start, end in event.segments if end != -1)
                writer.write_segments(event)
            del event
        del segments
        counts.chunks += 1
        sampler.after_chunk(counts, wall_seconds, cpu_seconds)
        heartbeat.beat(counts.chunks + 1, counts.chunks * plan.chunk_seconds)
    return True


def _await_leave(
    counts: Counts, sampler: Looker, heartbeat: Heartbeat, stop_requested: Callable[[], bool]
) -> int:
    """Wait until a chunk more may be fed or none shall be, and return how many may in all."""
    if counts.chunks >= heartbeat.allowed_chunks:
        sampler.wait_until(lambda: counts.chunks < heartbeat.allowed_chunks or stop_requested())
    return heartbeat.allowed_chunks


def _check(chunk: int, segments: Segments) -> SegmentEvent:
    try:
        pairs = tuple((start, end) for start, end in segments)
    except (TypeError, ValueError):
        pairs = None
    if pairs is None or not all(isinstance(ms, Integral) for pair in pairs for ms in pair):
        raise SubjectError(
            f"feed() must return a list of [start_ms, end_ms] pairs of integers, "
            f"got {segments!r:.80} for chunk {chunk}"
        )
    return SegmentEvent(chunk=chunk, segments=tuple((int(a), int(b)) for a, b in pairs))
