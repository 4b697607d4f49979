"""Axes that read without arithmetic: scaled units, no offsets, logarithms only where needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
)

from leakbench.metrics import metric_of
from leakbench.units import format_bytes

LOG_RATIO: Final = 50.0
"""A leak this many times the flat level leaves the flat one no height on a linear axis:
2 % of a panel 150 pixels high is 3 pixels, about the width of a line."""

_BYTE_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def axis_unit(metric: str, top: float) -> tuple[float, str]:
    """Return ``(divisor, unit)`` that puts values up to `top` between 1 and about 1,000."""
    quantity = metric_of(metric).quantity
    if quantity == "seconds":
        return 1e-3, "ms"
    if quantity == "count":
        return 1.0, ""
    if quantity == "elements":
        for divisor, unit in ((1e9, "billion"), (1e6, "million"), (1e4, "thousand")):
            if top >= divisor:
                return (1e3 if unit == "thousand" else divisor), f"{unit} elements"
        return 1.0, "elements"
    power = int(math.log2(top) // 10) if top >= 1 else 0
    power = min(power, len(_BYTE_UNITS) - 1)
    return 1024.0**power, _BYTE_UNITS[power]


def time_unit(seconds: float) -> tuple[float, str]:
    """Return ``(divisor, unit)`` for an axis of audio time that ends at `seconds`."""
    if seconds <= 300:
        return 1.0, "s"
    return (60.0, "min") if seconds <= 3 * 3600 else (3600.0, "h")


def needs_log(levels: Sequence[float]) -> bool:
    """Whether one series dwarfs another: the tops of the series, all of one metric."""
    positive = [level for level in levels if level > 0]
    return len(positive) > 1 and max(positive) > LOG_RATIO * min(positive)


def plain_ticks(axes: Axes, *, count: int = 4) -> None:
    """Give the y axis a few round ticks, written out: no offset, no powers of ten."""
    axes.yaxis.set_major_locator(MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(_plain())
    axes.yaxis.set_minor_locator(NullLocator())


def plain_time_ticks(axes: Axes, *, count: int = 5) -> None:
    """Give the x axis, audio time, a few round ticks, written out."""
    axes.xaxis.set_major_locator(MaxNLocator(count, steps=[1, 1.5, 2, 3, 5, 6, 10]))
    axes.xaxis.set_major_formatter(_plain())


def log_ticks(axes: Axes, metric: str, low: float, high: float) -> None:
    """Make the y axis logarithmic from about `low` to `high`, ticks labelled with their unit.

    `low` and `high` are in bytes, elements or seconds and above 0. Bytes step by powers of
    two, so that labels read 32 KiB and 1 MiB.
    """
    base = 2.0 if metric_of(metric).quantity == "bytes" else 10.0
    first, last = math.floor(math.log(low, base)), math.ceil(math.log(high, base))
    stride = max(1, math.ceil((last - first) / 4))
    if base == 2.0:
        stride = max(stride, 2)
        first -= first % stride
    ticks = [base**power for power in range(first, last + stride, stride)]
    axes.set_yscale("log", base=base)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick_text(value, metric)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(ticks[0] * 0.9, high * 2.0)


def padded_limits(
    values: npt.NDArray[np.float64], *, least_span: float, include_zero: bool
) -> tuple[float, float]:
    """Return y limits that hold `values` and never magnify noise.

    Parameters
    ----------
    values
        Everything drawn, shape (n,), n > 0.
    least_span
        What is flat must look flat: the limits lie at least this far apart.
    include_zero
        Start at 0.
    """
    low, high = float(values.min()), float(values.max())
    if include_zero:
        low = min(low, 0.0)
    if high - low < least_span:
        middle = (high + low) / 2
        low, high = middle - least_span / 2, middle + least_span / 2
        if low < 0 <= values.min():
            low, high = 0.0, least_span
    margin = 0.06 * (high - low) or 0.5
    return (0.0 if low >= 0 and low - margin < 0 else low - margin), high + margin


def _plain() -> ScalarFormatter:
    formatter = ScalarFormatter(useOffset=False, useMathText=False)
    formatter.set_scientific(False)
    return formatter


def _tick_text(value: float, metric: str) -> str:
    quantity = metric_of(metric).quantity
    if quantity == "bytes":
        return format_bytes(value)
    if quantity == "seconds":
        return f"{value * 1e3:g} ms"
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
