"""The statistical tier: noisy series of replicated processes, judged by intervals.

The question is whether growth is proved below a budget B (a one-sided test of equivalence,
as in TOST), proved above it, or neither yet. Each replicate gives the Theil-Sen slope of its
block floors in an early and a late window; replicates are independent processes, so a t
interval over their slopes holds whatever the autocorrelation within one.
``docs/verdict.md`` derives each rule and has its calibration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from leakbench.errors import UsageError
from leakbench.units import SECONDS_PER_HOUR, Quantity, format_amount, format_duration
from leakbench.verdict.judgement import (
    FloatArray,
    Judgement,
    Verdict,
    checked,
    describe_rate,
)
from leakbench.verdict.slopes import (
    EARLY,
    LAST,
    LATE,
    MIDDLES_APART,
    WHOLE,
    Floors,
    rise_slope,
    short_slope,
    take_floors,
    theil_sen,
)
from leakbench.verdict.table import Series

ALPHA_LEAK: Final = 0.001
"""Chance of a false LEAK over all looks."""
ALPHA_FLAT: Final = 0.01
"""Chance of a false FLAT over all looks."""
ALPHA_GUARD: Final = 0.05
"""Level at which the later half must agree with the whole: it only ever takes a verdict back."""
ALPHA_KEPT: Final = 0.002
"""Chance, over all looks, that something which fills up within the horizon passes for growth
that goes on. It comes on top of the level test, so it need not be as strict."""
ALPHA_KEPT_ONE: Final = 0.01
"""The same for one process, whose interval is too wide as it is."""
ALPHA_SLOWING: Final = 0.1
"""Level at which growth is found to slow down: LEAK then becomes SATURATING, and more audio
tells, so it may be found too often."""
FILLS_WITHIN: Final = 1.5
"""Time constant, as a multiple of the horizon, of the slowest filling cache that LEAK excludes.
At the horizon itself the late window of such a cache has 0.75 of the early one's growth."""
STEADY: Final = 0.98
"""Late over early growth that counts as no decay at all."""
SAMPLES_A_FLOOR: Final = 5
"""Samples a block holds where nobody said how long a legitimate cycle is."""
MIN_CYCLE_SECONDS: Final = 60.0
"""Longest legitimate cycle assumed where nobody said: FunASR cuts a segment at 60 s."""


@dataclass(frozen=True, slots=True)
class _Interval:
    """A mean over replicates with a standard error."""

    mean: float
    error: float
    freedom: int

    def low(self, alpha: float) -> float:
        """Lower one-sided bound at level `alpha`."""
        return self.mean - self._reach(alpha)

    def high(self, alpha: float) -> float:
        """Upper one-sided bound at level `alpha`."""
        return self.mean + self._reach(alpha)

    def _reach(self, alpha: float) -> float:
        return float(special.stdtrit(self.freedom, 1 - alpha)) * self.error


def judge_statistical(
    series: Sequence[Series],
    *,
    budget_per_hour: float,
    cycle_seconds: float | None = None,
    share: float = 1.0,
    horizon_seconds: float | None = None,
    metrics: int = 1,
    alpha_leak: float = ALPHA_LEAK,
    alpha_flat: float = ALPHA_FLAT,
    quantity: Quantity = "bytes",
) -> Judgement:
    """Judge one metric over replicated processes.

    Parameters
    ----------
    series
        For each replicate its audio-seconds since the end of warm-up and its values, each of
        shape (n,).
    budget_per_hour
        Growth allowed an audio-hour, > 0.
    cycle_seconds
        The longest legitimate cycle: floors are taken over blocks at least as long. Where
        samples come at a fixed phase of a periodic stimulus, the period. None: 60 s, or five
        samples if those are longer.
    share
        Part of the error budget that this look may spend, see :mod:`leakbench.verdict.looks`.
    horizon_seconds
        The most audio that would be driven before giving up. LEAK before then must exclude
        whatever fills up with a time constant as long as that. None: the audio there is.
    metrics
        Metrics of which any one may turn the verdict to LEAK (Bonferroni; FLAT needs all of
        them and no correction).

    Returns
    -------
    FLAT, LEAK, SATURATING or UNDECIDED. From one replicate the answer is advisory and rests
    on the increments within it.

    Raises
    ------
    UsageError
        When a value is not finite, audio does not rise, or there is no replicate.
    """
    if not series:
        raise UsageError("series must hold at least one replicate, got none")
    series = [_checked_series(audio, values) for audio, values in series]
    evidence = _Evidence(series, budget_per_hour, quantity)
    if min(len(audio) for audio, _ in series) < 2 * SAMPLES_A_FLOOR:
        return evidence.undecided(f"fewer than {2 * SAMPLES_A_FLOOR} samples")
    block = _block_seconds(series, cycle_seconds)
    seconds = min(float(audio[-1]) for audio, _ in series)
    decay, steady = _decay_limits(seconds, horizon_seconds)
    floors = [take_floors(audio, values, block) for audio, values in series]
    measure = _within_one if len(series) == 1 else _between
    tests = measure(floors, seconds, decay, steady)
    if tests is None:
        return evidence.undecided("too few samples, or too many missing, for its windows")
    return evidence.conclude(
        tests,
        alpha_leak=alpha_leak * share / metrics,
        alpha_flat=alpha_flat * share,
        alpha_kept=ALPHA_KEPT * share if len(series) > 1 else ALPHA_KEPT_ONE,
    )


def _decay_limits(seconds: float, horizon_seconds: float | None) -> tuple[float, float]:
    """Return the late over early growth that a leak must exceed, and that counts as steady.

    After a tenth of the horizon a cache that fills within the horizon has hardly slowed down:
    the nearer its ratio is to 1, the nearer a leak must come to show that it is not one.
    """
    slowest = FILLS_WITHIN * max(horizon_seconds or seconds, seconds)
    decay = math.exp(-MIDDLES_APART * seconds / slowest)
    return decay, max(STEADY, decay**0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tests:
    """What the rules ask of the slopes an hour, each a mean with its error."""

    whole: _Interval
    rise: _Interval
    """From the first floors of the window to the last: sees the lumps that a median slope does
    not."""
    late: _Interval
    late_rise: _Interval
    last: _Interval
    kept: _Interval
    """Late growth less what of the early growth a leak must have kept."""
    kept_between_jumps: _Interval
    """The same for growth between jumps."""
    lost: _Interval
    """Late growth less nearly all of the early one."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What was judged, and the wording of every answer."""

    series: Sequence[Series]
    budget: float
    quantity: Quantity

    def conclude(
        self, tests: _Tests, *, alpha_leak: float, alpha_flat: float, alpha_kept: float
    ) -> Judgement:
        """Apply the rules, in the order of ``docs/verdict.md``."""
        slowing = tests.lost.high(ALPHA_SLOWING) < 0
        # Growth that slows down is what it is now, not what it was on average.
        level, rise = (tests.late, tests.late_rise) if slowing else (tests.whole, tests.rise)
        low, high = level.low(alpha_leak), level.high(alpha_flat)

        def say(verdict: Verdict, how: str) -> Judgement:
            return self._say(verdict, level.mean, low, high, how)

        if high <= self.budget:
            if rise.high(alpha_flat) > self.budget:
                return say(Verdict.UNDECIDED, "flat between steps that may yet add up")
            if tests.late.high(ALPHA_GUARD) > self.budget:
                return say(Verdict.UNDECIDED, "within its budget, but its later half may not be")
            if tests.last.low(ALPHA_GUARD) > self.budget:
                return say(Verdict.UNDECIDED, "within its budget until its last quarter")
            return say(Verdict.FLAT, "growth proved within its budget")
        if low <= self.budget:
            return say(Verdict.UNDECIDED, "the interval holds the budget")
        if slowing:
            return say(Verdict.SATURATING, "above its budget, but slowing down")
        # Half the error each: either may show that growth goes on.
        kept = tests.kept.low(alpha_kept / 2) > 0 or (
            tests.kept_between_jumps.low(alpha_kept / 2) > 0 and tests.kept.mean > 0
        )
        if not kept or tests.late.low(ALPHA_GUARD) <= self.budget:
            return say(Verdict.UNDECIDED, "above its budget, but perhaps only filling up")
        return say(Verdict.LEAK, "growth proved above its budget")

    def undecided(self, why: str) -> Judgement:
        return Judgement(
            verdict=Verdict.UNDECIDED,
            slope_per_hour=None,
            low=None,
            high=None,
            budget_per_hour=self.budget,
            reason=f"{why}; {self._basis()}",
            tier="statistical",
            replicates=len(self.series),
            advisory=len(self.series) == 1,
            audio_wanted_seconds=2 * self._seconds(),
        )

    def _say(self, verdict: Verdict, slope: float, low: float, high: float, how: str) -> Judgement:
        rate = describe_rate(low, slope, high, self.quantity)
        budget = format_amount(self.budget, self.quantity)
        return Judgement(
            verdict=verdict,
            slope_per_hour=slope,
            low=low,
            high=high,
            budget_per_hour=self.budget,
            reason=f"{how}: {rate} against {budget}/h; {self._basis()}",
            tier="statistical",
            replicates=len(self.series),
            advisory=len(self.series) == 1,
            audio_wanted_seconds=None if verdict.decided else 2 * self._seconds(),
        )

    def _basis(self) -> str:
        count = len(self.series)
        audio = format_duration(self._seconds())
        if count == 1:
            return f"{audio} of audio in one process, so advisory only"
        return f"{audio} of audio in each of {count} processes"

    def _seconds(self) -> float:
        return min((float(audio[-1]) if len(audio) else 0.0) for audio, _ in self.series)


def _between(
    floors: Sequence[Floors], seconds: float, decay: float, steady: float
) -> _Tests | None:
    """Test the slopes of several processes: each is one independent observation."""
    rows = []
    for each in floors:
        windows = _cut(each, seconds)
        if windows is None:
            return None
        whole, early, late, last = windows
        rows.append(
            [theil_sen(*window) for window in windows]
            + [short_slope(*early), short_slope(*late), rise_slope(*whole), rise_slope(*late)]
        )
    columns = np.array(rows).T * SECONDS_PER_HOUR
    whole, early, late, last, early_between, late_between, rise, late_rise = columns
    return _Tests(
        whole=_over(whole),
        rise=_over(rise),
        late=_over(late),
        late_rise=_over(late_rise),
        last=_over(last),
        kept=_over(late - decay * early),
        kept_between_jumps=_over(late_between - decay * early_between),
        lost=_over(late - steady * early),
    )


GROUPS: Final = 12
"""Increments that the whole window of a single series is cut into; half as many in a half."""


def _within_one(
    floors: Sequence[Floors], seconds: float, decay: float, steady: float
) -> _Tests | None:
    """Test one series by its increments, which stand in for processes.

    A window's floors are cut into groups; the increments between the groups' medians have
    the slope as their mean. If the noise is a random walk (allocator steps) increments are
    independent and the t interval is right; if it is stationary they are negatively
    correlated and the interval is too wide, by up to the root of their number. So it errs
    towards UNDECIDED whichever the noise is, where Harvey, Leybourne and Taylor's z-lambda
    (2007) weights the two cases.
    """
    windows = _cut(floors[0], seconds)
    if windows is None:
        return None
    whole, early, late, last = (
        _increments(times, values, groups)
        for (times, values), groups in zip(
            windows, (GROUPS, GROUPS // 2, GROUPS // 2, GROUPS // 4), strict=True
        )
    )

    def less(part: float) -> _Interval:
        error = math.hypot(late.error, part * early.error)
        return _Interval(late.mean - part * early.mean, error, late.freedom)

    kept = less(decay)
    rise, late_rise = (rise_slope(*windows[at]) * SECONDS_PER_HOUR for at in (0, 2))
    return _Tests(
        whole=whole,
        # What increments add up to, so their error is its own.
        rise=_Interval(rise, whole.error, whole.freedom),
        late=late,
        late_rise=_Interval(late_rise, late.error, late.freedom),
        last=last,
        kept=kept,
        kept_between_jumps=kept,
        lost=less(steady),
    )


def _increments(times: FloatArray, values: FloatArray, groups: int) -> _Interval:
    parts = np.array_split(np.arange(len(times)), min(groups + 1, len(times)))
    middles = np.array([np.median(values[part]) for part in parts])
    moments = np.array([np.mean(times[part]) for part in parts])
    spread = _over(np.diff(middles) / np.diff(moments) * SECONDS_PER_HOUR)
    return _Interval(theil_sen(times, values) * SECONDS_PER_HOUR, spread.error, spread.freedom)


def _cut(floors: Floors, seconds: float) -> list[tuple[FloatArray, FloatArray]] | None:
    windows = []
    for start, stop in (WHOLE, EARLY, LATE, LAST):
        found = floors.within(start * seconds, stop * seconds)
        if found is None:
            return None
        windows.append(found)
    return windows


def _over(slopes: FloatArray) -> _Interval:
    count = len(slopes)
    error = float(np.std(slopes, ddof=1)) / math.sqrt(count)
    return _Interval(float(np.mean(slopes)), error, count - 1)


def _block_seconds(series: Sequence[Series], cycle_seconds: float | None) -> float:
    spacing = max(float(np.median(np.diff(audio))) for audio, _ in series)
    if cycle_seconds is None:
        return max(MIN_CYCLE_SECONDS, SAMPLES_A_FLOOR * spacing)
    return max(cycle_seconds, spacing)


def _checked_series(audio: FloatArray, values: FloatArray) -> Series:
    audio, values = checked(audio, "audio_seconds"), checked(values, "values")
    if len(audio) != len(values):
        raise UsageError(f"a series needs one value a time, got {len(values)} for {len(audio)}")
    if np.any(np.diff(audio) <= 0):
        row = int(np.flatnonzero(np.diff(audio) <= 0)[0]) + 1
        raise UsageError(f"audio_seconds[{row}] must be above the one before, got {audio[row]:g}")
    return audio, values
