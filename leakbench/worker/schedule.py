"""When to look at a subject.

Everything is counted in periods from the end of warm-up. Looks come at one fixed phase of the
period: at every period up to the fortieth, then ever more rarely, for state is cumulative. What
is looked at every s periods is looked at where s divides the period's number, and s is a power of
two: so the looks at multiples of the widest s are an even grid from the first period on, however
often looks were closer together in between.

Where looking is dear, as with millions of objects, looks are as far apart as keeps it cheap, and
none come chunk by chunk.

The last look comes when all has been fed, on the grid or not.

When something begins to grow, looks are as close as at first for the next forty periods and thin
out again from there. Two whole periods after warm-up are looked at chunk by chunk: only there can
growth that comes with each chunk be told from growth that comes with each segment. The process is
looked at chunk by chunk once, on demand.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

EVERY_PERIOD: Final = 40
"""Periods looked at one by one. The grid of all looks then never has fewer than 20 values, as many
as the rules for growth under a wobble ask for."""
DENSE_PERIODS: Final = 2
"""Periods looked at chunk by chunk: one shows where growth falls, two that it falls there again."""
DENSE_CHUNKS_AT_MOST: Final = 400
"""Longer periods are looked at chunk by chunk only so far: looking must stay cheap."""
EARLY_CHUNKS: Final = 8
"""First chunks of a run that are each followed by a look: what keeps up to an eighth of the memory
limit of each is seen to grow before it meets it."""

Due: TypeAlias = Literal["nothing", "early", "objects", "everything"]
"""What a chunk is followed by: no look, one at objects and resident memory as they are, one at
objects, one at objects and the settled process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Where looks may fall, in whole chunks and periods."""

    chunks_per_period: int
    phase: int
    """Chunks into the period at which looks are taken, 0 to chunks_per_period - 1."""
    warmup_chunks: int
    process_every_periods: int
    """Periods from one look at the process to the next while looks are closest; a power of 2."""

    @classmethod
    def plan(
        cls,
        *,
        chunks_per_period: int,
        phase: int,
        warmup_periods: int,
        period_seconds: float,
        process_interval_seconds: float,
    ) -> Schedule:
        """Return the schedule that looks at the process at most every `process_interval_seconds`.

        All times are audio-seconds.
        """
        periods = max(1, math.ceil(process_interval_seconds / period_seconds - 1e-9))
        return cls(
            chunks_per_period=chunks_per_period,
            phase=phase,
            warmup_chunks=warmup_periods * chunks_per_period,
            process_every_periods=1 << (periods - 1).bit_length(),
        )

    @property
    def dense_chunks(self) -> int:
        """Chunks that are looked at one by one, where any are."""
        return min(DENSE_PERIODS * self.chunks_per_period, DENSE_CHUNKS_AT_MOST)

    def period(self, chunks: int) -> int | None:
        """Return the period whose look comes after `chunks` chunks, from the end of warm-up.

        Negative within warm-up; None at any other phase.
        """
        period, beyond = divmod(chunks - self.phase - self.warmup_chunks, self.chunks_per_period)
        return period if beyond == 0 else None


def stride(periods: int) -> int:
    """Return how many periods lie between two looks, `periods` after they were closest.

    1 up to the fortieth period, 2 up to the eightieth, 4 up to the 160th, and so on.
    """
    return 1 << (max(periods, 0) // EVERY_PERIOD).bit_length()


class Pace:
    """What is due after each chunk, as the schedule says and earlier looks have shown.

    Parameters
    ----------
    schedule
        Where looks may fall.
    last
        Chunks that will be fed in all, if that is known: a look is due after them, on the grid or
        not, so that nothing was driven in vain.
    """

    def __init__(self, schedule: Schedule, last: int | None = None) -> None:
        self._schedule = schedule
        self._last = last
        self._closest = 0
        """Period from which on looks thin out."""
        self._dense_from = self._dense_to = -1
        """Chunks between which each is followed by a look at the process."""
        # In arrays, as an integer from 257 on is an object.
        self._next = array("q", [0])
        self._apart = array("q", [1])
        """Periods that lie between two looks at least."""
        self._is_dear = False

    def due(self, chunks: int) -> Due:
        """Return what is due once `chunks` chunks have been fed; asked after each."""
        if chunks < self._next[0]:
            return "nothing"
        self._next[0] = self._next_look(chunks)
        return self._due(chunks)

    def tighten(self, chunks: int) -> None:
        """Look as closely as at first again: something has grown after `chunks` chunks."""
        self._closest = max(self._schedule.period(chunks) or 0, 0)
        self._next[0] = 0

    def look_at_each_chunk(self, chunks: int) -> None:
        """Look at the process after each of the chunks that follow; once in a run."""
        if self._dense_to < 0:
            self._dense_from, self._dense_to = chunks, chunks + self._schedule.dense_chunks
            self._next[0] = 0

    def spare(self, periods: int) -> None:
        """Look only every `periods` periods from now on, a power of two, or more rarely."""
        self._is_dear = True
        if periods > self._apart[0]:
            self._apart[0] = periods
            self._next[0] = 0

    def _stride(self, period: int) -> int:
        return max(stride(period - self._closest), self._apart[0])

    def _due(self, chunks: int) -> Due:
        schedule = self._schedule
        if self._dense_from < chunks <= self._dense_to and not self._is_dear:
            return "everything"
        period = schedule.period(chunks)
        every = self._stride(period) if period is not None else 0
        if period is not None and (
            period % max(every, schedule.process_every_periods) == 0 or chunks == self._last
        ):
            return "everything"
        is_early = chunks <= EARLY_CHUNKS and chunks < schedule.warmup_chunks
        if is_early and not self._is_dear:
            return "early"
        if period is not None and period % every == 0:
            return "objects"
        if self._is_dear:
            return "nothing"
        if 0 <= chunks - schedule.warmup_chunks <= schedule.dense_chunks:
            return "objects"
        return "nothing"

    def _next_look(self, chunks: int) -> int:
        """Return a chunk after `chunks` up to which nothing is due."""
        schedule = self._schedule
        first_dense_to = schedule.warmup_chunks + schedule.dense_chunks
        if chunks < max(EARLY_CHUNKS, first_dense_to, self._dense_to):
            return chunks + 1
        first = schedule.warmup_chunks + schedule.phase
        period = (chunks - first) // schedule.chunks_per_period + 1
        period += -period % self._stride(period)
        following = first + period * schedule.chunks_per_period
        return self._last if self._last and chunks < self._last < following else following
