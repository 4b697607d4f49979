"""How long a subject takes for a chunk, by two clocks, kept in memory that does not grow."""

from __future__ import annotations

import statistics
from array import array


class FeedTimes:
    """Times of the chunks since the last look at the process, as far as they are kept.

    Parameters
    ----------
    chunks_per_period
        Chunks over which processor time is averaged: speech costs more than silence, and a whole
        period has the same of both.
    kept_periods
        Periods whose times are kept, the latest.
    """

    def __init__(self, *, chunks_per_period: int, kept_periods: int) -> None:
        self._chunks_per_period = chunks_per_period
        self._wall_seconds = array("d", [0.0]) * (kept_periods * chunks_per_period)
        self._cpu_seconds = array("d", self._wall_seconds)
        # In an array, as an integer from 257 on is an object.
        self._fed = array("q", [0])

    def add(self, wall_seconds: float, cpu_seconds: float) -> None:
        """Take note of one chunk."""
        fed = self._fed[0]
        place = fed % len(self._wall_seconds)
        self._wall_seconds[place] = wall_seconds
        self._cpu_seconds[place] = cpu_seconds
        self._fed[0] = fed + 1

    def take(self) -> dict[str, float]:
        """Return the times since they were last taken, by metric.

        ``cpu_seconds`` is the least of the means of whole periods, counted back from now: other
        processes make a period slower and none faster. It is absent where there is no whole one.
        """
        times = {}
        latest = self._latest(self._wall_seconds)
        if latest:
            times["chunk_seconds"] = statistics.median(latest)
        period = self._chunks_per_period
        latest = self._latest(self._cpu_seconds)
        means = [
            sum(latest[end - period : end]) / period
            for end in range(len(latest), period - 1, -period)
        ]
        if means:
            times["cpu_seconds"] = min(means)
        self._fed[0] = 0
        return times

    def _latest(self, ring: array[float]) -> array[float]:
        """Return what is kept in a ring, in order."""
        place = self._fed[0] % len(ring)
        return ring[:place] if self._fed[0] < len(ring) else ring[place:] + ring[:place]
