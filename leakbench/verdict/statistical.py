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
from leakbench.verdict.slopes import EARLY, LAST, LATE, Floors, take_floors, theil_sen
from leakbench.verdict.table import Series

ALPHA_LEAK: Final = 0.001
"""Chance of a false LEAK over all looks."""
ALPHA_FLAT: Final = 0.01
"""Chance of a false FLAT over all looks."""
ALPHA_DECAY: Final = 0.05
"""Level at which late growth is found smaller than early growth: a high one, as it only ever
turns LEAK into SATURATING."""
DECAY: Final = 0.85
"""Late over early growth that a leak must exceed; a plateau with a time constant of 2.7 times
the audio or less is below it."""
STEADY: Final = 0.98
"""Late over early growth taken as no decay at all."""
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
    metrics
        Metrics of which any one may turn the verdict to LEAK (Bonferroni; FLAT needs all of
        them and no correction).

    Returns
    -------
    FLAT, LEAK, SATURATING or UNDECIDED. From one replicate the answer is advisory and rests
    on the increments within it: see :func:`_within`.

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
    floors = [take_floors(audio, values, block) for audio, values in series]
    windows = [_slopes(each, seconds) for each in floors]
    slopes = np.array([w for w in windows if w is not None]).T
    if len(windows) != slopes.shape[-1] or not slopes.size:
        return evidence.undecided("too few samples, or too many missing, for its windows")
    early, late, last = slopes * SECONDS_PER_HOUR
    if len(series) == 1:
        return _judge_one(floors[0], seconds, evidence, alpha_leak * share, alpha_flat * share)
    tests = _Tests(
        late=_over(late),
        last=_over(last),
        kept=_over(late - DECAY * early),
        lost=_over(late - STEADY * early),
    )
    return evidence.conclude(tests, alpha_leak * share / metrics, alpha_flat * share)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tests:
    """What the rules ask of the slopes, each a mean with its error."""

    late: _Interval
    """Growth an hour in the late window."""
    last: _Interval
    """Growth an hour in the second half of it."""
    kept: _Interval
    """Late growth less 0.85 times the early one."""
    lost: _Interval
    """Late growth less 0.98 times the early one."""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What was judged, and the wording of every answer."""

    series: Sequence[Series]
    budget: float
    quantity: Quantity

    def conclude(self, tests: _Tests, alpha_leak: float, alpha_flat: float) -> Judgement:
        low, high = tests.late.low(alpha_leak), tests.late.high(alpha_flat)
        if high <= self.budget:
            if tests.last.low(ALPHA_DECAY) > self.budget:
                return self._say(
                    Verdict.UNDECIDED, tests, low, high, "within budget until its last quarter"
                )
            return self._say(Verdict.FLAT, tests, low, high, "growth proved within its budget")
        if low <= self.budget:
            return self._say(Verdict.UNDECIDED, tests, low, high, "the interval holds the budget")
        if tests.lost.high(ALPHA_DECAY) < 0:
            return self._say(Verdict.SATURATING, tests, low, high, "above its budget, but slowing")
        if tests.kept.low(alpha_leak) <= 0:
            return self._say(
                Verdict.UNDECIDED,
                tests,
                low,
                high,
                "above its budget, but not yet told from something that fills up",
            )
        return self._say(Verdict.LEAK, tests, low, high, "growth proved above its budget")

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

    def _say(self, verdict: Verdict, tests: _Tests, low: float, high: float, how: str) -> Judgement:
        rate = describe_rate(low, tests.late.mean, high, self.quantity)
        budget = format_amount(self.budget, self.quantity)
        return Judgement(
            verdict=verdict,
            slope_per_hour=tests.late.mean,
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


def _judge_one(
    floors: Floors, seconds: float, evidence: _Evidence, alpha_leak: float, alpha_flat: float
) -> Judgement:
    late, early = _within(floors, seconds, LATE), _within(floors, seconds, EARLY)
    last = _within(floors, seconds, LAST)
    if late is None or early is None or last is None:
        return evidence.undecided("too few samples for one process to speak for itself")

    def less(part: float) -> _Interval:
        error = math.hypot(late.error, part * early.error)
        return _Interval(late.mean - part * early.mean, error, late.freedom)

    tests = _Tests(late=late, last=last, kept=less(DECAY), lost=less(STEADY))
    return evidence.conclude(tests, alpha_leak, alpha_flat)


GROUPS: Final = 6
"""Increments that a window of a single series is cut into."""


def _within(floors: Floors, seconds: float, window: tuple[float, float]) -> _Interval | None:
    """Return the growth of one series in a window, with an error that its wandering explains.

    The window's floors are cut into groups; the increments between the groups' medians have
    the slope as their mean. If the noise is a random walk (allocator steps) increments are
    independent and the t interval is right; if it is stationary they are negatively
    correlated, and the interval is too wide by up to sqrt(increments). So it errs on the
    side of UNDECIDED whichever the noise is, which Harvey, Leybourne and Taylor's z-lambda
    (2007) achieves by weighting the two cases.
    """
    found = floors.within(window[0] * seconds, window[1] * seconds)
    if found is None:
        return None
    times, values = found
    groups = min(GROUPS + 1, len(times))
    parts = np.array_split(np.arange(len(times)), groups)
    middles = np.array([np.median(values[part]) for part in parts])
    moments = np.array([np.mean(times[part]) for part in parts])
    increments = np.diff(middles) / np.diff(moments) * SECONDS_PER_HOUR
    interval = _over(increments)
    return _Interval(theil_sen(times, values) * SECONDS_PER_HOUR, interval.error, interval.freedom)


def _slopes(floors: Floors, seconds: float) -> tuple[float, float, float] | None:
    slopes = []
    for start, stop in (EARLY, LATE, LAST):
        found = floors.within(start * seconds, stop * seconds)
        if found is None:
            return None
        slopes.append(theil_sen(*found))
    return slopes[0], slopes[1], slopes[2]


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
