"""What was found of one path and metric: the result that is told, and the judgement behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final, TypeAlias

from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.record.result import MetricResult
from leakbench.record.trace import Column
from leakbench.units import SECONDS_PER_HOUR, Exposure
from leakbench.verdict.attribution import attribute, select_dense
from leakbench.verdict.budgets import Allowance
from leakbench.verdict.judgement import FloatArray, Judgement, Verdict
from leakbench.verdict.terms import AssessPlan

Found: TypeAlias = tuple[MetricResult, Judgement]

_SEVERITY: Final = {
    Verdict.LEAK: 0,
    Verdict.SATURATING: 1,
    Verdict.UNDECIDED: 2,
    Verdict.FLAT: 3,
}


def worst_of(judged: Sequence[Judgement]) -> int:
    """Return which of the replicates' judgements is the worst: a leak in one is a leak."""
    return min(range(len(judged)), key=lambda index: _SEVERITY[judged[index].verdict])


def has_budget(path: str, metric: str, allowance: Allowance) -> bool:
    """Whether growth has a limit at all: objects may not grow unless they are allowed to."""
    return path != PROCESS_PATH or allowance.text != "0" or metric_of(metric).tier == "slowing"


def make_result(
    path: str,
    metric: str,
    judged: Judgement,
    values: FloatArray,
    allowance: Allowance,
    gated: bool,
) -> MetricResult:
    """Return what is told of a judgement.

    Parameters
    ----------
    values
        After warm-up, of the replicate that was judged, shape (n,).
    """
    budgeted = has_budget(path, metric, allowance)
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


def with_cause(
    judged: Judgement,
    growth_per_period: float,
    column: Column,
    exposure: Exposure,
    plan: AssessPlan,
    *,
    wobble: float = 0.0,
) -> Judgement:
    """Return a leak's judgement with its growth each chunk, segment, stream or period.

    Parameters
    ----------
    column
        All looks of the metric, at every phase: some stretch of them is chunk by chunk.
    wobble
        Moves up to this size are none.
    """
    hours = plan.period_seconds / SECONDS_PER_HOUR
    rate, per = attribute(
        select_dense(column, chunk_seconds=plan.chunk_seconds),
        growth_per_period,
        chunks_per_period=plan.chunks_per_period,
        segments_per_period=exposure.segments_per_hour * hours,
        streams_per_period=exposure.streams_per_hour * hours,
        wobble=wobble,
    )
    return dataclasses.replace(judged, rate=rate, rate_per=per)
