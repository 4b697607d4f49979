"""The verdict on the process as a whole: its heap, its mappings, and everything it has open."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

from leakbench.metrics import PROCESS_PATH, Metric, process_metrics
from leakbench.record.trace import Column, Trace
from leakbench.units import SECONDS_PER_HOUR, Exposure
from leakbench.verdict.banded import judge_banded
from leakbench.verdict.beyond import judge_apart, split_off_objects
from leakbench.verdict.budgets import Allowance, Budgets
from leakbench.verdict.found import Found, has_budget, make_result, with_cause, worst_of
from leakbench.verdict.grid import even_grid
from leakbench.verdict.judgement import Judgement, Verdict
from leakbench.verdict.looks import looks_taken, next_look_seconds
from leakbench.verdict.objects import judge_on_grid
from leakbench.verdict.slowing import judge_slowing
from leakbench.verdict.statistical import judge_statistical
from leakbench.verdict.table import Series
from leakbench.verdict.terms import AssessPlan


def judge_process(
    traces: Sequence[Trace],
    budgets: Budgets,
    exposure: Exposure,
    plan: AssessPlan,
    *,
    quiet_periods: int,
) -> list[Found]:
    """Judge every metric of the process that was measured.

    Each process is judged by itself: settled, it is as exact as objects but for a narrow band.
    Where that decides nothing and there are several, intervals over the processes may.
    """
    found = []
    for metric in process_metrics():
        columns = [_columns_of(trace, metric, plan) for trace in traces]
        if not any(len(column) for column in columns):
            continue
        allowance = budgets.of(PROCESS_PATH, metric.name)
        gated = metric.name in plan.gated_process and _is_judged(metric, traces, plan)
        judge = functools.partial(
            _judge, metric=metric, allowance=allowance, quiet_periods=quiet_periods, plan=plan
        )
        judged = [
            _judge_in_parts(column, trace, metric, judge)
            for column, trace in zip(columns, traces, strict=True)
        ]
        replicate = worst_of(judged)
        worst = judged[replicate]
        if metric.tier == "statistical" or (
            not worst.verdict.decided
            and metric.tier == "banded"
            and allowance.per_hour > 0
            and len(columns) >= plan.min_replicates
        ):
            by_intervals = _judge_at_look(columns, metric, allowance, plan)
            if metric.tier == "statistical" or by_intervals.verdict.decided:
                worst = by_intervals
        if worst.verdict is Verdict.LEAK and metric.tier == "banded":
            whole = traces[replicate].column(PROCESS_PATH, metric.name)
            periods_an_hour = SECONDS_PER_HOUR / plan.period_seconds
            growth = worst.rate or (worst.slope_per_hour or 0.0) / periods_an_hour
            worst = with_cause(worst, growth, whole, exposure, plan, wobble=metric.noise)
        if not has_budget(PROCESS_PATH, metric.name, allowance):
            worst = dataclasses.replace(
                worst, verdict=Verdict.UNDECIDED, reason="shown only: no budget is set"
            )
        elif not gated:
            # What the cell's verdict does not rest on is no verdict beside it.
            reason = f"shown only: {worst.reason}"
            worst = dataclasses.replace(worst, verdict=Verdict.UNDECIDED, reason=reason)
        values = columns[replicate].values
        found.append(
            (make_result(PROCESS_PATH, metric.name, worst, values, allowance, gated), worst)
        )
    return found


def missing_metrics(traces: Sequence[Trace], plan: AssessPlan) -> tuple[str, ...]:
    """Return the gated metrics of the process that nothing could measure where it was driven."""
    looked = [sample.process for trace in traces for sample in trace.samples if sample.process]
    return tuple(
        name for name in plan.gated_process if looked and not any(name in p for p in looked)
    )


def _columns_of(trace: Trace, metric: Metric, plan: AssessPlan) -> Column:
    column = trace.column(PROCESS_PATH, metric.name)
    if plan.periodic:
        column = column.at_phase(plan.phase)
    return column.since(plan.warmup_seconds)


def _is_judged(metric: Metric, traces: Sequence[Trace], plan: AssessPlan) -> bool:
    return metric.tier != "statistical" or len(traces) >= plan.min_replicates


def _judge_in_parts(
    column: Column, trace: Trace, metric: Metric, judge: Callable[[Column], Judgement]
) -> Judgement:
    """Judge one process; what wobbles as a whole by its parts, where one of them is weighed."""
    judged = judge(column)
    if judged.verdict.decided or not metric.holds_objects:
        return judged
    return judge_apart(*split_off_objects(column, trace), judge) or judged


def _judge(
    column: Column, metric: Metric, allowance: Allowance, quiet_periods: int, plan: AssessPlan
) -> Judgement:
    """Judge one process."""
    grid, step = even_grid(column, plan.period_seconds)
    if metric.tier == "slowing":
        return judge_slowing(
            column.values, column.audio_seconds, budget_per_hour=allowance.per_hour
        )
    if allowance.per_hour > 0 and metric.quantity == "bytes":
        return judge_banded(
            grid.values,
            period_seconds=step * plan.period_seconds,
            budget_per_hour=allowance.per_hour,
            noise=metric.noise,
            horizon_seconds=plan.driven_seconds,
            step=step,
            quantity=metric.quantity,
        )
    return judge_on_grid(
        grid.values,
        step,
        plan=plan,
        allowance=allowance,
        quiet_periods=quiet_periods,
        quantity=metric.quantity,
    )


def _judge_at_look(
    columns: Sequence[Column], metric: Metric, allowance: Allowance, plan: AssessPlan
) -> Judgement:
    """Judge several processes by intervals over them, from the looks that were due."""
    reached = min(
        (float(c.audio_seconds[-1]) - plan.warmup_seconds if len(c) else 0.0) for c in columns
    )
    horizon = plan.driven_seconds
    first = min(plan.first_look_seconds, horizon or plan.first_look_seconds)
    looks = looks_taken(reached, first_seconds=first, horizon_seconds=horizon, final=plan.final)
    due = next_look_seconds(reached, first_seconds=first, horizon_seconds=horizon)
    if not looks:
        return Judgement(
            verdict=Verdict.UNDECIDED,
            slope_per_hour=None,
            low=None,
            high=None,
            budget_per_hour=allowance.per_hour,
            reason=f"first judged after {due:.0f} s of audio, {reached:.0f} s so far",
            tier="statistical",
            replicates=len(columns),
            advisory=len(columns) == 1,
            audio_wanted_seconds=due,
        )
    proved: Judgement | None = None
    for look in looks:
        series: list[Series] = []
        for column in columns:
            audio = column.audio_seconds - plan.warmup_seconds
            seen = (audio > 0) & (audio <= look.seconds + 1e-6)
            series.append((audio[seen], column.values[seen]))
        judged = judge_statistical(
            series,
            budget_per_hour=allowance.per_hour,
            cycle_seconds=plan.period_seconds if plan.periodic else plan.cycle_seconds,
            share=look.share,
            horizon_seconds=horizon,
            metrics=max(len(plan.gated_process), 1),
            quantity=metric.quantity,
        )
        # A leak that was proved stays proved; what was flat may have begun to leak since.
        proved = judged if judged.verdict is Verdict.LEAK else proved
        if look.ends_run and judged.verdict.decided:
            break
    judged = proved or judged
    wanted = None if judged.verdict.decided else due
    return dataclasses.replace(judged, audio_wanted_seconds=wanted)
