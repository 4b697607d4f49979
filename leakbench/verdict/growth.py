"""Growth a period over a record: its estimate, its bounds, whether it repeats or dies out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from leakbench.verdict.judgement import FloatArray

MIN_PERIODS: Final = 5
"""Fewest periods that anything is said of: five equal increments do not happen by accident."""
SHRINKING: Final = 0.75
"""Late over early growth below which growth is dying out: linear is 1, a filling cache <= 0.5."""
STEADY: Final = 0.98
"""Late over early growth that counts as no decay at all."""
PRECISE: Final = 0.02
"""Half the interval of a rate, as a part of it, from which on more looks would not change the
rate that is told."""
PRECISE_PERIODS: Final = 150
"""Periods after which a proved leak is told with the interval it has."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth a period over part of a record: estimate and bounds."""

    low: float
    rate: float
    high: float


def is_precise(growth: Growth, periods: int) -> bool:
    """Whether more periods would not change the rate of proved growth, or are not worth it."""
    return growth.high - growth.rate <= PRECISE * growth.rate or periods >= PRECISE_PERIODS


def find_cycle(values: FloatArray) -> tuple[int, float] | None:
    """Return the fewest periods after which the values repeat up to a constant, and it.

    Three whole cycles and five comparisons are asked for, so that a short record does not
    repeat by accident.
    """
    for cycle in range(1, len(values) // 3 + 1):
        steps = values[cycle:] - values[:-cycle]
        if len(steps) >= max(MIN_PERIODS, 2 * cycle) and np.all(steps == steps[0]):
            return cycle, float(steps[0])
    return None


def fit_growth(values: FloatArray) -> Growth:
    """Return growth a period with bounds one lump to either side.

    If the values are a line plus something bounded, what they rose over the record is off
    by no more than the range of that bounded part, which the range about the line shows.
    """
    periods = len(values) - 1
    rate = float(values[-1] - values[0]) / periods
    lump = float(np.ptp(values - rate * np.arange(len(values))))
    # The subtraction above leaves rounding behind where there is no lump at all.
    lump = 0.0 if lump <= 1e-9 * max(abs(rate) * periods, 1.0) else lump
    return Growth(rate - lump / periods, rate, rate + lump / periods)


def is_shrinking(growth: FloatArray) -> bool:
    """Whether growth, positive throughout, is dying out.

    Growth whose least period does not get less goes on, whatever lumps came on top of it
    early (a short list over-allocates often). Otherwise the halves are compared by median
    and by sum: less by a fiftieth in the later half is enough while the record is short; from 12
    periods on it must be less by a quarter, as irregular growth then differs by chance.
    """
    half = len(growth) // 2
    early, late = growth[:half], growth[-half:]
    if late.min() >= early.min():
        return False
    if np.all(np.diff(growth) <= 0):
        return True
    floor = SHRINKING if len(growth) >= 12 else STEADY
    return bool(np.median(late) < floor * np.median(early) and late.sum() < floor * early.sum())
