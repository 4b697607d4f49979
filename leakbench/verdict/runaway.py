"""Growth that met the memory limit before any other verdict could be reached.

A subject that keeps 64 MiB of every chunk is stopped within a minute of audio, before its warm-up
or a fifth period is over. What it grew by until then is evidence enough: its resident memory rose
at every look, and from where it began up to the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from leakbench.metrics import PROCESS_PATH, metric_names
from leakbench.record.result import MetricResult
from leakbench.record.trace import Column, Trace
from leakbench.units import SECONDS_PER_HOUR, format_bytes
from leakbench.verdict.culprits import order_culprits

LOOKS: Final = 4
"""Looks in a row, the last ones, at each of which there must be more than before."""
PART: Final = 0.25
"""Of the limit that resident memory must have grown by, and of that growth that a path must hold:
what was there once the subject was loaded may be most of the limit, and is no growth."""


def find_runaway(trace: Trace, limit_bytes: float) -> tuple[MetricResult, ...]:
    """Return what grew until the memory limit stopped it, culprits first; nothing if nothing did.

    Parameters
    ----------
    trace
        Of one replicate, from its first chunk on, warm-up included.
    limit_bytes
        Resident memory at which it was stopped.
    """
    resident = trace.column(PROCESS_PATH, "rss_bytes")
    if not _keeps_rising(resident):
        return ()
    grown = float(resident.values[-1] - resident.values[0])
    if grown < PART * limit_bytes:
        return ()
    found = [_leak(PROCESS_PATH, "rss_bytes", resident, limit_bytes)]
    for path in trace.paths():
        for metric in metric_names("objects"):
            column = trace.column(path, metric)
            risen = float(column.values[-1] - column.values[0]) if len(column) else 0.0
            if _keeps_rising(column) and (metric == "elements" or risen >= PART * grown):
                found.append(_leak(path, metric, column, limit_bytes))
    return tuple(order_culprits(found))


def _keeps_rising(column: Column) -> bool:
    late = column.values[-max(LOOKS + 1, len(column) // 2) :]
    return len(late) > LOOKS and bool(np.all(np.diff(late) > 0))


def _leak(path: str, metric: str, column: Column, limit_bytes: float) -> MetricResult:
    half = len(column) // 2
    audio = float(column.audio_seconds[-1] - column.audio_seconds[half])
    slope = float(column.values[-1] - column.values[half]) / audio * SECONDS_PER_HOUR
    return MetricResult(
        path=path,
        metric=metric,
        verdict="leak",
        slope_per_audio_hour=slope,
        low=slope,
        high=slope,
        budget_per_audio_hour=0.0,
        reason=(
            f"grew at each of its last looks until the memory limit of {format_bytes(limit_bytes)} "
            f"was met, after {column.audio_seconds[-1]:.0f} s of audio"
        ),
        first=float(column.values[0]),
        last=float(column.values[-1]),
    )


def merge_runaway(
    runaway: Sequence[MetricResult], judged: Sequence[MetricResult]
) -> tuple[MetricResult, ...]:
    """Return both, with what ran away in place of what else was said of it."""
    known = {(result.path, result.metric) for result in runaway}
    return (*runaway, *(r for r in judged if (r.path, r.metric) not in known))
