"""Looks that thin out as a run goes on, as values that are equally far apart.

A worker looks at every period at first and ever more rarely later: at multiples of 2, 4, 8 ...
periods, and at every period again for a while when something has moved. State is cumulative, so
what a look in between would have shown is in the next one. The looks at multiples of the widest
step make one even grid over the whole run, which the rules of a tier need.
"""

from __future__ import annotations

import numpy as np

from leakbench.record.trace import Column


def even_grid(column: Column, period_seconds: float) -> tuple[Column, int]:
    """Return the looks of `column` that are equally far apart, and the periods between two.

    Parameters
    ----------
    column
        Looks at one phase of the period, in order.
    period_seconds
        Audio a period, > 0.

    Returns
    -------
    The looks at multiples of the least power of two of which none is missing, counted from the
    first look. Where looks are missing at random there is no such grid: then all of them, and
    their usual distance.
    """
    if len(column) < 2:
        return column, 1
    periods = np.rint((column.audio_seconds - column.audio_seconds[0]) / period_seconds)
    seen = periods.astype(np.int64)
    step = 1
    while 2 * step <= seen[-1]:
        wanted = np.arange(0, seen[-1] + 1, step)
        if np.isin(wanted, seen).all():
            return column.where(seen % step == 0), step
        step *= 2
    return column, max(1, int(np.median(np.diff(seen))))
