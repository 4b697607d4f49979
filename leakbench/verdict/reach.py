"""Whether the audio brought the subject where its scenario promises.

A run that visited no silence, no speech or no reset has measured nothing, however flat its
figures are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leakbench.errors import StimulusError
from leakbench.record.trace import SegmentEvent
from leakbench.scenario import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """Where the audio brought the subject, over whole periods after warm-up."""

    periods: int
    segments: int
    """Closed."""
    streams: int
    """Started."""
    speech_seconds: float
    """Inside closed segments."""
    longest_segment_seconds: float
    audio_seconds: float


def measure_visited(
    events: Sequence[SegmentEvent],
    *,
    first_chunk: int,
    last_chunk: int,
    chunks_per_period: int,
    chunk_seconds: float,
    stream_chunks: int | None,
) -> Visited:
    """Count what happened from `first_chunk` up to, not including, `last_chunk`.

    Both are taken as whole periods apart. Segment times count from the start of their
    stream, so an opening is carried until its end is told.
    """
    segments = 0
    speech_ms = longest_ms = 0
    open_start = -1
    for event in events:
        for start, end in event.segments:
            open_start = start if start != -1 else open_start
            if end == -1:
                continue
            if first_chunk <= event.chunk < last_chunk and open_start != -1:
                segments += 1
                speech_ms += end - open_start
                longest_ms = max(longest_ms, end - open_start)
            open_start = -1
    chunks = last_chunk - first_chunk
    return Visited(
        periods=chunks // chunks_per_period,
        segments=segments,
        # A stream starts at every multiple of its length; the endless one started before.
        streams=(
            -(-last_chunk // stream_chunks) - -(-first_chunk // stream_chunks)
            if stream_chunks
            else 0
        ),
        speech_seconds=speech_ms / 1000,
        longest_segment_seconds=longest_ms / 1000,
        audio_seconds=chunks * chunk_seconds,
    )


def check_reach(reach: Reach, visited: Visited) -> None:
    """Compare where the audio went with what the scenario promises.

    Raises
    ------
    StimulusError
        Naming the first promise that was not kept, with what was seen instead.
    """
    if visited.periods < 1:
        raise StimulusError(
            "the run ended before one whole period after warm-up: nothing was measured; "
            "drive more audio"
        )
    per_period = visited.segments / visited.periods
    speech_share = visited.speech_seconds / visited.audio_seconds
    promises: tuple[tuple[str, float | None, float, bool], ...] = (
        ("segments a period", reach.min_segments_per_period, per_period, True),
        ("segments a period", reach.max_segments_per_period, per_period, False),
        ("share of silence", reach.min_silence_share, 1 - speech_share, True),
        ("share of speech", reach.min_speech_share, speech_share, True),
        (
            "streams a period",
            reach.min_streams_per_period,
            visited.streams / visited.periods,
            True,
        ),
        (
            "seconds in the longest segment",
            reach.min_longest_segment_seconds,
            visited.longest_segment_seconds,
            True,
        ),
    )
    for what, promised, seen, is_minimum in promises:
        if promised is not None and (seen < promised if is_minimum else seen > promised):
            raise StimulusError(
                f"the audio did not reach what the scenario promises: {what} must be "
                f"{'at least' if is_minimum else 'at most'} {promised:g}, got {seen:.3g} over "
                f"{visited.periods} periods; nothing was measured"
            )
