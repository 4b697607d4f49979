"""The verdict on a cell: every metric of every replicate, judged against its budget."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from leakbench.metrics import PROCESS_PATH, TOTAL_PATH, metric_names, metric_of, process_metrics
from leakbench.record.result import MetricResult, Outcome
from leakbench.record.trace import Column, Trace
from leakbench.units import SECONDS_PER_HOUR, Budget, Exposure
from leakbench.verdict.attribution import attribute, select_dense
from leakbench.verdict.budgets import (
    Allowance,
    BudgetRule,
    Budgets,
    matches,
)
from leakbench.verdict.culprits import order_culprits
from leakbench.verdict.exact import MIN_PERIODS, judge_exact
from leakbench.verdict.judgement import FloatArray, Judgement, Verdict
from leakbench.verdict.looks import FIRST_LOOK_SECONDS, looks_taken, next_look_seconds
from leakbench.verdict.objecttable import ObjectTable
from leakbench.verdict.slopes import take_floors
from leakbench.verdict.statistical import MIN_CYCLE_SECONDS, SAMPLES_A_FLOOR, judge_statistical
from leakbench.verdict.table import Series

__all__ = ["AssessPlan", "Assessment", "BudgetRule", "assess"]

RAREST_EVENT: Final = 12
"""Segments, and streams, that FLAT must have seen where there are any: a leak in every tenth
of them has then come at least once."""
_Found: TypeAlias = tuple[MetricResult, Judgement]

SMALL_OBJECT_BYTES: Final = 64.0
"""One step up to this size in Python bytes is an integer leaving CPython's cache of small
ones (28 or 32 bytes, twice where two counters shared it), not a leak."""


def _gated_by_default() -> tuple[str, ...]:
    return tuple(metric.name for metric in process_metrics() if metric.gated)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessPlan:
    """What a cell's traces are judged by."""

    chunk_seconds: float
    chunks_per_period: int
    """Chunks a period of the scenario; chunks between samples where it has no period."""
    phase: int = 0
    """Chunks into a period at which values are compared."""
    warmup_seconds: float = 0.0
    """Audio at the start that no verdict uses."""
    periodic: bool = True
    """Whether the audio repeats exactly: objects are then judged by the exact tier."""
    rules: tuple[BudgetRule, ...] = ()
    defaults: Mapping[str, Budget] = dataclasses.field(default_factory=dict)
    """Growth allowed where no rule says otherwise, instead of the catalogue's."""
    gated_process: tuple[str, ...] = dataclasses.field(default_factory=_gated_by_default)
    """The process's metrics that the cell's verdict rests on."""
    named: tuple[str, ...] = ()
    """Patterns of paths that are reported whatever they do."""
    min_replicates: int = 2
    """Processes below which a statistical verdict is only advice."""
    first_look_seconds: float = FIRST_LOOK_SECONDS
    """Audio after warm-up at which the process's metrics are first judged."""
    horizon_seconds: float | None = None
    """The most audio of a replicate, from its start; None where that is open. A LEAK of the
    process's metrics before then excludes caches that fill as slowly as that."""
    cycle_seconds: float | None = None
    """Longest legitimate cycle where the audio does not repeat; None for 60 s."""
    final: bool = False
    """Whether no more audio will come: everything there is is judged."""

    @property
    def period_seconds(self) -> float:
        """Audio a period."""
        return self.chunk_seconds * self.chunks_per_period


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The verdict on a cell so far."""

    outcome: Outcome
    decided: bool
    """Whether more audio cannot change the outcome: every gated metric is flat, or one leaks."""
    metrics: tuple[MetricResult, ...]
    """Culprits first, the deepest path before those that hold it."""
    reason: str
    """One sentence with the number behind the outcome."""
    exposure: Exposure
    """Chunks, segments and streams an audio-hour, after warm-up."""
    audio_wanted_seconds: float | None = None
    """Audio a replicate, from its start, at which something may next be decided."""


def assess(traces: Sequence[Trace], *, plan: AssessPlan) -> Assessment:
    """Judge one cell from the traces of its replicates, whole or still growing.

    Asking often costs little and spends no error: the statistical tier answers from the last
    look that was due (:mod:`leakbench.verdict.looks`), and the exact tier does not err by
    chance.

    Raises
    ------
    UsageError
        When a trace holds a value that is not finite.
    """
    tables = [ObjectTable.of(trace) for trace in traces]
    exposure = _measure_exposure(tables, traces, plan)
    paths = tuple(dict.fromkeys(path for table in tables for path in table.paths))
    budgets = Budgets(plan.rules, paths, exposure, plan.defaults)
    found = [
        *_judge_objects(tables, paths, budgets, exposure, plan),
        *_judge_process(traces, budgets, plan),
    ]
    results = order_culprits([result for result, _ in found])
    gated = [result for result in results if result.gated]
    outcome: Outcome = "undecided"
    if any(result.verdict == "leak" for result in gated):
        outcome = "leak"
    elif gated and all(result.verdict == "flat" for result in gated):
        outcome = "flat"
    wanted = [judged.audio_wanted_seconds for result, judged in found if result.gated]
    later = [seconds for seconds in wanted if seconds is not None]
    decided = outcome != "undecided"
    return Assessment(
        outcome=outcome,
        decided=decided,
        metrics=tuple(results),
        reason=_explain(outcome, gated),
        exposure=exposure,
        audio_wanted_seconds=(None if decided or not later else plan.warmup_seconds + min(later)),
    )


def _judge_objects(
    tables: Sequence[ObjectTable],
    paths: Sequence[str],
    budgets: Budgets,
    exposure: Exposure,
    plan: AssessPlan,
) -> list[_Found]:
    phase = plan.phase if plan.periodic else None
    matched = [table.since(plan.warmup_seconds, phase=phase) for table in tables]
    quiet_periods = _quiet_periods(exposure, plan)
    found = []
    for path in paths:
        named = any(matches(pattern, path) for pattern in plan.named)
        for metric in metric_names("objects"):
            columns = [table.column(path, metric) for table in matched]
            if not named and not any(column.values.any() for column in columns):
                continue
            allowance = budgets.of(path, metric)
            judged = [
                _judge_object(column, metric, allowance, quiet_periods, plan) for column in columns
            ]
            replicate = min(range(len(judged)), key=lambda index: _SEVERITY[judged[index].verdict])
            worst = judged[replicate]
            if worst.verdict is Verdict.LEAK and worst.rate is not None:
                whole = tables[replicate].column(path, metric)
                worst = _attribute(worst, worst.rate, whole, exposure, plan)
            # The number of objects in all has no owner to fix it; its bytes are judged.
            gated = not allowance.exempt and not (path == TOTAL_PATH and metric == "elements")
            values = columns[replicate].values
            found.append((_result(path, metric, worst, values, allowance, gated), worst))
    return found


def _judge_object(
    column: Column,
    metric: str,
    allowance: Allowance,
    quiet_periods: int,
    plan: AssessPlan,
) -> Judgement:
    slack = SMALL_OBJECT_BYTES if metric == "python_bytes" else 0.0
    if plan.periodic:
        return judge_exact(
            column.values,
            period_seconds=plan.period_seconds,
            budget_per_hour=allowance.per_hour,
            quiet_periods=quiet_periods,
            slack=slack,
            quantity=metric_of(metric).quantity,
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
        quantity=metric_of(metric).quantity,
    )


def _attribute(
    judged: Judgement, growth: float, column: Column, exposure: Exposure, plan: AssessPlan
) -> Judgement:
    hours = plan.period_seconds / SECONDS_PER_HOUR
    rate, per = attribute(
        select_dense(column, chunk_seconds=plan.chunk_seconds),
        growth,
        chunks_per_period=plan.chunks_per_period,
        segments_per_period=exposure.segments_per_hour * hours,
        streams_per_period=exposure.streams_per_hour * hours,
    )
    return dataclasses.replace(judged, rate=rate, rate_per=per)


def _judge_process(traces: Sequence[Trace], budgets: Budgets, plan: AssessPlan) -> list[_Found]:
    found = []
    # A machine without a probe, or a run that traces allocations only, cannot be asked for it.
    looked = [sample.process for trace in traces for sample in trace.samples if sample.process]
    absent = {
        metric for metric in plan.gated_process if looked and not any(metric in p for p in looked)
    }
    gated_metrics = [
        metric
        for metric in plan.gated_process
        if len(traces) >= plan.min_replicates and metric not in absent
    ]
    for metric in metric_names("process"):
        columns = [trace.column(PROCESS_PATH, metric) for trace in traces]
        if plan.periodic:
            columns = [column.at_phase(plan.phase) for column in columns]
        columns = [column.since(plan.warmup_seconds) for column in columns]
        if not any(len(column) for column in columns) and metric not in gated_metrics:
            continue
        allowance = budgets.of(PROCESS_PATH, metric)
        gated = metric in gated_metrics
        judged = _judge_at_look(columns, metric, allowance, max(len(gated_metrics), 1), plan)
        if not _has_budget(PROCESS_PATH, allowance):
            judged = dataclasses.replace(
                judged, verdict=Verdict.UNDECIDED, reason="shown only: no budget is set"
            )
        values = columns[0].values
        found.append((_result(PROCESS_PATH, metric, judged, values, allowance, gated), judged))
    return found


def _judge_at_look(
    columns: Sequence[Column],
    metric: str,
    allowance: Allowance,
    gated_metrics: int,
    plan: AssessPlan,
) -> Judgement:
    reached = min(
        (float(c.audio_seconds[-1]) - plan.warmup_seconds if len(c) else 0.0) for c in columns
    )
    horizon = plan.horizon_seconds and max(plan.horizon_seconds - plan.warmup_seconds, 0.0)
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
            metrics=gated_metrics,
            quantity=metric_of(metric).quantity,
        )
        # A leak that was proved stays proved; what was flat may have begun to leak since.
        proved = judged if judged.verdict is Verdict.LEAK else proved
        if look.ends_run and judged.verdict.decided:
            break
    judged = proved or judged
    wanted = None if judged.verdict.decided else due
    return dataclasses.replace(judged, audio_wanted_seconds=wanted)


_SEVERITY: Final = {
    Verdict.LEAK: 0,
    Verdict.SATURATING: 1,
    Verdict.UNDECIDED: 2,
    Verdict.FLAT: 3,
}


def _result(
    path: str,
    metric: str,
    judged: Judgement,
    values: FloatArray,
    allowance: Allowance,
    gated: bool,
) -> MetricResult:
    budgeted = _has_budget(path, allowance)
    return MetricResult(
        path=path,
        metric=metric,
        verdict=judged.verdict.outcome,
        slope_per_audio_hour=judged.slope_per_hour,
        low=judged.low,
        high=judged.high,
        budget_per_audio_hour=allowance.per_hour if budgeted and not allowance.exempt else None,
        budget=allowance.text if budgeted else "",
        gated=gated,
        tier=judged.tier,
        reason=judged.reason,
        saturating=judged.verdict is Verdict.SATURATING,
        rate=judged.rate,
        rate_per=judged.rate_per,
        first=float(values[0]) if len(values) else None,
        last=float(values[-1]) if len(values) else None,
        allowed=allowance.why,
    )


def _has_budget(path: str, allowance: Allowance) -> bool:
    """Whether growth has a limit at all: objects may not grow unless they are allowed to."""
    return path != PROCESS_PATH or allowance.text != "0"


def _explain(outcome: Outcome, gated: Sequence[MetricResult]) -> str:
    if not gated:
        return "nothing was measured that the verdict could rest on"
    if outcome == "flat":
        noisy = [result for result in gated if result.path == PROCESS_PATH]
        objects = len(gated) - len(noisy)
        parts = [f"{objects} object metrics within budget"] if objects else []
        parts += [f"{result.metric}: {result.reason}" for result in noisy]
        return "; ".join(parts)
    wanted = "leak" if outcome == "leak" else "undecided"
    first = next(result for result in gated if result.verdict == wanted)
    return f"{first.path} {first.metric}: {first.reason}"


def _measure_exposure(
    tables: Sequence[ObjectTable], traces: Sequence[Trace], plan: AssessPlan
) -> Exposure:
    """Count segments and streams over whole periods after warm-up, in all replicates."""
    hours = segments = streams = 0.0
    for trace in traces:
        seen = [
            sample
            for sample in trace.samples
            if sample.audio_seconds >= plan.warmup_seconds - 1e-9
            and (not plan.periodic or sample.phase == plan.phase)
        ]
        if len(seen) > 1:
            hours += (seen[-1].audio_seconds - seen[0].audio_seconds) / SECONDS_PER_HOUR
            segments += seen[-1].segments - seen[0].segments
            streams += seen[-1].streams - seen[0].streams
    return Exposure(
        chunks_per_hour=SECONDS_PER_HOUR / plan.chunk_seconds,
        segments_per_hour=segments / hours if hours else 0.0,
        streams_per_hour=streams / hours if hours else 0.0,
    )


def _quiet_periods(exposure: Exposure, plan: AssessPlan) -> int:
    """Return the periods that FLAT must have seen, so that rare events are among them."""
    needed = MIN_PERIODS
    for events_per_hour in (exposure.segments_per_hour, exposure.streams_per_hour):
        if events_per_hour > 0:
            hours = RAREST_EVENT / events_per_hour
            needed = max(needed, math.ceil(hours * SECONDS_PER_HOUR / plan.period_seconds - 1e-9))
    return needed
