"""How a record wobbles about what it otherwise does, and what growth is left without that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from leakbench.verdict.growth import Growth
from leakbench.verdict.judgement import FloatArray
from leakbench.verdict.slopes import short_slope


def largest_fall(values: FloatArray) -> float:
    """Return how far a record, shape (n,), ever fell below where it had been; at least 0.

    Of a bounded wobble this is its band as soon as it has gone once from top to bottom. Growth
    adds nothing to it.
    """
    return float((np.maximum.accumulate(values) - values).max(initial=0.0))


def smooth_steps(values: FloatArray, band: float) -> FloatArray:
    """Return a record, shape (n,), as steps: a level stays until a value leaves it by over `band`.

    Each level is the median of the values that were taken to lie on it.
    """
    starts = [0]
    level = values[0]
    for index, value in enumerate(values):
        if abs(value - level) > band:
            level = value
            starts.append(index)
    levels = np.empty_like(values)
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        levels[start:end] = np.median(values[start:end])
    return levels


BENDING: Final = 6
"""Values of a half from which on a bend can be told from its noise."""
BENT_ERRORS: Final = 4.0
"""Standard errors from which on a bend is none by chance."""
BENT: Final = 0.05
"""Part of its rate that growth must lose from the first part of the half to the second: a leak
that is a little uneven loses less."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line through a record by least squares, and how well it is known."""

    rate: float
    """Growth from one value to the next."""
    error: float
    """Standard error of `rate`, widened for values that follow their neighbours."""
    residuals: FloatArray
    """Values less the line, shape (n,)."""

    @property
    def spread(self) -> float:
        """Range of the residuals."""
        return float(np.ptp(self.residuals))


def fit_line(values: FloatArray) -> Line:
    """Fit a line to a record of at least three values, shape (n,).

    The error is that of least squares times sqrt((1 + r) / (1 - r)), r being the correlation of
    the residuals with their neighbours where that is above 0: the variance of a mean of a
    first-order autoregressive series, after Bartlett (1946).
    """
    count = len(values)
    time = np.arange(count) - (count - 1) / 2
    rate = float(time @ values / (time @ time))
    residuals = values - values.mean() - rate * time
    variance = float(residuals @ residuals) / (count - 2)
    if variance <= 0.0:
        return Line(rate, 0.0, residuals)
    kin = float(residuals[1:] @ residuals[:-1] / (residuals @ residuals))
    # Residuals of a short record seem less alike than they are.
    kin = min(max(kin + 4 / count, 0.0), 0.98)
    error = np.sqrt(variance / (time @ time) * (1 + kin) / (1 - kin))
    return Line(rate, float(error), residuals)


def near_slopes(values: FloatArray) -> tuple[float, float]:
    """Return the median slopes between near values of the first and the second half of a record.

    They are what growth is between lumps; 0 where it comes in lumps alone.
    """
    middle = len(values) // 2
    early, late = values[: middle + 1], values[middle:]
    return (
        short_slope(np.arange(float(len(early))), early),
        short_slope(np.arange(float(len(late))), late),
    )


def is_slowing(values: FloatArray) -> bool:
    """Whether growth bends downwards over the later half of a record, beyond chance.

    A parabola through the half must bend by more than its error, and the median slope between
    near values be less in its second part than in its first: a lump, such as a table that was
    doubled, bends a parabola and touches few such slopes. What fills up bends for as
    long as it does; what grows for good may have bent earlier, while it warmed up.
    """
    half = values[len(values) // 2 :]
    if len(half) < BENDING:
        return False
    time = np.linspace(-1.0, 1.0, len(half))
    basis = np.polynomial.legendre.legvander(time, 2)
    coefficients, *_ = np.linalg.lstsq(basis, half, rcond=None)
    residuals = half - basis @ coefficients
    variance = float(residuals @ residuals) / (len(half) - 3)
    error = np.sqrt(variance * np.linalg.inv(basis.T @ basis)[2, 2])
    if float(coefficients[2]) >= -BENT_ERRORS * max(float(error), 1e-12):
        return False
    early, late = near_slopes(half)
    return late < (1 - BENT) * early


def estimate_growth(values: FloatArray, band: float) -> Growth:
    """Return the growth from one value to the next of a record that grows, with bounds.

    Two models: a line, and steps that come now and then. Whichever leaves less is taken. Of
    steps, growth is counted over whole pauses, from the first step to the last. The bounds are
    the band, and for steps one step, away: a bounded wobble cannot move what the record rose by
    further than that.
    """
    periods = len(values) - 1
    line = fit_line(values)
    levels = smooth_steps(values, band)
    steps = np.flatnonzero(np.diff(levels) != 0)
    rate, slack = line.rate, min(line.spread, max(band, 4 * line.error * periods))
    left = float(np.abs(values - levels).sum())
    comes_with_pauses = len(steps) >= 3 and steps[-1] - steps[0] >= 2 * (len(steps) - 1)
    if comes_with_pauses and left < float(np.abs(line.residuals).sum()):
        risen = float(levels[steps[-1]] - levels[steps[0]])
        rate = risen / int(steps[-1] - steps[0])
        slack = max(float(np.diff(levels).max()), band)
    return Growth(rate - slack / periods, rate, rate + slack / periods)
