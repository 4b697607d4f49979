"""How long a subject takes for a chunk, by two clocks, kept in memory that does not grow."""

from __future__ import annotations

import math
import statistics
from array import array


class FeedTimes:
    """Times of the chunks since the last look at the process.

    Parameters
    ----------
    chunks_per_period
        Chunks over which processor time is averaged: speech costs more than silence, and a whole
        period has the same of both.
    kept
        Chunks whose wall time is kept, the latest.
    """

    def __init__(self, *, chunks_per_period: int, kept: int) -> None:
        self._wall_seconds = array("d", [0.0]) * kept
        # In arrays, as an integer from 257 on is an object.
        self._fed = array("q", [0])
        self._fed_in_period = array("q", [0])
        self._chunks_per_period = chunks_per_period
        self._period_seconds = 0.0
        self._least = math.inf

    def add(self, wall_seconds: float, cpu_seconds: float) -> None:
        """Take note of one chunk."""
        self._wall_seconds[self._fed[0] % len(self._wall_seconds)] = wall_seconds
        self._fed[0] += 1
        self._period_seconds += cpu_seconds
        self._fed_in_period[0] += 1
        if self._fed_in_period[0] == self._chunks_per_period:
            self._least = min(self._least, self._period_seconds / self._chunks_per_period)
            self._fed_in_period[0] = 0
            self._period_seconds = 0.0

    def take(self) -> dict[str, float]:
        """Return the times since they were last taken, by metric.

        ``cpu_seconds`` is the least of the periods' means: other processes make a period slower
        and none faster. It is absent where no period has been completed.
        """
        times = {}
        if self._fed[0]:
            times["chunk_seconds"] = statistics.median(self._wall_seconds[: self._fed[0]])
        if self._least < math.inf:
            times["cpu_seconds"] = self._least
        self._fed[0] = 0
        self._least = math.inf
        return times
