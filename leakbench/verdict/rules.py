"""One method a rule: what a record of one value a period shows, or None where it does not apply."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from leakbench.units import SECONDS_PER_HOUR, Quantity, format_amount, format_duration
from leakbench.verdict.growth import (
    MIN_PERIODS,
    SHRINKING,
    Growth,
    find_cycle,
    fit_growth,
    is_precise,
    is_shrinking,
)
from leakbench.verdict.judgement import FloatArray, Judgement, Verdict, describe_rate

RECURRENCES: Final = 3
"""Steps that growth with pauses must have taken before it is called recurring."""
EVEN: Final = 2.5
"""Most over least growth of periods that are about alike: an append-only list whose items are
counted with it stays below."""
UNEVEN_PERIODS: Final = 12
"""Periods in a row that must grow where they grow unevenly, or fell before: a random walk rises
five times in a row once in 32, twelve times once in 4,096."""
UNEVEN_FLOORS: Final = 9
"""Floors that must each be higher than the one before: six without order are once in 720, nine
once in 362,880."""
WOBBLING: Final = 3
"""Falls from which on a record goes up and down rather than having been trimmed."""
SETTLED_PERIODS: Final = 20
"""Quiet periods that clear a structure which did grow after the warm-up, so that a leak in
every tenth period, seen once, is never called flat while it waits for its next step."""
SLACK_PERIODS: Final = 12
"""The same for a single step within the slack (an integer that outgrew CPython's cache)."""


class Record:
    """The values of one metric, and one method a rule; a rule that does not apply says None."""

    def __init__(
        self,
        values: FloatArray,
        period_seconds: float,
        budget_per_hour: float,
        quiet_periods: int,
        settled_periods: int,
        slack: float,
        quantity: Quantity,
        same_elements: bool = False,
        step: int = 1,
    ) -> None:
        self.values = values
        self.growth = np.diff(values)
        self.periods = len(self.growth)
        self.falls = np.flatnonzero(self.growth < 0)
        self._period_seconds = period_seconds
        self._budget = budget_per_hour
        self._quiet = quiet_periods
        self._settled = settled_periods
        self._slack = slack
        self._quantity = quantity
        self._same_elements = same_elements
        self._step = step

    def judge_regular(self) -> Judgement | None:
        """Rule 1: the values repeat every `cycle` periods, plus a constant."""
        found = find_cycle(self.values)
        if found is None:
            return None
        cycle, step = found
        growth = Growth(step / cycle, step / cycle, step / cycle)
        apart = cycle * self._step
        every = "period" if apart == 1 else f"{apart} periods"
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
            growth = fit_growth(self.values[start:])
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
        is_even = not len(self.falls) and run.max() <= EVEN * run.min()
        if len(self.falls):
            # A sawtooth rises for several periods before it falls: only a climb that is
            # longer than any before and higher than ever is more than that.
            climbs = np.diff(np.concatenate(([-1], self.falls, [self.periods])))
            highest = float(self.values[: start + 1].max())
            if len(run) < 2 * int(climbs[:-1].max()) or self.values[-1] <= highest:
                return None
        growth = fit_growth(self.values[start:])
        since = (
            f"in every {self._look}"
            if start == 0
            else f"in each of the last {len(run)} {self._look}s"
        )
        # A step at its beginning is no part of what goes on: text gets a path of its own with one.
        regular = find_cycle(self.values[start + 1 :])
        if regular is not None and self._above(rate := regular[1] / regular[0]):
            return self._say(Verdict.LEAK, Growth(rate, rate, rate), f"growth {since}", exact=True)
        if not self._above(growth.rate):
            return None
        if is_shrinking(run):
            return self._say(Verdict.SATURATING, growth, f"growth {since}, but ever less")
        if not self._above(growth.low) or not (is_even or len(run) >= UNEVEN_PERIODS):
            return None
        return self._say(Verdict.LEAK, growth, f"growth {since}")

    def judge_recurring(self) -> Judgement | None:
        """Rule 4: never falls, and rises again and again with pauses (an over-allocated list)."""
        steps = np.flatnonzero(self.growth > 0)
        if len(self.falls) or len(steps) < RECURRENCES:
            return None
        gaps = np.diff(steps)
        rises = self.growth[steps]
        is_even = rises.max() <= EVEN * rises.min()
        if len(steps) > len(self.growth) / 2 and not is_even and self.periods < UNEVEN_PERIODS:
            return None  # hardly a pause: as uneven as rule 3 would not have it
        if gaps.max() == 1:  # none at all: rule 3 is asked of such growth
            return None
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
        growth = Growth(low, min(max(rate, low), high), high)
        how = f"growth in {len(steps)} of {self.periods} {self._look}s"
        if late < SHRINKING * early:
            return self._say(Verdict.SATURATING, growth, f"{how}, but ever less")
        if not self._above(low):
            return None
        return self._say(Verdict.LEAK, growth, how)

    def judge_settled(self) -> Judgement | None:
        """Rule 5: no new highest value, and no higher floor, for long enough.

        What goes up and down again and again sets and keeps records by chance: it is judged by
        its band.
        """
        if len(self.falls) >= WOBBLING and np.any(self.growth > 0):
            return None
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
            needed, early_enough = max(min(SLACK_PERIODS, self._settled), self._quiet), True
        else:
            needed = max(self._settled, self._quiet)
            early_enough = last <= self.periods * 0.2
        rising = len(self.falls) > 0 and floor_rose
        if quiet < needed or not early_enough or rising:
            return None
        growth = fit_growth(self.values[last:])
        if not len(records):
            how = "never above where it began"
        else:
            rose = f"last rose {quiet} {self._look}s before the end"
            how = f"{rose} (by {self._amount(climbed)} in all)"
        flat = Growth(min(growth.low, 0.0), min(growth.rate, 0.0), 0.0)
        return self._say(Verdict.FLAT, flat, how)

    def judge_slight(self) -> Judgement | None:
        """Rule 6: no element more, and no more than one small object.

        What is kept takes an element. Without one more, two counters that now and then are one
        integer object, or that outgrow CPython's cache, are all that moves a weight so little.
        """
        rise = float((self.values - np.minimum.accumulate(self.values)).max())
        if not self._same_elements or rise > self._slack or self.periods < self._quiet:
            return None
        bound = rise / self.periods
        how = f"no element more, and {self._amount(rise)} at most"
        return self._say(Verdict.FLAT, Growth(-bound, 0.0, bound), how)

    def judge_troughs(self) -> Judgement | None:
        """Rule 7: falls now and then, but to a higher floor each time, and from higher peaks."""
        turns = np.flatnonzero((self.growth[:-1] < 0) & (self.growth[1:] >= 0)) + 1
        if len(turns) < UNEVEN_FLOORS:
            return None
        floors = self.values[turns]
        peaks = np.array([self.values[a:b].max() for a, b in pairwise(turns)])
        half = len(peaks) // 2
        # A cycle that hardly differs from a whole number of periods drifts for a while, within
        # its own height.
        height = float(np.median(peaks) - np.median(floors))
        if np.any(np.diff(floors) <= 0) or np.median(peaks[-half:]) <= np.median(peaks[:half]):
            return None
        if floors[-1] - floors[0] <= height:
            return None
        span = int(turns[-1] - turns[0])
        lump = float(np.ptp(floors - np.interp(turns, turns[[0, -1]], floors[[0, -1]])))
        rise = float(floors[-1] - floors[0])
        growth = Growth((rise - lump) / span, rise / span, (rise + lump) / span)
        how = f"each of {len(floors)} floors higher than the one before"
        if is_shrinking(np.diff(floors) / np.diff(turns)):
            return self._say(Verdict.SATURATING, growth, f"{how}, but ever less")
        if not self._above(growth.low):
            return None
        return self._say(Verdict.LEAK, growth, how)

    def judge_tail(self) -> Judgement | None:
        """Rule 8: what came after a last fall early on is judged by itself."""
        if not len(self.falls) or self.falls[-1] >= self.periods // 4:
            return None
        start = int(self.falls[-1]) + 1
        if self.periods - start < self._settled:
            return None
        tail = Record(
            self.values[start:],
            self._period_seconds,
            self._budget,
            self._quiet,
            self._settled,
            self._slack,
            self._quantity,
            step=self._step,
        )
        return tail.judge_regular() or tail.judge_recurring() or tail.judge_settled()

    def undecided(self, why: str, wanted_periods: int) -> Judgement:
        """Say that it cannot be said yet, and when to ask again."""
        growth = fit_growth(self.values) if self.periods >= 1 else None
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

    def _say(self, verdict: Verdict, growth: Growth, how: str, *, exact: bool = False) -> Judgement:
        scale = SECONDS_PER_HOUR / self._period_seconds
        low, slope, high = growth.low * scale, growth.rate * scale, growth.high * scale
        rate_text = describe_rate(low, slope, high, self._quantity)
        reason = f"{how}: {rate_text} against {self._amount(self._budget)}/h; {self._evidence()}"
        wanted = 2 * self.periods * self._period_seconds
        is_proved = verdict is Verdict.FLAT or (
            verdict is Verdict.LEAK and is_precise(growth, self.periods)
        )
        return Judgement(
            verdict=verdict,
            slope_per_hour=slope,
            low=low,
            high=high,
            budget_per_hour=self._budget,
            reason=reason,
            tier="exact",
            rate=growth.rate / self._step if exact else None,
            rate_per="period" if exact else "",
            audio_wanted_seconds=None if is_proved else wanted,
        )

    def _above(self, growth_per_period: float) -> bool:
        # A rate equal to its budget is within it, whatever the last bit of the product says.
        allowed = self._budget * self._period_seconds / SECONDS_PER_HOUR
        return growth_per_period > allowed * (1 + 1e-9) + 1e-12

    def _amount(self, count: float) -> str:
        return format_amount(count, self._quantity)

    def _evidence(self) -> str:
        audio = format_duration(self.periods * self._period_seconds)
        return f"{self.periods * self._step} periods, {audio} of audio"

    @property
    def _look(self) -> str:
        return "period" if self._step == 1 else "look"
