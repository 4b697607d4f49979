"""Patterns of paths that fit none, and the paths that may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from leakbench.conclude.replicates import Replicate
from leakbench.metrics import PROCESS_PATH, TOTAL_PATH
from leakbench.plan import Plan
from leakbench.verdict.budgets import BudgetRule, matches

_SHOWN: Final = 3
"""Paths to name: more would hide the one that was meant."""


def warn_of_budgets(plan: Plan, replicates: Mapping[str, Sequence[Replicate]]) -> tuple[str, ...]:
    """Return a sentence for each budget whose path fits none in all the cells it is for.

    Of cells that measured nothing no path is known; a budget that is for such cells only is left
    out.
    """
    seen: dict[BudgetRule, dict[str, None]] = {}
    for cell in plan.cells:
        traces = [each.trace for each in replicates[cell.id]]
        paths = dict.fromkeys(path for trace in traces for path in trace.paths())
        if paths:
            for rule in cell.rules:
                seen.setdefault(rule, {}).update(paths)
    return tuple(
        f"budget {rule.path}={rule.budget}: {hint}"
        for rule, paths in seen.items()
        if (hint := describe_unmatched(rule.path, (*paths, PROCESS_PATH)))
    )


def describe_unmatched(pattern: str, paths: Iterable[str]) -> str:
    """Return that `pattern` fits none of `paths`, with those it is nearest to; empty if it does."""
    paths = sorted(paths)
    if any(matches(pattern, path) for path in paths):
        return ""
    near = _nearest(pattern, paths)
    if near:
        return f"no path is called {pattern}; did you mean {' or '.join(near)}?"
    known = [path for path in paths if path not in (PROCESS_PATH, TOTAL_PATH)]
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"no path is called {pattern}; there are {', '.join(known[:_SHOWN]) or 'none'}{more}"


def _nearest(pattern: str, paths: Sequence[str]) -> list[str]:
    """Return the paths that hold what `pattern` says, or else those that are spelt most like it."""
    said = pattern.translate({ord("*"): None, ord("?"): None}).strip(".")
    holding = [path for path in paths if said and said in path]
    return holding[:_SHOWN] or difflib.get_close_matches(said, paths, n=_SHOWN)
