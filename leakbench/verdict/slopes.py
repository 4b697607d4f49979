"""Slopes that survive sawteeth and spikes: floors of blocks, and Theil-Sen through them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from leakbench.verdict.judgement import FloatArray

WHOLE: Final = (0.125, 1.0)
"""The window of the level test, as parts of the audio looked at. Its start drops what is left
of warm-up. A slope over all of it has less than half the error of one over the later half."""
EARLY: Final = (0.125, 0.5)
"""Where growth that dies out is faster ..."""
LATE: Final = (0.5, 1.0)
"""... than here."""
LAST: Final = (0.75, 1.0)
"""Where a leak that began in mid-window shows undiluted."""
MIDDLES_APART: Final = (LATE[0] + LATE[1]) / 2 - (EARLY[0] + EARLY[1]) / 2
"""Between the middles of the early and late windows: a cache that fills with time constant
tau has slopes in the ratio exp(-MIDDLES_APART * T / tau)."""
MAX_FLOORS: Final = 120
"""Most points that Theil-Sen takes pairs of; more are first grouped to their medians."""
EDGE_PARTS: Final = 7
"""Parts of a window of which :func:`rise_slope` compares the first and the last."""
SHORT_LAG: Final = 3
"""Blocks between the points of a pair of :func:`short_slope`."""
MIN_FLOORS: Final = 3
"""Fewest floors a slope is fitted to."""
MAX_MISSING: Final = 0.2
"""Share of blocks of a window that may hold no sample before the answer is UNDECIDED."""


@dataclass(frozen=True, slots=True)
class Floors:
    """The least value of each block of a series."""

    times: FloatArray
    """Middles of the blocks that hold a sample, seconds, shape (n,)."""
    values: FloatArray
    """Shape (n,)."""
    block_seconds: float

    def within(self, start: float, stop: float) -> tuple[FloatArray, FloatArray] | None:
        """Return the floors of a window, or None where too few blocks of it were sampled."""
        inside = (self.times >= start) & (self.times <= stop)
        wanted = max((stop - start) / self.block_seconds, MIN_FLOORS)
        found = int(inside.sum())
        # One block is lost at either edge without anything being missing.
        if found < MIN_FLOORS or found < (1 - MAX_MISSING) * wanted - 1:
            return None
        return self.times[inside], self.values[inside]


def take_floors(audio_seconds: FloatArray, values: FloatArray, block_seconds: float) -> Floors:
    """Return the least value of each block of `block_seconds`, counted from zero.

    A sample on a boundary closes the block before it: samples at 60, 120, ... fall one a block.
    """
    blocks = np.ceil(audio_seconds / block_seconds - 1e-9).astype(np.int64)
    order = np.lexsort((values, blocks))
    found, first = np.unique(blocks[order], return_index=True)
    middles = (found.astype(np.float64) - 0.5) * block_seconds
    return Floors(middles, values[order][first], block_seconds)


def theil_sen(times: FloatArray, values: FloatArray) -> float:
    """Return the median slope over all pairs of points (Theil 1950, Sen 1968)."""
    if len(times) > MAX_FLOORS:
        size = -(-len(times) // MAX_FLOORS)
        # The oldest few points that fill no group are left out.
        start = len(times) % size
        values = np.median(values[start:].reshape(-1, size), axis=1)
        times = times[start:].reshape(-1, size).mean(axis=1)
    later, earlier = _pairs(len(times))
    return _median((values[later] - values[earlier]) / (times[later] - times[earlier]))


def short_slope(times: FloatArray, values: FloatArray) -> float:
    """Return the median slope over pairs of near points: what happens between jumps.

    Steps of an allocator touch few such pairs and do not move their median, where they throw
    Theil-Sen's slope as far as they throw the series.
    """
    slopes = [
        (values[lag:] - values[:-lag]) / (times[lag:] - times[:-lag])
        for lag in range(1, min(SHORT_LAG, len(times) - 1) + 1)
    ]
    return _median(np.concatenate(slopes))


def rise_slope(times: FloatArray, values: FloatArray) -> float:
    """Return the slope from the median of the first floors to that of the last.

    Fewer than half of all pairs straddle any one step, so Theil-Sen is blind to a single one
    however high; this is not.
    """
    edge = max(len(times) // EDGE_PARTS, 1)
    run = float(np.mean(times[-edge:]) - np.mean(times[:edge]))
    return (_median(values[-edge:]) - _median(values[:edge])) / run


def _median(values: FloatArray) -> float:
    # numpy's own looks for NaN and costs five times as much on these short arrays.
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    parted = np.partition(values, (half - 1, half))
    return float(parted[half - 1] + parted[half]) / 2


@functools.lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all pairs of `count` points; a judge asks for the same count again and again."""
    earlier, later = np.triu_indices(count, 1)
    return later, earlier
