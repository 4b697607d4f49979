"""Which of many growing paths to name first, as one leak shows in every path that holds it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from leakbench.result import MetricResult
from leakbench.trace import PROCESS_PATH
from leakbench.verdict.budgets import is_below, quantity_of

EXPLAINED: Final = 0.95
"""Part of a path's growth that leaks below it must account for; the rest is over-allocation."""


def order_culprits(results: Sequence[MetricResult]) -> list[MetricResult]:
    """Put what leaks first, the deepest path before those that hold it.

    A path whose growth is all in leaks below it gets `explained_by`, and comes after them.
    """
    leaks = [result for result in results if result.verdict == "leak"]
    marked = []
    for result in results:
        inner = [
            leak
            for leak in leaks
            if leak.metric == result.metric and is_below(leak.path, result.path)
        ]
        if result in leaks and inner:
            # Only the topmost of what is below: deeper ones are counted in them.
            topmost = [a for a in inner if not any(is_below(a.path, b.path) for b in inner)]
            below = sum(leak.slope_per_audio_hour or 0.0 for leak in topmost)
            if below >= EXPLAINED * (result.slope_per_audio_hour or 0.0):
                names = ", ".join(leak.path for leak in topmost[:3])
                result = dataclasses.replace(
                    result, explained_by=names, reason=f"all of it in {names}; {result.reason}"
                )
        marked.append(result)

    def rank(result: MetricResult) -> tuple[object, ...]:
        leaks = result.verdict == "leak"
        growth = (
            (result.slope_per_audio_hour or 0.0) if quantity_of(result.metric) == "bytes" else 0
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
            if result.path == path and quantity_of(result.metric) == "bytes"
        ),
        default=0.0,
    )
