"""What a worker is asked for, from a cell of a plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from leakbench.plan import Cell, Plan, scenario_copy
from leakbench.trace import Begin, Trace
from leakbench.worker.request import WorkerRequest

EXPLAIN_SECONDS_AT_LEAST: Final = 1.0
"""Time to explain in, for cells that were decided in less: two periods and three censuses."""
LAST_PERIODS: Final = 3
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
        traced_frames=plan.traced_frames,
    )


def explain_request(
    plan: Plan, folder: Path, cell: Cell, begin: Begin, trace: Trace, leaking: Sequence[str]
) -> WorkerRequest:
    """Return the request to drive a cell's first replicate once more and explain its leaks.

    Parameters
    ----------
    begin, trace
        What the replicate has found and measured; at least one sample.
    leaking
        Object paths known to leak.
    """
    quiet = periods_before_growth(trace, begin, leaking)
    return dataclasses.replace(
        replicate_request(plan, folder, cell, 0),
        audio_seconds=_MORE_THAN_ANY_RUN,
        traced_frames=0,  # it traces by itself, and from later on
        explain_seconds=max(EXPLAIN_SECONDS_AT_LEAST, trace.samples[-1].wall_seconds),
        explain_after_chunks=quiet * begin.chunks_per_period,
        explain_leaking=tuple(leaking),
    )


def grows_every_period(trace: Trace, begin: Begin, leaking: Sequence[str]) -> bool:
    """Whether every path that leaks has grown in each of the last periods.

    Then it does not matter where an explanation begins, and the subject need not be made anew.
    What grows more rarely is waited for where a new subject, fed the same audio, grows again.
    """
    columns = [trace.column(path, "elements").at_phase(begin.phase) for path in leaking]
    return all(np.all(np.diff(column.values)[-LAST_PERIODS:] > 0) for column in columns)


def periods_before_growth(trace: Trace, begin: Begin, leaking: Sequence[str]) -> int:
    """Return the whole periods to drive untraced, as something that leaks does not grow in them.

    The second drive is fed the same audio, so what grew in a period of the first grows in it
    again. Tracing begins two periods before: one to warm up, one before the first census. What
    grows from the beginning is traced from the beginning.
    """
    found = []
    for path in leaking:
        column = trace.column(path, "elements").at_phase(begin.phase).since(begin.warmup_seconds)
        steps = np.flatnonzero(np.diff(column.values) > 0)
        if len(steps):
            seconds = float(column.audio_seconds[steps[0]])
            found.append(max(0, int(seconds / begin.period_seconds + 1e-9) - 1))
    # The latest: what grew before it still grows then.
    latest = max(found, default=0)
    return latest if latest > begin.warmup_chunks // begin.chunks_per_period else 0
