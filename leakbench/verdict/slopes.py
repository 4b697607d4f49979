"""Slopes that survive sawteeth and spikes: floors of blocks, and Theil-Sen through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from leakbench.verdict.judgement import FloatArray

EARLY: Final = (0.125, 0.5)
"""The early window, as parts of the audio looked at. Its start drops what is left of warm-up;
wider than [T/4, T/2], it tells decay from noise with half the variance."""
LATE: Final = (0.5, 1.0)
"""The late window: where growth must be shown, or excluded."""
LAST: Final = (0.75, 1.0)
"""Its later half: where a leak that began in mid-window shows undiluted."""
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
    later, earlier = _PAIRS.get(len(times))
    return float(np.median((values[later] - values[earlier]) / (times[later] - times[earlier])))


class _Pairs:
    """Index pairs of n points; a judge asks for the same n again and again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def get(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        if count not in self._known:
            if len(self._known) > 64:
                self._known.clear()
            self._known[count] = np.triu_indices(count, 1)[::-1]
        return self._known[count]


_PAIRS: Final = _Pairs()
