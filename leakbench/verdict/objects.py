"""The verdict on every object path: exact where the audio repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from leakbench.metrics import TOTAL_PATH, metric_names, metric_of
from leakbench.record.trace import Column
from leakbench.units import Exposure, Quantity
from leakbench.verdict.budgets import Allowance, Budgets, matches
from leakbench.verdict.exact import judge_exact
from leakbench.verdict.found import Found, make_result, with_cause, worst_of
from leakbench.verdict.grid import even_grid
from leakbench.verdict.growth import MIN_PERIODS
from leakbench.verdict.judgement import FloatArray, Judgement, Verdict
from leakbench.verdict.objecttable import ObjectTable
from leakbench.verdict.rules import SETTLED_PERIODS
from leakbench.verdict.slopes import take_floors
from leakbench.verdict.statistical import MIN_CYCLE_SECONDS, SAMPLES_A_FLOOR
from leakbench.verdict.terms import AssessPlan

SMALL_OBJECT_BYTES: Final = 64.0
"""One step up to this size in Python bytes is an integer leaving CPython's cache of small
ones (28 or 32 bytes, twice where two counters shared it), not a leak."""


def judge_objects(
    tables: Sequence[ObjectTable],
    paths: Sequence[str],
    budgets: Budgets,
    exposure: Exposure,
    plan: AssessPlan,
    *,
    quiet_periods: int,
) -> list[Found]:
    """Judge each path and metric of objects; a leak in one replicate is a leak.

    Parameters
    ----------
    tables
        One a replicate.
    quiet_periods
        Periods without growth that FLAT must have seen.
    """
    phase = plan.phase if plan.periodic else None
    matched = [table.since(plan.warmup_seconds, phase=phase) for table in tables]
    found = []
    for path in paths:
        named = any(matches(pattern, path) for pattern in plan.named)
        for metric in metric_names("objects"):
            columns = [table.column(path, metric) for table in matched]
            if not named and not any(column.values.any() for column in columns):
                continue
            allowance = budgets.of(path, metric)
            judged = [
                _judge_column(
                    column,
                    metric,
                    allowance,
                    quiet_periods,
                    plan,
                    same_elements=metric == "python_bytes" and _keeps_elements(table, path, paths),
                )
                for table, column in zip(matched, columns, strict=True)
            ]
            replicate = worst_of(judged)
            worst = judged[replicate]
            if worst.verdict is Verdict.LEAK and worst.rate is not None:
                whole = tables[replicate].column(path, metric)
                worst = with_cause(worst, worst.rate, whole, exposure, plan)
            # The number of objects in all has no owner to fix it; its bytes are judged.
            gated = not allowance.exempt and not (path == TOTAL_PATH and metric == "elements")
            values = columns[replicate].values
            found.append((make_result(path, metric, worst, values, allowance, gated), worst))
    return found


def _keeps_elements(table: ObjectTable, path: str, paths: Sequence[str]) -> bool:
    """Whether a path has as many elements at each look; of the total, whether each path has."""
    # The elements of the total are objects, and two integers may be one object now and then.
    kept = [path] if path != TOTAL_PATH else [each for each in paths if each != TOTAL_PATH]
    counts = (table.column(each, "elements").values for each in kept)
    return not any(len(count) and np.ptp(count) for count in counts)


def _judge_column(
    column: Column,
    metric: str,
    allowance: Allowance,
    quiet_periods: int,
    plan: AssessPlan,
    *,
    same_elements: bool,
) -> Judgement:
    slack = SMALL_OBJECT_BYTES if metric == "python_bytes" else 0.0
    quantity = metric_of(metric).quantity
    if plan.periodic:
        grid, step = even_grid(column, plan.period_seconds)
        return judge_on_grid(
            grid.values,
            step,
            plan=plan,
            allowance=allowance,
            quiet_periods=quiet_periods,
            slack=slack,
            same_elements=same_elements,
            quantity=quantity,
        )
    spacing = float(np.median(np.diff(column.audio_seconds))) if len(column) > 1 else 0.0
    block = max(plan.cycle_seconds or MIN_CYCLE_SECONDS, SAMPLES_A_FLOOR * spacing)
    floors = take_floors(column.audio_seconds - plan.warmup_seconds, column.values, block)
    return judge_exact(
        # The last block is not yet whole.
        floors.values[:-1],
        period_seconds=block,
        budget_per_hour=allowance.per_hour,
        quiet_periods=max(2 * MIN_PERIODS, math.ceil(quiet_periods * plan.period_seconds / block)),
        slack=slack,
        quantity=quantity,
    )


def judge_on_grid(
    values: FloatArray,
    step: int,
    *,
    plan: AssessPlan,
    allowance: Allowance,
    quiet_periods: int,
    quantity: Quantity,
    slack: float = 0.0,
    same_elements: bool = False,
) -> Judgement:
    """Judge exactly what was looked at every `step` periods; an exact rate is that of one."""
    return judge_exact(
        values,
        period_seconds=step * plan.period_seconds,
        budget_per_hour=allowance.per_hour,
        quiet_periods=math.ceil(quiet_periods / step),
        settled_periods=math.ceil(SETTLED_PERIODS / step),
        slack=slack,
        horizon_seconds=plan.driven_seconds,
        step=step,
        same_elements=same_elements,
        quantity=quantity,
    )
