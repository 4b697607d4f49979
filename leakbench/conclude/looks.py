"""A look at a cell while it runs: is it decided, and what would it be if it ended now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leakbench.conclude.assessment import assess_plan
from leakbench.plan import Cell, Plan
from leakbench.record.result import MetricResult, Outcome, leaking_paths
from leakbench.record.trace import Begin, Trace
from leakbench.verdict.assess import assess


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a cell's figures say while it runs."""

    decided: bool
    """Whether more audio would change nothing."""
    outcome: Outcome
    """The verdict if the run ended now."""
    metrics: tuple[MetricResult, ...] = ()
    """What is judged, as of now."""

    @property
    def leaking(self) -> tuple[str, ...]:
        """Object paths that leak by now."""
        return leaking_paths(self.metrics)


def look_at_cell(
    plan: Plan, cell: Cell, begin: Begin, traces: Sequence[Trace], *, replicates: int
) -> Look:
    """Judge what `traces`, one for each of `replicates` begun so far, hold by now."""
    sampled = [trace for trace in traces if trace.samples]
    if not sampled:
        return Look(decided=False, outcome="undecided")
    assessment = assess(sampled, plan=assess_plan(plan, cell, begin, final=False))
    # A leak in one process is a leak; flat must be all of them.
    complete = assessment.outcome == "leak" or len(sampled) == replicates
    driven = min(trace.samples[-1].audio_seconds for trace in sampled)
    return Look(
        decided=assessment.decided and complete and driven >= cell.at_least_seconds,
        outcome=assessment.outcome,
        metrics=assessment.metrics,
    )
