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

import numpy as np
import numpy.typing as npt

from leakbench.units import Quantity
from leakbench.verdict.banded import judge_banded
from leakbench.verdict.growth import MIN_PERIODS
from leakbench.verdict.judgement import Judgement, checked
from leakbench.verdict.rules import SETTLED_PERIODS, Record


def judge_exact(
    values: Sequence[float] | npt.ArrayLike,
    *,
    period_seconds: float,
    budget_per_hour: float = 0.0,
    quiet_periods: int = MIN_PERIODS,
    settled_periods: int = SETTLED_PERIODS,
    slack: float = 0.0,
    horizon_seconds: float | None = None,
    step: int = 1,
    same_elements: bool = False,
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
    settled_periods
        The same for a structure that did grow after the warm-up; at least 5. Fewer where there is
        a value every few periods only.
    slack
        One single step up to this size is forgiven after 12 quiet periods rather than 20.
    horizon_seconds
        The most audio that would be driven, for values that never repeat; see
        :func:`~leakbench.verdict.banded.judge_banded`.
    step
        Likewise.
    same_elements
        Whether what is weighed had as many elements at each value: then a rise within `slack` in
        all is no leak.
    quantity
        What is counted, for the reason.

    Returns
    -------
    FLAT, LEAK, SATURATING or UNDECIDED. `low` and `high` are equal where the growth is
    exactly regular; otherwise they are one lump (the range of the values about their own
    line) away from the estimate. What neither repeats nor grows regularly is judged by the
    banded tier.

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
        max(settled_periods, MIN_PERIODS),
        slack,
        horizon_seconds,
        step,
        quantity,
        same_elements,
    )


@functools.lru_cache(maxsize=1024)
def _judge(
    values: bytes,
    period_seconds: float,
    budget_per_hour: float,
    quiet_periods: int,
    settled_periods: int,
    slack: float,
    horizon_seconds: float | None,
    step: int,
    quantity: Quantity,
    same_elements: bool,
) -> Judgement:
    record = Record(
        np.frombuffer(values),
        period_seconds,
        budget_per_hour,
        quiet_periods,
        settled_periods,
        slack,
        quantity,
        same_elements,
        step,
    )
    if record.periods < MIN_PERIODS:
        return record.undecided(
            f"{max(record.periods, 0)} of at least {MIN_PERIODS} periods", MIN_PERIODS
        )
    judged = (
        record.judge_regular()
        or record.judge_within_budget()
        or record.judge_every_period()
        or record.judge_recurring()
        or record.judge_settled()
        or record.judge_slight()
        or record.judge_troughs()
        or record.judge_tail()
        or record.undecided("neither repeats nor grows regularly", record.periods + settled_periods)
    )
    if judged.verdict.decided or record.periods < quiet_periods:
        return judged
    by_band = judge_banded(
        record.values,
        period_seconds=period_seconds,
        budget_per_hour=budget_per_hour,
        horizon_seconds=horizon_seconds,
        step=step,
        quantity=quantity,
    )
    return by_band if by_band.verdict.decided else judged
