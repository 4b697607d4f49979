"""What a worker is asked for, from a cell of a plan."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.plan import Cell, Plan, scenario_copy
from leakbench.record.request import WorkerRequest
from leakbench.record.result import MetricResult, leaking_metrics, leaking_paths
from leakbench.record.trace import Begin, Trace

EXPLAIN_SECONDS_AT_LEAST: Final = 1.0
"""Time to explain in, for cells that were decided in less: two periods and three censuses."""
APART_AT_MOST: Final = 100
"""Periods: the process is looked at ever more rarely, and growth seems rarer than it is."""
_MORE_THAN_ANY_RUN: Final = 1e7


def replicate_request(plan: Plan, folder: Path, cell: Cell, number: int) -> WorkerRequest:
    """Return the request of a cell's replicate `number` in the run in `folder`."""
    return WorkerRequest(
        factory=cell.subject.factory,
        options=cell.subject.options,
        scenario=str(scenario_copy(folder, cell.scenario)),
        chunk_ms=cell.chunk_ms,
        # Replicates are independent only if their audio is.
        seed=cell.seed + number,
        audio_seconds=cell.audio_seconds,
        recordings=str(cell.recordings) if cell.recordings else None,
        process_interval_seconds=plan.process_interval_seconds,
        clear_caches=plan.clear_caches,
        traced_frames=plan.traced_frames,
        # The first one explains, with its subject as it is; a traced one has a tracer already.
        awaits_word=number == 0 and plan.explains(cell) and not plan.traced_frames,
    )


def explain_request(
    plan: Plan,
    folder: Path,
    cell: Cell,
    begin: Begin,
    trace: Trace,
    metrics: Sequence[MetricResult],
) -> WorkerRequest:
    """Return the request to drive a cell's first replicate once more and explain its leaks.

    Parameters
    ----------
    begin, trace
        What the replicate has found and measured; at least one sample.
    metrics
        What is known of the cell.
    """
    leaking = leaking_paths(metrics)
    process = leaking_metrics(metrics)
    return dataclasses.replace(
        replicate_request(plan, folder, cell, 0),
        audio_seconds=_MORE_THAN_ANY_RUN,
        traced_frames=0,  # it traces by itself, and from later on
        awaits_word=False,
        explain_seconds=max(EXPLAIN_SECONDS_AT_LEAST, trace.samples[-1].wall_seconds),
        explain_leaking=leaking,
        explain_gaps=growth_gaps(trace, begin, leaking),
        explain_process=process,
        explain_apart=periods_apart(trace, begin, process),
    )


def growth_gaps(trace: Trace, begin: Begin, leaking: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the fewest and most periods from one growth of a path to its next.

    Of each path that leaks, as far as its elements have grown at least twice.
    """
    gaps = {}
    for path in leaking:
        column = trace.column(path, "elements").at_phase(begin.phase).since(begin.warmup_seconds)
        apart = np.diff(np.flatnonzero(np.diff(column.values) > 0))
        if len(apart):
            gaps[path] = int(apart.min()), int(apart.max())
    return gaps


def periods_apart(trace: Trace, begin: Begin, metrics: Iterable[str]) -> int:
    """Return the most periods from one growth of a metric of the process to its next.

    Of each of `metrics`, as far as it has grown at least twice by more than its noise; 0 for none.
    """
    most = 0.0
    for name in metrics:
        # At one phase: a look within a period sees growth that the others see at its end.
        column = trace.column(PROCESS_PATH, name).at_phase(begin.phase)
        column = column.since(begin.warmup_seconds)
        grown = column.audio_seconds[1:][np.diff(column.values) > metric_of(name).noise]
        most = max(most, float(np.diff(grown).max(initial=0.0)))
    return min(math.ceil(most / begin.period_seconds - 1e-6), APART_AT_MOST)
