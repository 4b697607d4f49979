"""The loop that feeds a subject, chunk by chunk, until it is told to stop."""

from __future__ import annotations

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


class Looker(Protocol):
    """Looks at a subject between chunks."""

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for leave to go on."""

    def after_chunk(self, chunks: int, feed_seconds: float, segments: int, streams: int) -> None:
        """Look, if it is time to, once `chunks` chunks have been fed."""


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
    segments_closed = 0
    streams = 0
    heartbeat.beat(1, 0.0)
    for chunk in range(plan.chunks):
        if chunk >= heartbeat.allowed_chunks:
            sampler.wait_until(lambda: chunk < heartbeat.allowed_chunks or stop_requested())  # noqa: B023
        if stop_requested():
            return False
        if chunk % (plan.stream_chunks or plan.chunks) == 0:
            subject.start()
            streams += 1
        samples = reader.read()
        is_final = plan.stream_chunks is not None and (chunk + 1) % plan.stream_chunks == 0
        began = time.perf_counter()
        segments = subject.feed(samples, is_final)
        feed_seconds = time.perf_counter() - began
        # Let go of the audio: a look must not find what only this loop holds.
        del samples
        if not isinstance(segments, list) or segments:
            event = _check(chunk, segments)
            if event.segments:
                segments_closed += sum(1 for _start, end in event.segments if end != -1)
                writer.write_segments(event)
        del segments
        sampler.after_chunk(chunk + 1, feed_seconds, segments_closed, streams)
        heartbeat.beat(chunk + 2, (chunk + 1) * plan.chunk_seconds)
    return True


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
