"""The exact tier: phase-matched values of something deterministic, judged without statistics.

Under a periodic stimulus an element count, sampled at a fixed phase of each period, is
either the same every time or it grows. ``values`` below are those samples after warm-up,
one a period, so that ``growth = diff(values)`` has one entry a period. All of them are used.

Real containers need more than "all equal" and "every period positive":

* an append-only list over-allocates, so its bytes rise in ever rarer and larger steps;
* a ring buffer's length may repeat every third period rather than every one;
* a leak may come with every tenth segment only;
* a structure may be trimmed every few periods (a sawtooth).

What no finite record can tell: a structure that fills steadily towards a bound it has not
met looks like a leak (lengthen the warm-up past the filling), and a leak rarer than once in
the periods observed looks flat (the reason says how many were observed).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from leakbench.units import SECONDS_PER_HOUR, Quantity, format_amount, format_duration
from leakbench.verdict.judgement import FloatArray, Judgement, Verdict, checked, describe_rate

MIN_PERIODS: Final = 5
"""Fewest periods that anything is said of: five equal increments do not happen by accident."""
RECURRENCES: Final = 3
"""Steps that growth with pauses must have taken before it is called recurring."""
SETTLED_PERIODS: Final = 20
"""Quiet periods that clear a structure which did grow after the warm-up, so that a leak in
every tenth period, seen once, is never called flat while it waits for its next step."""
SLACK_PERIODS: Final = 12
"""The same for a single step within the slack (an integer that outgrew CPython's cache)."""
SHRINKING: Final = 0.75
"""Late over early growth below which growth is dying out: linear is 1, a filling cache <= 0.5."""


@dataclass(frozen=True, slots=True)
class _Growth:
    """Growth a period over part of a record: estimate and bounds."""

    low: float
    rate: float
    high: float


def judge_exact(
    values: Sequence[float] | npt.ArrayLike,
    *,
    period_seconds: float,
    budget_per_hour: float = 0.0,
    quiet_periods: int = MIN_PERIODS,
    slack: float = 0.0,
    quantity: Quantity = "bytes",
) -> Judgement:
    """Judge phase-matched values of a deterministic metric.

    Parameters
    ----------
    values
        One value a period, after warm-up, shape (n,); bytes or elements.
    period_seconds
        Audio a period.
    budget_per_hour
        Growth allowed an audio-hour; 0 for none at all.
    quiet_periods
        Periods that must pass without growth before FLAT; at least 5. More where the growth
        to be excluded is rarer (every tenth segment, at one segment a period: 12).
    slack
        One single step up to this size is forgiven after 12 quiet periods rather than 20.
    quantity
        What is counted, for the reason.

    Returns
    -------
    FLAT, LEAK, SATURATING or UNDECIDED. `low` and `high` are equal where the growth is
    exactly regular; otherwise they are one lump (the range of the values about their own
    line) away from the estimate.

    Raises
    ------
    UsageError
        When a value is not finite.
    """
    record = checked(values, "values")
    # Nothing below depends on the level, so that every path that stays put shares an answer.
    return _judge(
        (record - record[:1]).tobytes(),
        period_seconds,
        budget_per_hour,
        max(quiet_periods, MIN_PERIODS),
        slack,
        quantity,
    )


@functools.lru_cache(maxsize=1024)
def _judge(
    values: bytes,
    period_seconds: float,
    budget_per_hour: float,
    quiet_periods: int,
    slack: float,
    quantity: Quantity,
) -> Judgement:
    record = _Record(
        np.frombuffer(values), period_seconds, budget_per_hour, quiet_periods, slack, quantity
    )
    if record.periods < MIN_PERIODS:
        return record.undecided(
            f"{max(record.periods, 0)} of at least {MIN_PERIODS} periods", MIN_PERIODS
        )
    return (
        record.judge_regular()
        or record.judge_within_budget()
        or record.judge_every_period()
        or record.judge_recurring()
        or record.judge_settled()
        or record.judge_troughs()
        or record.judge_tail()
        or record.undecided("neither repeats nor grows regularly", record.periods + SETTLED_PERIODS)
    )


class _Record:
    """The values of one metric, and one method a rule; a rule that does not apply says None."""

    def __init__(
        self,
        values: FloatArray,
        period_seconds: float,
        budget_per_hour: float,
        quiet_periods: int,
        slack: float,
        quantity: Quantity,
    ) -> None:
        self.values = values
        self.growth = np.diff(values)
        self.periods = len(self.growth)
        self.falls = np.flatnonzero(self.growth < 0)
        self._period_seconds = period_seconds
        self._budget = budget_per_hour
        self._quiet = quiet_periods
        self._slack = slack
        self._quantity = quantity

    def judge_regular(self) -> Judgement | None:
        """Rule 1: the values repeat every `cycle` periods, plus a constant."""
        found = _find_cycle(self.values)
        if found is None:
            return None
        cycle, step = found
        growth = _Growth(step / cycle, step / cycle, step / cycle)
        every = "period" if cycle == 1 else f"{cycle} periods"
        if not self._above(growth.rate):
            if self.periods < self._quiet:
                return self.undecided(
                    f"no growth in {self.periods} of {self._quiet} periods", self._quiet
                )
            if step == 0:
                how = "exactly the same" if cycle == 1 else f"the same every {every}"
                return self._say(Verdict.FLAT, growth, how, exact=True)
            return self._say(
                Verdict.FLAT, growth, f"{self._amount(step)} every {every}", exact=True
            )
        return self._say(Verdict.LEAK, growth, f"{self._amount(step)} every {every}", exact=True)

    def judge_within_budget(self) -> Judgement | None:
        """Rule 2: there is a budget, and even one more lump would stay within it."""
        if self._budget <= 0 or self.periods < self._quiet:
            return None
        for start in (0, self.periods // 2):
            growth = _fit(self.values[start:])
            if self.periods - start >= MIN_PERIODS and not self._above(growth.high):
                return self._say(Verdict.FLAT, growth, "grows within its budget")
        return None

    def judge_every_period(self) -> Judgement | None:
        """Rule 3: growth in every one of the last periods, at least five of them."""
        pauses = np.flatnonzero(self.growth <= 0)
        start = int(pauses[-1]) + 1 if len(pauses) else 0
        run = self.growth[start:]
        if len(run) < MIN_PERIODS:
            return None
        if len(self.falls):
            # A sawtooth rises for several periods before it falls: only a climb that is
            # longer than any before and higher than ever is more than that.
            climbs = np.diff(np.concatenate(([-1], self.falls, [self.periods])))
            highest = float(self.values[: start + 1].max())
            if len(run) < 2 * int(climbs[:-1].max()) or self.values[-1] <= highest:
                return None
        growth = _fit(self.values[start:])
        since = "in every period" if start == 0 else f"in each of the last {len(run)} periods"
        if not self._above(growth.rate):
            return None
        if _is_shrinking(run):
            return self._say(Verdict.SATURATING, growth, f"growth {since}, but ever less")
        if not self._above(growth.low):
            return None
        return self._say(Verdict.LEAK, growth, f"growth {since}")

    def judge_recurring(self) -> Judgement | None:
        """Rule 4: never falls, and rises again and again with pauses (an over-allocated list)."""
        steps = np.flatnonzero(self.growth > 0)
        if len(self.falls) or len(steps) < RECURRENCES:
            return None
        gaps = np.diff(steps)
        since_last = self.periods - 1 - steps[-1]
        if since_last > 1.5 * gaps.max() or steps[-1] - steps[0] < MIN_PERIODS:
            return None
        # A list pays for a pause with the step before it: capacity added there is what the
        # appends of the pause use up, so step over pause is constant under steady appends.
        paid = self.growth[steps[:-1]] / gaps
        half = max(len(paid) // 2, 1)
        early, late = float(paid[:half].mean()), float(paid[-half:].mean())
        span = self.periods - int(steps[0])
        total = float(self.values[-1] - self.values[steps[0]])
        lump = float(self.growth.max())
        low, high = (total - lump) / span, (total + lump) / span
        # Over whole pauses, from the first step to the last.
        rate = float(self.growth[steps[:-1]].sum()) / int(steps[-1] - steps[0])
        growth = _Growth(low, min(max(rate, low), high), high)
        how = f"growth in {len(steps)} of {self.periods} periods"
        if late < SHRINKING * early:
            return self._say(Verdict.SATURATING, growth, f"{how}, but ever less")
        if not self._above(low):
            return None
        return self._say(Verdict.LEAK, growth, how)

    def judge_settled(self) -> Judgement | None:
        """Rule 5: no new highest value, and no higher floor, for long enough."""
        highs = np.maximum.accumulate(self.values)
        records = np.flatnonzero(np.diff(highs) > 0)
        last = int(records[-1]) + 1 if len(records) else 0
        quiet = self.periods - last
        middle = (self.periods + 1) // 2
        floor_rose = self.values[middle:].min() > self.values[:middle].min()
        climbed = float(highs[-1] - self.values[0])
        if not len(records) and not np.any(self.growth > 0):
            needed, early_enough = self._quiet, True
        elif len(self.falls) == 0 and len(records) == 1 and climbed <= self._slack:
            needed, early_enough = max(SLACK_PERIODS, self._quiet), True
        else:
            needed = max(SETTLED_PERIODS, self._quiet)
            # A structure that goes up and down keeps setting records for a while by chance.
            early_enough = last <= self.periods * (0.5 if len(self.falls) >= 3 else 0.2)
        rising = len(self.falls) > 0 and floor_rose
        if quiet < needed or not early_enough or rising:
            return None
        growth = _fit(self.values[last:])
        if not len(records):
            how = "never above where it began"
        else:
            how = f"last rose {quiet} periods before the end (by {self._amount(climbed)} in all)"
        flat = _Growth(min(growth.low, 0.0), min(growth.rate, 0.0), 0.0)
        return self._say(Verdict.FLAT, flat, how)

    def judge_troughs(self) -> Judgement | None:
        """Rule 6: falls now and then, but to a higher floor each time, and from higher peaks."""
        turns = np.flatnonzero((self.growth[:-1] < 0) & (self.growth[1:] >= 0)) + 1
        if len(turns) < MIN_PERIODS + 1:
            return None
        floors = self.values[turns]
        peaks = np.array([self.values[a:b].max() for a, b in pairwise(turns)])
        half = len(peaks) // 2
        if np.any(np.diff(floors) <= 0) or np.median(peaks[-half:]) <= np.median(peaks[:half]):
            return None
        span = int(turns[-1] - turns[0])
        lump = float(np.ptp(floors - np.interp(turns, turns[[0, -1]], floors[[0, -1]])))
        rise = float(floors[-1] - floors[0])
        growth = _Growth((rise - lump) / span, rise / span, (rise + lump) / span)
        how = f"each of {len(floors)} floors higher than the one before"
        if _is_shrinking(np.diff(floors) / np.diff(turns)):
            return self._say(Verdict.SATURATING, growth, f"{how}, but ever less")
        if not self._above(growth.low):
            return None
        return self._say(Verdict.LEAK, growth, how)

    def judge_tail(self) -> Judgement | None:
        """Rule 7: what came after a last fall early on is judged by itself."""
        if not len(self.falls) or self.falls[-1] >= self.periods // 4:
            return None
        start = int(self.falls[-1]) + 1
        if self.periods - start < SETTLED_PERIODS:
            return None
        tail = _Record(
            self.values[start:],
            self._period_seconds,
            self._budget,
            self._quiet,
            self._slack,
            self._quantity,
        )
        return tail.judge_regular() or tail.judge_recurring() or tail.judge_settled()

    def undecided(self, why: str, wanted_periods: int) -> Judgement:
        """Say that it cannot be said yet, and when to ask again."""
        growth = _fit(self.values) if self.periods >= 1 else None
        scale = SECONDS_PER_HOUR / self._period_seconds
        return Judgement(
            verdict=Verdict.UNDECIDED,
            slope_per_hour=growth.rate * scale if growth else None,
            low=growth.low * scale if growth else None,
            high=growth.high * scale if growth else None,
            budget_per_hour=self._budget,
            reason=f"{why}; {self._evidence()}",
            tier="exact",
            audio_wanted_seconds=wanted_periods * self._period_seconds,
        )

    def _say(
        self, verdict: Verdict, growth: _Growth, how: str, *, exact: bool = False
    ) -> Judgement:
        scale = SECONDS_PER_HOUR / self._period_seconds
        low, slope, high = growth.low * scale, growth.rate * scale, growth.high * scale
        rate_text = describe_rate(low, slope, high, self._quantity)
        reason = f"{how}: {rate_text} against {self._amount(self._budget)}/h; {self._evidence()}"
        wanted = 2 * self.periods * self._period_seconds
        return Judgement(
            verdict=verdict,
            slope_per_hour=slope,
            low=low,
            high=high,
            budget_per_hour=self._budget,
            reason=reason,
            tier="exact",
            rate=growth.rate if exact else None,
            rate_per="period" if exact else "",
            audio_wanted_seconds=None if verdict.decided else wanted,
        )

    def _above(self, growth_per_period: float) -> bool:
        # A rate equal to its budget is within it, whatever the last bit of the product says.
        allowed = self._budget * self._period_seconds / SECONDS_PER_HOUR
        return growth_per_period > allowed * (1 + 1e-9) + 1e-12

    def _amount(self, count: float) -> str:
        return format_amount(count, self._quantity)

    def _evidence(self) -> str:
        audio = format_duration(self.periods * self._period_seconds)
        return f"{self.periods} periods, {audio} of audio"


def _find_cycle(values: FloatArray) -> tuple[int, float] | None:
    """Return the fewest periods after which the values repeat up to a constant, and it.

    Three whole cycles and five comparisons are asked for, so that a short record does not
    repeat by accident.
    """
    for cycle in range(1, len(values) // 3 + 1):
        steps = values[cycle:] - values[:-cycle]
        if len(steps) >= max(MIN_PERIODS, 2 * cycle) and np.all(steps == steps[0]):
            return cycle, float(steps[0])
    return None


def _fit(values: FloatArray) -> _Growth:
    """Return growth a period with bounds one lump to either side.

    If the values are a line plus something bounded, what they rose over the record is off
    by no more than the range of that bounded part, which the range about the line shows.
    """
    periods = len(values) - 1
    rate = float(values[-1] - values[0]) / periods
    lump = float(np.ptp(values - rate * np.arange(len(values))))
    # The subtraction above leaves rounding behind where there is no lump at all.
    lump = 0.0 if lump <= 1e-9 * max(abs(rate) * periods, 1.0) else lump
    return _Growth(rate - lump / periods, rate, rate + lump / periods)


def _is_shrinking(growth: FloatArray) -> bool:
    """Whether growth, positive throughout, is dying out.

    Growth whose least period does not get less goes on, whatever lumps came on top of it
    early (a short list over-allocates often). Otherwise the halves are compared by median
    and by sum: less in the later half is enough while the record is short; from 12 periods
    on it must be less by a quarter, as irregular growth then differs by chance.
    """
    half = len(growth) // 2
    early, late = growth[:half], growth[-half:]
    if late.min() >= early.min():
        return False
    if np.all(np.diff(growth) <= 0):
        return True
    floor = SHRINKING if len(growth) >= 12 else 1.0
    return bool(np.median(late) < floor * np.median(early) and late.sum() < floor * early.sum())
