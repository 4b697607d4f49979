"""Judgement: series in, verdict out; no I/O, no clock, usable on anyone's series."""

from leakbench.verdict.assess import Assessment, AssessPlan, assess
from leakbench.verdict.budgets import BudgetRule
from leakbench.verdict.exact import judge_exact
from leakbench.verdict.judge import judge, judgement_as_json
from leakbench.verdict.judgement import Judgement, Verdict
from leakbench.verdict.projection import Projection, TimeToLimit, project, time_to_limit
from leakbench.verdict.statistical import judge_statistical
from leakbench.verdict.table import Series, parse_table

__all__ = [
    "AssessPlan",
    "Assessment",
    "BudgetRule",
    "Judgement",
    "Projection",
    "Series",
    "TimeToLimit",
    "Verdict",
    "assess",
    "judge",
    "judge_exact",
    "judge_statistical",
    "judgement_as_json",
    "parse_table",
    "project",
    "time_to_limit",
]
