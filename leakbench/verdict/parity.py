"""Whether two subjects found the same segments, chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence

from leakbench.record.result import Parity
from leakbench.record.trace import SegmentEvent


def compare_segments(
    reference: Sequence[SegmentEvent],
    candidate: Sequence[SegmentEvent],
    *,
    reference_name: str,
    chunks: int,
    chunk_seconds: float,
) -> Parity:
    """Compare what two subjects returned for the first `chunks` chunks of the same audio.

    Parameters
    ----------
    reference, candidate
        In order of chunk; chunks that returned nothing are left out.
    reference_name
        Spec of the reference, for the report.
    chunks
        Chunks that both were fed.
    chunk_seconds
        Audio in a chunk.
    """
    expected = {event.chunk: event.segments for event in reference if event.chunk < chunks}
    got = {event.chunk: event.segments for event in candidate if event.chunk < chunks}
    differing = [
        chunk for chunk in expected.keys() | got.keys() if expected.get(chunk) != got.get(chunk)
    ]
    first = min(differing, default=None)
    return Parity(
        reference=reference_name,
        identical=first is None,
        first_difference=None
        if first is None
        else {
            "chunk": first,
            "audio_seconds": round(first * chunk_seconds, 6),
            "expected": [list(pair) for pair in expected.get(first, ())],
            "got": [list(pair) for pair in got.get(first, ())],
        },
        chunks=chunks,
    )
