"""Which of many growing paths to name first, as one leak shows in every path that holds it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.record.result import MetricResult
from leakbench.verdict.budgets import is_below

EXPLAINED: Final = 0.95
"""Part of a path's growth that leaks below it must account for; the rest is over-allocation."""

NAMED_AT_MOST: Final = 3
"""Paths named as the place of another's growth."""


def order_culprits(results: Sequence[MetricResult]) -> list[MetricResult]:
    """Put what leaks first, the deepest path before those that hold it.

    A path whose growth is all in leaks below it gets `explained_by`, and comes after them.
    """
    explained: dict[tuple[str, str], MetricResult] = {}
    leaks = [result for result in results if result.verdict == "leak"]
    # Elements are a container's own; only bytes include what is below.
    sized = [leak for leak in leaks if metric_of(leak.metric).quantity == "bytes"]
    for leak in sorted(sized, key=lambda leak: len(leak.path), reverse=True):
        inner = [a for a in sized if a.metric == leak.metric and is_below(a.path, leak.path)]
        # Deeper ones are counted in the topmost of them, but it is they that are named.
        topmost = [a for a in inner if not any(is_below(a.path, b.path) for b in inner)]
        below = sum(a.slope_per_audio_hour or 0.0 for a in topmost)
        if inner and below >= EXPLAINED * (leak.slope_per_audio_hour or 0.0):
            deepest = [a.path for a in inner if (a.path, a.metric) not in explained]
            names = ", ".join(deepest[:NAMED_AT_MOST])
            explained[leak.path, leak.metric] = dataclasses.replace(
                leak, explained_by=names, reason=f"all of it in {names}; {leak.reason}"
            )
    marked = [explained.get((result.path, result.metric), result) for result in results]

    def rank(result: MetricResult) -> tuple[object, ...]:
        leaks = result.verdict == "leak"
        growth = (
            (result.slope_per_audio_hour or 0.0)
            if metric_of(result.metric).quantity == "bytes"
            else 0
        )
        return (
            not (leaks and result.gated),
            result.path == PROCESS_PATH,
            bool(result.explained_by),
            not leaks,
            not result.saturating,
            result.verdict == "flat",
            -_growth_of(result.path, marked) if leaks else 0.0,
            -growth if leaks else 0.0,
        )

    return sorted(marked, key=rank)


def _growth_of(path: str, results: Sequence[MetricResult]) -> float:
    return max(
        (
            result.slope_per_audio_hour or 0.0
            for result in results
            if result.path == path and metric_of(result.metric).quantity == "bytes"
        ),
        default=0.0,
    )
