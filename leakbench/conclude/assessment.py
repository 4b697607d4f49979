"""A cell's traces, put before the judges as its plan says."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from leakbench.conclude.replicates import Replicate
from leakbench.metrics import PROCESS_PATH, process_metrics
from leakbench.plan import Cell, Plan
from leakbench.record.result import MetricResult
from leakbench.record.trace import Begin
from leakbench.verdict.assess import Assessment, AssessPlan, assess
from leakbench.verdict.runaway import find_runaway, merge_runaway


def assess_replicates(plan: Plan, cell: Cell, replicates: Sequence[Replicate]) -> Assessment | None:
    """Judge all that the workers of a cell measured; None where they measured nothing."""
    begun = [r for r in replicates if r.begin is not None and r.judged.samples]
    if not begun or begun[0].begin is None:
        return None
    assessment = assess(
        [r.judged for r in begun], plan=assess_plan(plan, cell, begun[0].begin, final=True)
    )
    if assessment.outcome == "leak":
        return assessment
    for replicate in begun:
        if replicate.end is not None and replicate.end.ending == "memory_limit":
            runaway = find_runaway(replicate.trace, plan.limits.memory_bytes)
            if runaway:
                return _with_runaway(assessment, runaway)
    return assessment


def _with_runaway(assessment: Assessment, runaway: tuple[MetricResult, ...]) -> Assessment:
    first = runaway[0]
    name = first.metric if first.path == PROCESS_PATH else f"{first.path} {first.metric}"
    return dataclasses.replace(
        assessment,
        outcome="leak",
        decided=True,
        metrics=merge_runaway(runaway, assessment.metrics),
        reason=f"{name}: {first.reason}",
    )


def assess_plan(plan: Plan, cell: Cell, begin: Begin, *, final: bool) -> AssessPlan:
    """Return what a cell is judged by.

    Parameters
    ----------
    final
        Whether no more audio will come.
    """
    # What is only shown by default is gated where a budget names it.
    named = {rule.metric for rule in cell.rules if rule.path == PROCESS_PATH}
    gated = tuple(m.name for m in process_metrics() if m.gated or m.name in named)
    return AssessPlan(
        chunk_seconds=begin.chunk_seconds,
        chunks_per_period=begin.chunks_per_period,
        phase=begin.phase,
        warmup_seconds=begin.warmup_seconds,
        rules=cell.rules,
        named=cell.subject.named_paths,
        horizon_seconds=cell.audio_seconds,
        # A traced run measures nothing of the process but what is traced.
        gated_process=() if plan.traced_frames else gated,
        final=final,
    )
