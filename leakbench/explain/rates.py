"""What growth comes with: so much a chunk, a segment, a stream, or an hour. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from leakbench.explain.census import Driven
from leakbench.record.explanation import Unit

_RARER: Final[tuple[Unit, ...]] = ("segment", "stream")


def rate_of(amount: float, driven: Driven, hours: float) -> tuple[Unit, float]:
    """Return what growth comes with, and how much of it comes each time."""
    counts: Mapping[Unit, int] = {
        "chunk": driven.chunks,
        "segment": driven.segments,
        "stream": driven.streams,
    }
    if counts["chunk"] and amount % counts["chunk"] == 0:
        return "chunk", amount / counts["chunk"]
    for unit in _RARER:
        if counts[unit] and amount % counts[unit] == 0:
            return unit, amount / counts[unit]
    if amount > counts["chunk"] > 0:
        return "chunk", amount / counts["chunk"]
    return "hour", amount / hours
