"""The heap apart from the objects that are walked: what is known to come and go is no noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

import numpy as np

from leakbench.metrics import TOTAL_PATH
from leakbench.record.trace import Column, Trace
from leakbench.units import format_amount
from leakbench.verdict.judgement import Judgement, Verdict

_WEIGHTS: Final = ("python_bytes", "storage_bytes")


def split_off_objects(heap: Column, trace: Trace) -> tuple[Column, Column]:
    """Return what the heap holds beyond the objects that are walked, and these objects' bytes.

    Parameters
    ----------
    heap
        Looks at the heap, bytes.
    trace
        Of the process they are from.

    Returns
    -------
    Both at the looks at which both were measured.
    """
    weights = [trace.column(TOTAL_PATH, metric) for metric in _WEIGHTS]
    seconds = heap.audio_seconds
    for weight in weights:
        seconds = np.intersect1d(seconds, weight.audio_seconds)
    heap = heap.where(np.isin(heap.audio_seconds, seconds))
    nbytes = sum((w.values[np.isin(w.audio_seconds, seconds)] for w in weights), np.zeros(1))
    return (
        dataclasses.replace(heap, values=heap.values - nbytes),
        dataclasses.replace(heap, values=nbytes),
    )


def judge_apart(
    beyond: Column, objects: Column, judge: Callable[[Column], Judgement]
) -> Judgement | None:
    """Judge a heap by its two parts, where the whole wobbles too much to be judged.

    Parameters
    ----------
    beyond, objects
        As `split_off_objects` returns them.
    judge
        Judges a column against the heap's budget.

    Returns
    -------
    FLAT where both are, and the bounds on their growth together are within the budget; else None.
    """
    parts = judge(beyond), judge(objects)
    if any(part.verdict is not Verdict.FLAT for part in parts):
        return None
    low, slope, high = (
        sum(getattr(part, name) or 0.0 for part in parts)
        for name in ("low", "slope_per_hour", "high")
    )
    budget = parts[0].budget_per_hour
    if high > budget:
        return None
    by_objects = format_amount(float(np.ptp(objects.values)), "bytes")
    return dataclasses.replace(
        parts[0],
        low=low,
        slope_per_hour=slope,
        high=high,
        reason=f"the objects wobble by {by_objects}; beyond them {parts[0].reason}",
    )
