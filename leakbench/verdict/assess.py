"""The verdict on a cell: every metric of every replicate, judged against its budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leakbench.metrics import PROCESS_PATH
from leakbench.record.result import MetricResult, Outcome
from leakbench.record.trace import Trace
from leakbench.units import SECONDS_PER_HOUR, Exposure, format_duration
from leakbench.verdict.budgets import BudgetRule, Budgets
from leakbench.verdict.coverage import describe_flat, describe_missing
from leakbench.verdict.culprits import order_culprits
from leakbench.verdict.found import Found
from leakbench.verdict.growth import MIN_PERIODS
from leakbench.verdict.objects import judge_objects
from leakbench.verdict.objecttable import ObjectTable
from leakbench.verdict.process import judge_process, missing_metrics
from leakbench.verdict.terms import AssessPlan

__all__ = ["AssessPlan", "Assessment", "BudgetRule", "assess"]

TELLING_PERIODS: Final = 20
"""Periods that a leak is driven at least where no object shows it, so that each metric of a process
can tell: descriptors tell of a child process that is kept sooner than the count of processes."""
RAREST_EVENT: Final = 12
"""Segments, and streams, that FLAT must have seen where there are any: a leak in every tenth
of them has then come at least once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The verdict on a cell so far."""

    outcome: Outcome
    decided: bool
    """Whether more audio cannot change the outcome: every gated metric is flat, or one leaks and
    its rate is known."""
    metrics: tuple[MetricResult, ...]
    """Culprits first, the deepest path before those that hold it."""
    reason: str
    """One sentence with the number behind the outcome."""
    exposure: Exposure
    """Chunks, segments and streams an audio-hour, after warm-up."""
    audio_wanted_seconds: float | None = None
    """Audio a replicate, from its start, at which something may next be decided."""
    missing: tuple[str, ...] = ()
    """Gated metrics of the process that could not be measured where it was driven."""


def assess(traces: Sequence[Trace], *, plan: AssessPlan) -> Assessment:
    """Judge one cell from the traces of its replicates, whole or still growing.

    Raises
    ------
    UsageError
        When a trace holds a value that is not finite.
    """
    tables = [ObjectTable.of(trace) for trace in traces]
    exposure = _measure_exposure(tables, traces, plan)
    paths = tuple(dict.fromkeys(path for table in tables for path in table.paths))
    budgets = Budgets(plan.rules, paths, exposure, plan.defaults)
    quiet = _quiet_periods(exposure, plan)
    found = [
        *judge_objects(tables, paths, budgets, exposure, plan, quiet_periods=quiet),
        *judge_process(traces, budgets, exposure, plan, quiet_periods=quiet),
    ]
    results = order_culprits([result for result, _ in found])
    gated = [result for result in results if result.gated]
    outcome: Outcome = "undecided"
    if any(result.verdict == "leak" for result in gated):
        outcome = "leak"
    elif gated and all(result.verdict == "flat" for result in gated):
        outcome = "flat"
    missing = missing_metrics(traces, plan)
    reached = min((t.samples[-1].audio_seconds for t in traces if t.samples), default=0.0)
    later = _audio_wanted(outcome, found, reached - plan.warmup_seconds, plan)
    return Assessment(
        outcome=outcome,
        decided=outcome != "undecided" and later is None,
        metrics=tuple(results),
        reason=_explain(outcome, gated, missing, tables, plan),
        exposure=exposure,
        audio_wanted_seconds=None if later is None else plan.warmup_seconds + later,
        missing=missing,
    )


def _audio_wanted(
    outcome: Outcome, found: Sequence[Found], reached: float, plan: AssessPlan
) -> float | None:
    """Return the audio after warm-up at which more may be known, None where all is."""
    gated = [(result, judged) for result, judged in found if result.gated]
    if outcome == "leak":
        # One leak whose rate is known is enough; the others are told as they are.
        gated = [(result, judged) for result, judged in gated if result.verdict == "leak"]
        if any(judged.audio_wanted_seconds is None for _, judged in gated):
            telling = TELLING_PERIODS * plan.period_seconds
            is_told = reached >= telling or any(r.path != PROCESS_PATH for r, _ in gated)
            return None if is_told else telling
    wanted = [judged.audio_wanted_seconds for _, judged in gated]
    later = [seconds for seconds in wanted if seconds is not None]
    return min(later) if later and outcome != "flat" else None


def _explain(
    outcome: Outcome,
    gated: Sequence[MetricResult],
    missing: Sequence[str],
    tables: Sequence[ObjectTable],
    plan: AssessPlan,
) -> str:
    ends = [float(t.rows.audio_seconds[-1]) for t in tables if len(t.rows.audio_seconds)]
    if not gated:
        return (
            "nothing was measured that the verdict could rest on: "
            f"{format_duration(max(ends, default=0.0))} of audio were driven, the first "
            f"{format_duration(plan.warmup_seconds)} of which are warm-up"
        )
    if outcome == "flat":
        seconds = min(ends, default=0.0) - plan.warmup_seconds
        return describe_flat(gated, missing, audio_seconds=seconds, replicates=len(tables))
    wanted = "leak" if outcome == "leak" else "undecided"
    first = next(result for result in gated if result.verdict == wanted)
    name = first.metric if first.path == "process" else f"{first.path} {first.metric}"
    return "; ".join(filter(None, (f"{name}: {first.reason}", describe_missing(missing))))


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
