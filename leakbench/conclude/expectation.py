"""Whether a cell shows what it was said to show."""

from __future__ import annotations

from collections.abc import Iterable

from leakbench.conclude.patterns import describe_unmatched
from leakbench.plan import Cell
from leakbench.record.result import MetricResult, Outcome, Parity
from leakbench.verdict.assess import Assessment
from leakbench.verdict.budgets import matches


def compare_with_expectation(
    cell: Cell, outcome: Outcome, assessment: Assessment | None, parity: Parity | None
) -> tuple[bool, str]:
    """Return whether the cell shows what it must, and what is missing where it does not."""
    if cell.parity_required and outcome != "error" and parity is not None and not parity.identical:
        difference = parity.first_difference or {}
        return False, (
            f"segments differ from {parity.reference}'s from chunk {difference.get('chunk')} on: "
            f"expected {difference.get('expected')}, got {difference.get('got')}"
        )
    if cell.expect != "leak":
        return outcome == "flat", ""
    if assessment is None:
        return False, "a leak was expected and not found"
    missing = [pattern for pattern in cell.leaks_in if not _leaks_at(assessment.metrics, pattern)]
    paths = {m.path for m in assessment.metrics}
    hints = "; ".join(filter(None, (describe_unmatched(pattern, paths) for pattern in missing)))
    said = ""
    if outcome != "leak":
        said = "a leak was expected and not found"
    elif missing:
        said = f"expected a leak in {', '.join(missing)}, found none there"
    return not said, "; ".join(filter(None, (said, hints)))


def _leaks_at(metrics: Iterable[MetricResult], pattern: str) -> bool:
    return any(m.verdict == "leak" and matches(pattern, m.path) for m in metrics)
