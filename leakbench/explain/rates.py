"""What growth comes with: so much a chunk, a segment, a stream, or an hour. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from leakbench.explain.census import Driven
from leakbench.record.explanation import Unit

_RARER: Final[tuple[Unit, ...]] = ("stream", "segment")
"""Where each stream has one segment, what comes with either is said to come with the stream."""


def rate_of(amount: float, driven: Driven, hours: float) -> tuple[Unit, float]:
    """Return what growth comes with, and how much of it comes each time."""
    counts: Mapping[Unit, int] = {
        "chunk": driven.chunks,
        "segment": driven.segments,
        "stream": driven.streams,
    }
    if counts["chunk"] and amount % counts["chunk"] == 0:
        return "chunk", amount / counts["chunk"]
    for unit in sorted(_RARER, key=lambda unit: -counts[unit]):
        if counts[unit] and amount % counts[unit] == 0:
            return unit, amount / counts[unit]
    if amount > counts["chunk"] > 0:
        return "chunk", amount / counts["chunk"]
    return "hour", amount / hours


def rate_of_bytes(nbytes: float, times: int, driven: Driven, hours: float) -> tuple[Unit, float]:
    """Return the same of bytes that were left `times` times: that tells what they come with.

    By bytes alone, 800 B a stream of eight chunks are 100 B a chunk.
    """
    unit, each = rate_of(times, driven, hours)
    return unit, nbytes / times * each
