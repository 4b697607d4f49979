"""Memory-leak regression harness for streaming speech models.

As a library::

    from leakbench import run

    result = run("my_vad:MyVad", "silence", audio="10m")
    assert result.verdict == "flat", result.reason

Everything below is loaded when it is first used: ``import leakbench`` imports nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from leakbench.errors import LeakbenchError, RunError, UsageError
    from leakbench.hosts.library import run
    from leakbench.plan import Limits
    from leakbench.record.result import CellResult, MetricResult, Result, read_result
    from leakbench.scenario import Part, Reach, Scenario, load_scenario
    from leakbench.subject import Samples, Segments, Subject
    from leakbench.verdict.budgets import BudgetRule
    from leakbench.verdict.judge import judge
    from leakbench.verdict.judgement import Judgement, Verdict
    from leakbench.verdict.table import parse_table

_HOMES: Final = {
    # Drive and judge.
    "run": "leakbench.hosts.library",
    "Limits": "leakbench.plan",
    "BudgetRule": "leakbench.verdict.budgets",
    # What is driven, and through what.
    "Subject": "leakbench.subject",
    "Samples": "leakbench.subject",
    "Segments": "leakbench.subject",
    "Scenario": "leakbench.scenario",
    "Part": "leakbench.scenario",
    "Reach": "leakbench.scenario",
    "load_scenario": "leakbench.scenario",
    # What was found.
    "CellResult": "leakbench.record.result",
    "MetricResult": "leakbench.record.result",
    "Result": "leakbench.record.result",
    "read_result": "leakbench.record.result",
    # Anyone's series.
    "judge": "leakbench.verdict.judge",
    "parse_table": "leakbench.verdict.table",
    "Judgement": "leakbench.verdict.judgement",
    "Verdict": "leakbench.verdict.judgement",
    # What goes wrong.
    "LeakbenchError": "leakbench.errors",
    "UsageError": "leakbench.errors",
    "RunError": "leakbench.errors",
}

__all__ = [
    "BudgetRule",
    "CellResult",
    "Judgement",
    "LeakbenchError",
    "Limits",
    "MetricResult",
    "Part",
    "Reach",
    "Result",
    "RunError",
    "Samples",
    "Scenario",
    "Segments",
    "Subject",
    "UsageError",
    "Verdict",
    "judge",
    "load_scenario",
    "parse_table",
    "read_result",
    "run",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
