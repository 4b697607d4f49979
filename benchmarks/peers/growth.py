"""Growth an hour of audio, and the rule for tools that show figures and leave it at that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.peers.workloads import CHUNK_MS
from leakbench.units import format_bytes, parse_budget

BUDGET: Final = parse_budget("1 MiB/h")
RULE: Final = (
    f"no rule of its own: read as a leak where it rises by more than {BUDGET} after the first third"
)


def settled(chunks: int) -> int:
    """Return after how many of `chunks` growth counts: what fills once has a third of them."""
    return chunks // 3


def per_hour(growth: float, chunks: float) -> float:
    """Return the bytes an hour that `growth` bytes over `chunks` are."""
    return growth / (chunks * CHUNK_MS / 3_600_000)


def line_per_hour(sizes: Sequence[float], chunks: float) -> float:
    """Return the slope of a straight line through sizes spread evenly over `chunks`."""
    steps = np.linspace(0.0, 1.0, len(sizes))
    return per_hour(float(np.polyfit(steps, sizes, 1)[0]), chunks)


def is_leak(bytes_per_hour: float) -> bool:
    """Whether `RULE` calls it a leak."""
    return bytes_per_hour > BUDGET.per_hour()


def format_growth(size: float) -> str:
    """Return bytes with their sign; less than a byte either way is rounding, and none."""
    return f"+{format_bytes(size)}" if size >= 0.5 else format_bytes(size if size <= -0.5 else 0)
