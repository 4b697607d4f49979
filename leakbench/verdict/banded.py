"""The banded tier: one process, exact but for a bounded wobble.

A settled process weighs the same at the same phase of every period, give or take some hundred
bytes: a freed chunk of the allocator is used again for a request that is a little smaller. That
wobble does not drift. So the rules are those of the exact tier with a *band* in place of
equality. The band is estimated from the record: it is the furthest that the record ever fell.

The same rules serve objects that neither repeat nor grow, such as a list of random length. There
growth may be shown to be nothing only by statistics, and what could still hide is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from leakbench.units import SECONDS_PER_HOUR, Quantity, format_amount, format_duration
from leakbench.verdict.growth import (
    MIN_PERIODS,
    SHRINKING,
    Growth,
    find_cycle,
    fit_growth,
    is_precise,
)
from leakbench.verdict.judgement import (
    FloatArray,
    Judgement,
    Verdict,
    checked,
    describe_rate,
)
from leakbench.verdict.rules import Record
from leakbench.verdict.wobble import (
    estimate_growth,
    fit_line,
    is_slowing,
    largest_fall,
    near_slopes,
    smooth_steps,
)

LOOKS_AT_LEAST: Final = 3
"""Values that growth within a budget needs: two show a change, a third that it was one."""
FEW_LOOKS: Final = 6
"""Looks up to which all of the noise that a metric is known for is reckoned with. Of 12 independent
values from a band the range is 85 % of it, of 24 it is 92 %: then the record tells it."""
CLIMBS: Final = ((20, 10.0), (64, 3.0))
"""Periods, and how many times its largest fall a record must have risen in them, for growth that
goes on. A random walk of 20 steps rises ten times its largest fall once in 2,000; a series
that returns to its mean within 10 looks rises three times its range in 64 once in 20,000."""
BLOCKS: Final = 8
"""Blocks of a record: where growth goes on each is above the one before, at its least and at
its most."""
AFTER_FALL: Final = 20
"""Periods after a fall before growth that is not yet back where it fell from is called a leak."""
STEPS: Final = 3
"""Steps that growth must have taken: one is a step, two may be two."""
STILL_PERIODS: Final = 40
"""Periods from which on a record may be found to wobble about a level that does not move."""
STILL_LOOKS: Final = 20
"""Looks in these, at least: fewer do not show how far it wobbles."""
UNSURE: Final = 0.001
"""Chance that a one-sided bound is wrong (Student's t)."""
END_ERRORS: Final = 3.1
"""Standard errors by which the last quarter may lie above the rest: more is once in a thousand."""
NEW_HIGHS: Final = 4
"""New maxima that the later half of a series without growth may set. Independent values set
0.7 on average; five or more come once in 1,500."""


def judge_banded(
    values: Sequence[float] | npt.ArrayLike,
    *,
    period_seconds: float,
    budget_per_hour: float,
    noise: float = 0.0,
    horizon_seconds: float | None = None,
    step: int = 1,
    quantity: Quantity = "bytes",
) -> Judgement:
    """Judge phase-matched values that wobble within a band.

    Parameters
    ----------
    values
        One value a period, after warm-up, shape (n,).
    period_seconds
        Audio from one value to the next.
    budget_per_hour
        Growth allowed an audio-hour; 0 for none at all.
    noise
        Band to reckon with where the record is short.
    horizon_seconds
        The most audio that would be driven. Where the budget is 0, growth that would not leave
        the band by then cannot be told from none. None: the audio there is.
    step
        Periods of the stimulus from one value to the next, where looks have thinned out.
    quantity
        What is counted, for the reason.

    Returns
    -------
    FLAT: growth is within the budget even if the whole band were growth, or by a bound that is
    wrong once in a thousand. LEAK: growth goes on beyond the band and the budget. SATURATING or
    UNDECIDED otherwise. A LEAK whose rate is not yet known to 2 % says how much audio it wants.

    Raises
    ------
    UsageError
        When a value is not finite.
    """
    band = _Band(
        checked(values, "values"),
        period_seconds,
        budget_per_hour,
        noise,
        horizon_seconds,
        step,
        quantity,
    )
    if band.periods < LOOKS_AT_LEAST - 1:
        return band.undecided(
            f"{len(band.values)} of at least {LOOKS_AT_LEAST} looks", LOOKS_AT_LEAST - 1
        )
    return (
        band.judge_within_budget()
        or band.judge_steady()
        or band.judge_climb()
        or band.judge_after_fall()
        or band.judge_still()
        or band.undecided_yet()
    )


@dataclass(frozen=True, slots=True)
class _Band:
    """A record, and one method a rule; a rule that does not apply says None."""

    values: FloatArray
    period_seconds: float
    budget: float
    noise: float
    horizon_seconds: float | None
    step: int
    quantity: Quantity

    @property
    def periods(self) -> int:
        """Periods from the first value to the last."""
        return len(self.values) - 1

    @property
    def floor(self) -> float:
        """The band to reckon with at least: less, the more looks there are to see it by."""
        return self.noise * min(1.0, FEW_LOOKS / len(self.values))

    @property
    def width(self) -> float:
        """The band."""
        return max(largest_fall(self.values), self.floor)

    def judge_within_budget(self) -> Judgement | None:
        """Rule 1: it repeats, or is within the budget even if the whole band were growth."""
        if self.budget <= 0:
            return None
        if (repeated := find_cycle(self.values)) is not None and repeated[0] > 1:
            rate, slack = repeated[1] / repeated[0], self.floor / self.periods
            growth = Growth(rate - slack, rate, rate + slack)
            if not self._above(growth.high):
                return self._say(Verdict.FLAT, growth, f"the same every {repeated[0]} periods")
        # A first step, early on, is what was still warming up.
        for start in (0, self.periods // 4, self.periods // 2):
            periods = self.periods - start
            if start and periods < MIN_PERIODS:
                return None
            fitted = fit_growth(self.values[start:])
            slack = max(fitted.high - fitted.rate, self.floor / periods)
            # A fall may be the wobble's: it is no growth, and none to set against growth.
            most = max(fitted.rate, 0.0) + slack
            growth = Growth(fitted.rate - slack, fitted.rate, most)
            if not self._above(growth.high):
                over = "" if start == 0 else f" over the last {periods} periods"
                return self._say(Verdict.FLAT, growth, f"within its budget{over}")
        return None

    def judge_steady(self) -> Judgement | None:
        """Rule 2: it never falls, and grows as the exact tier's rules ask."""
        if largest_fall(self.values) > 0 or self.periods < MIN_PERIODS:
            return None
        record = Record(
            self.values,
            self.period_seconds,
            self.budget,
            MIN_PERIODS,
            MIN_PERIODS,
            0.0,
            self.quantity,
            step=self.step,
        )
        judged = record.judge_regular() or record.judge_every_period() or record.judge_recurring()
        if judged is None or judged.verdict is not Verdict.LEAK:
            return judged if judged and judged.verdict is Verdict.SATURATING else None
        if judged.rate is not None and self._surely_above(judged.rate * self.step):
            return judged
        growth = self._estimate(0.0)
        if is_slowing(self.values):
            return self._say(Verdict.SATURATING, growth, "growth, but ever less")
        if not self._surely_above(growth.low):
            return None
        return self._say(Verdict.LEAK, growth, judged.reason.partition(":")[0])

    def judge_climb(self) -> Judgement | None:
        """Rule 3: it has risen by many times the furthest it ever fell, and still does."""
        fall = largest_fall(self.values)
        edge = max(len(self.values) // 10, 1)
        rise = float(np.median(self.values[-edge:]) - np.median(self.values[:edge]))
        asked = [times for periods, times in CLIMBS if self.periods >= periods]
        if not asked or rise <= max(asked[-1] * fall, self.noise):
            return None
        goes_on = (
            self._each_block_is_higher()
            if rise < CLIMBS[0][1] * fall
            else self._rises_again_and_again(fall, rise)
        )
        if not goes_on:
            return None
        growth = self._estimate(fall)
        middle = len(self.values) // 2
        half_way = float(np.median(self.values[middle - edge : middle + edge]))
        early = half_way - float(np.median(self.values[:edge]))
        # A lump early on makes the later half rise by less; between lumps it may be as fast.
        slope_before, slope_since = near_slopes(self.values)
        goes_on = slope_before > 0 and slope_since >= SHRINKING * slope_before
        has_shrunk = rise - early < SHRINKING * early - fall and not goes_on
        if has_shrunk or is_slowing(self.values):
            return self._say(Verdict.SATURATING, growth, "growth, but ever less")
        if not self._surely_above(growth.low):
            return None
        return self._say(Verdict.LEAK, growth, "growth beyond its wobble")

    def judge_after_fall(self) -> Judgement | None:
        """Rule 4: what came after its largest fall, early on, is judged by itself.

        Below where it fell from it may be the second tooth of a saw, until it has lasted far longer
        than all that came before.
        """
        peaks = np.maximum.accumulate(self.values)
        trough = int(np.argmax(peaks - self.values))
        if not 0 < trough <= self.periods // 2:
            return None
        is_higher = self.values[-1] > peaks[trough]
        if not is_higher and self.periods - trough < max(AFTER_FALL, 3 * trough):
            return None
        tail = _Band(
            self.values[trough:],
            self.period_seconds,
            self.budget,
            self.noise,
            self.horizon_seconds,
            self.step,
            self.quantity,
        )
        judged = tail.judge_steady() or tail.judge_climb()
        return judged if judged is not None and judged.verdict is Verdict.LEAK else None

    def judge_still(self) -> Judgement | None:
        """Rule 5: a wobble about a level, whose drift is bounded by statistics."""
        if self.periods < STILL_LOOKS or self.periods * self.step < STILL_PERIODS:
            return None
        line = fit_line(self.values)
        reach = float(special.stdtrit(len(self.values) - 2, 1 - UNSURE)) * line.error
        most = line.rate + reach
        spread = float(np.ptp(self.values))
        horizon = max(self.horizon_seconds or 0.0, self.periods * self.period_seconds)
        allowed = (
            self.budget * self.period_seconds / SECONDS_PER_HOUR
            if self.budget > 0
            else spread * self.period_seconds / horizon
        )
        if most > allowed or self._keeps_setting_highs() or self._rises_at_its_end():
            return None
        growth = Growth(line.rate - reach, line.rate, most)
        return self._say(
            Verdict.FLAT,
            growth,
            f"wobbles by {format_amount(spread, self.quantity)} about a level that stays",
        )

    def undecided_yet(self) -> Judgement:
        """Say that it cannot be said yet, and when to ask again."""
        if self.budget > 0:
            allowed = self.budget * self.period_seconds / SECONDS_PER_HOUR
            rate = fit_growth(self.values).rate
            spare = allowed - rate
            wanted = int(self.width / spare) + 1 if spare > 0 else 2 * self.periods
            wanted = min(max(wanted, self.periods + 1), 4 * self.periods)
            return self.undecided("its wobble may hide growth above the budget", wanted)
        return self.undecided(
            "neither repeats nor grows regularly",
            max(2 * self.periods, math.ceil(STILL_PERIODS / self.step)),
        )

    def undecided(self, why: str, wanted_periods: int) -> Judgement:
        """Say that it cannot be said yet, and when to ask again."""
        growth = fit_growth(self.values) if self.periods >= 1 else None
        scale = SECONDS_PER_HOUR / self.period_seconds
        return Judgement(
            verdict=Verdict.UNDECIDED,
            slope_per_hour=growth.rate * scale if growth else None,
            low=growth.low * scale if growth else None,
            high=growth.high * scale if growth else None,
            budget_per_hour=self.budget,
            reason=f"{why}; {self._evidence()}",
            tier="banded",
            audio_wanted_seconds=wanted_periods * self.period_seconds,
        )

    def _estimate(self, fall: float) -> Growth:
        """Return the growth of a record that grows, since it began to."""
        later = find_cycle(self.values[self.periods // 2 :])
        if later is not None:
            rate, slack = later[1] / later[0], self.floor / self.periods
            return Growth(rate - slack, rate, rate + slack)
        level = self.values[0] + max(fall, self.floor)
        onset = int(np.flatnonzero(self.values <= level)[-1])
        enough = len(self.values) - onset >= 2 * BLOCKS
        return estimate_growth(self.values[onset:] if enough else self.values, fall)

    def _each_block_is_higher(self) -> bool:
        blocks = np.array_split(self.values, BLOCKS)
        floors = [float(block.min()) for block in blocks]
        ceilings = [float(block.max()) for block in blocks]
        return bool(np.all(np.diff(floors) > 0) and np.all(np.diff(ceilings) > 0))

    def _rises_again_and_again(self, fall: float, rise: float) -> bool:
        """Whether it rose in several steps, none of them most of it, and the last not long ago."""
        moves = np.diff(smooth_steps(self.values, fall))
        steps = np.flatnonzero(moves > 0)
        if len(steps) < STEPS or moves.max() > rise / 2:
            return False
        return bool(self.periods - 1 - steps[-1] <= 1.5 * np.diff(steps).max())

    def _keeps_setting_highs(self) -> bool:
        highs = np.maximum.accumulate(self.values)
        middle = len(self.values) // 2
        return int(np.count_nonzero(np.diff(highs[middle - 1 :]) > 0)) > NEW_HIGHS

    def _rises_at_its_end(self) -> bool:
        """Whether the last quarter lies above the rest: a leak may just have begun."""
        last = len(self.values) // 4
        rest, end = self.values[:-last], self.values[-last:]
        error = float(np.sqrt(rest.var(ddof=1) / len(rest) + end.var(ddof=1) / len(end)))
        return float(end.mean() - rest.mean()) > END_ERRORS * max(error, 1e-12)

    def _say(self, verdict: Verdict, growth: Growth, how: str) -> Judgement:
        scale = SECONDS_PER_HOUR / self.period_seconds
        low, slope, high = growth.low * scale, growth.rate * scale, growth.high * scale
        rate_text = describe_rate(low, slope, high, self.quantity)
        budget = f"{format_amount(self.budget, self.quantity)}/h"
        wanted: float | None = None
        if verdict is Verdict.SATURATING or (
            verdict is Verdict.LEAK and not is_precise(growth, self.periods)
        ):
            wanted = 2 * self.periods * self.period_seconds
        return Judgement(
            verdict=verdict,
            slope_per_hour=slope,
            low=low,
            high=high,
            budget_per_hour=self.budget,
            reason=f"{how}: {rate_text} against {budget}; {self._evidence()}",
            tier="banded",
            audio_wanted_seconds=wanted,
        )

    def _above(self, growth_per_period: float) -> bool:
        allowed = self.budget * self.period_seconds / SECONDS_PER_HOUR
        return growth_per_period > allowed * (1 + 1e-9) + 1e-12

    def _surely_above(self, growth_per_period: float) -> bool:
        """Whether it is above, even if the noise and one lump of what is allowed came on top.

        A record that has not fallen yet does not show how far it may, and of growth that is
        allowed a few periods do not show the mean.
        """
        allowed = self.budget * self.period_seconds / SECONDS_PER_HOUR
        return self._above(growth_per_period - (self.floor + allowed) / self.periods)

    def _evidence(self) -> str:
        audio = format_duration(self.periods * self.period_seconds)
        return f"{len(self.values)} looks, {audio} of audio"
