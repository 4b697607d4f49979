"""``leakbench.toml``: the matrix a gate runs, what each cell must show, and its budgets."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from leakbench.errors import ConfigError
from leakbench.metrics import metric_names
from leakbench.plan.variables import parse_variable
from leakbench.table import Table, read_table
from leakbench.units import parse_budget, parse_duration
from leakbench.verdict.budgets import BudgetRule, check_rule, matches

CONFIG_FILE: Final = "leakbench.toml"

Expectation: TypeAlias = Literal["flat", "leak"]
_EXPECTATIONS: Final[tuple[Expectation, ...]] = ("flat", "leak")
_PARITIES: Final[tuple[Literal["report", "require"], ...]] = ("report", "require")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellConfig:
    """Cells of the matrix that must show the same thing."""

    subjects: tuple[str, ...]
    scenarios: tuple[str, ...]
    chunk_ms: tuple[int, ...] = ()
    """Chunk lengths; empty for each scenario's own."""
    model: str = "embedded"
    recordings: Path | None = None
    """Audio of a recorded scenario."""
    expect: Expectation = "flat"
    leaks_in: tuple[str, ...] = ()
    """Path patterns that must all leak, where a leak is expected."""
    audio_seconds: float | None = None
    """Audio at most for each replicate; None for each scenario's own."""
    at_least_seconds: float = 0.0
    replicates: int = 1
    parity: Literal["report", "require"] = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredBudget:
    """A budget, and whose it is."""

    rule: BudgetRule
    subjects: tuple[str, ...] = ()
    """Patterns of subject specs it is granted to; empty for all."""

    def is_for(self, subject: str) -> bool:
        """Whether the budget is granted to `subject`."""
        return not self.subjects or any(matches(pattern, subject) for pattern in self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A gate, as configured."""

    cells: tuple[CellConfig, ...] = ()
    budgets: tuple[ConfiguredBudget, ...] = ()
    jobs: int | None = None
    """Workers at the same time; None for as many as there are cores."""
    seed: int = 0
    output: Path | None = None
    """Folder for the run; None for one named after the time."""
    variables: tuple[str, ...] = ()
    """Environment variables for workers, see :mod:`leakbench.plan.variables`."""


def load_config(path: Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        When it is missing, is not TOML, or a key is unknown or holds what it may not; the
        message names the file and the key.
    """
    table = read_table(path, shown=str(path), error=ConfigError)
    gate = table.table("gate")
    cells = tuple(_cell(cell) for cell in table.tables("cell"))
    subjects = tuple(dict.fromkeys(subject for cell in cells for subject in cell.subjects))
    config = Config(
        cells=cells,
        budgets=tuple(_budget(budget, subjects) for budget in table.tables("budget")),
        jobs=next(iter(gate.wholes("jobs")), None),
        seed=gate.whole("seed", 0),
        output=gate.parsed("output", Path, None),
        variables=_variables(table.table("env")),
    )
    gate.refuse_others()
    table.refuse_others()
    return config


def _variables(table: Table) -> tuple[str, ...]:
    found = []
    for name, value in table.values.items():
        # `true` hands on what the caller has; the value of a secret stays out of the file.
        given = name if value is True else f"{name}={table.text(name, '')}"
        try:
            found.append(parse_variable(given))
        except ConfigError as error:
            raise table.refuse(name, str(error)) from error
    return tuple(found)


def _cell(table: Table) -> CellConfig:
    cell = CellConfig(
        subjects=table.texts("subject"),
        scenarios=table.texts("scenario"),
        chunk_ms=table.wholes("chunk_ms"),
        model=table.text("model", "embedded"),
        recordings=table.parsed("recordings", Path, None),
        expect=table.choice("expect", _EXPECTATIONS),
        leaks_in=table.texts("leaks_in"),
        audio_seconds=table.parsed("audio", parse_duration, None),
        at_least_seconds=table.parsed("at_least", parse_duration, 0.0),
        replicates=next(iter(table.wholes("replicates")), 1),
        parity=table.choice("parity", _PARITIES),
    )
    table.refuse_others()
    for key, names in (("subject", cell.subjects), ("scenario", cell.scenarios)):
        if not names:
            raise table.refuse(key, "is missing; name at least one")
    if "" in cell.leaks_in:
        raise table.refuse("leaks_in", "must be patterns of paths, got an empty one")
    if cell.leaks_in and cell.expect == "flat":
        raise table.refuse("leaks_in", 'says where a leak is expected; set expect = "leak"')
    return cell


def _budget(table: Table, subjects: Sequence[str]) -> ConfiguredBudget:
    """Read a budget that is granted to one or more of `subjects`."""
    budget = table.parsed("limit", parse_budget, None)
    if budget is None:
        raise table.refuse("limit", "is missing; allow a growth such as 64 KiB/h")
    configured = ConfiguredBudget(
        rule=BudgetRule(
            path=table.text("path", "*"),
            metric=table.choice("metric", ("", *metric_names())) or None,
            budget=budget,
            reason=table.text("reason", ""),
            link=table.text("link", ""),
        ),
        subjects=table.texts("subject"),
    )
    table.refuse_others()
    try:
        check_rule(configured.rule)
    except ConfigError as error:
        raise table.refuse("limit", str(error)) from error
    for pattern in configured.subjects if subjects else ():
        if not any(matches(pattern, subject) for subject in subjects):
            near = difflib.get_close_matches(pattern, subjects, n=1) or subjects[:3]
            raise table.refuse(
                "subject", f"no [[cell]] has a subject {pattern!r}; there is {', '.join(near)}"
            )
    return configured
