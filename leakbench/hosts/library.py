"""leakbench as a library: one subject through one scenario, in one call."""

from __future__ import annotations

import contextlib
import datetime
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from leakbench.conclude import conclude
from leakbench.errors import ConfigError
from leakbench.plan import Limits, Plan, write_plan
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.result import CellResult, write_result
from leakbench.runner.observer import Observer, SilentObserver
from leakbench.runner.schedule import run_plan
from leakbench.scenario import Scenario
from leakbench.scenario.toml_text import format_scenario
from leakbench.subject.factory import SubjectFactory, locate_factory
from leakbench.units import parse_duration
from leakbench.verdict.budgets import BudgetRule, check_rule, parse_rule

BudgetLike: TypeAlias = str | Mapping[str, str] | Sequence[BudgetRule]
"""``"16 KiB/h"`` for the process's heap, ``{"path pattern": "400 B/segment", ...}``, or rules."""


def run(
    subject: str | SubjectFactory,
    scenario: str | Path | Scenario,
    *,
    audio: str | float | None = None,
    at_least: str | float = 0.0,
    chunk_ms: int | None = None,
    budget: BudgetLike = (),
    replicates: int = 1,
    jobs: int | None = None,
    seed: int = 0,
    expect: Literal["flat", "leak"] | None = None,
    leaks_in: Sequence[str] = (),
    model: str = "embedded",
    recordings: str | Path | None = None,
    limits: Limits | None = None,
    output: str | Path | None = None,
    observer: Observer | None = None,
) -> CellResult:
    """Drive a subject through a scenario in worker processes and judge what it held.

    Parameters
    ----------
    subject
        A spec as on the command line (``fixed``, ``package.module:NAME``), or a class or
        function at the top of a module that makes a :class:`~leakbench.subject.Subject`.
    scenario
        The name of a shipped scenario, a TOML file, or a :class:`~leakbench.scenario.Scenario`.
    audio
        Audio to drive each replicate with, at most: ``"10m"`` or seconds. None for the
        scenario's own. A run ends as soon as it is decided.
    at_least
        Audio to drive in any case.
    chunk_ms
        Length of a chunk; None for the scenario's own.
    budget
        Growth to allow. Text is the budget of the process's heap; a mapping gives budgets by
        ``path`` or ``path:metric``; rules are what a configuration holds. Objects may not grow
        at all where no budget says so.
    replicates
        Processes, each with audio of its own. One is enough, unless the model is so noisy that
        only several can decide.
    jobs
        Processes at the same time; None for as many as there are cores.
    seed
        Of the synthetic audio.
    expect
        What must be shown for ``as_expected``; None for flat.
    leaks_in
        Path patterns that must all leak, where a leak is expected.
    model
        Which model the subject loads, where its family has a choice.
    recordings
        Audio of a recorded scenario: a file or a folder.
    limits
        When a worker is stopped by force.
    output
        Folder for samples and ``result.json``, which ``leakbench report`` draws; None to keep
        nothing.
    observer
        Told what happens meanwhile.

    Returns
    -------
    The verdict with everything it rests on. A leak is a verdict, and so is a subject that
    raised or hung (``error``): neither is an exception. A budget for paths that the subject does
    not have is warned of.

    Raises
    ------
    UsageError
        When an argument cannot be used; the message says which and why.
    ProvisionError
        When the subject's environment cannot be made.
    """
    now = datetime.datetime.now(datetime.UTC)
    rules = budget_rules(budget)
    with contextlib.ExitStack() as scratch:
        request = CellRequest(
            subject=subject if isinstance(subject, str) else locate_factory(subject),
            scenario=_scenario_file(scenario, chunk_ms, scratch),
            chunk_ms=chunk_ms,
            model=model,
            recordings=None if recordings is None else Path(recordings),
            audio_seconds=None if audio is None else _seconds("audio", audio),
            at_least_seconds=_seconds("at_least", at_least) if at_least else 0.0,
            replicates=_checked_replicates(replicates),
            seed=seed,
            expect=expect,
            leaks_in=tuple(leaks_in),
            rules=rules,
        )
        plan = Plan(
            cells=build_cells([request]),
            jobs=jobs or os.cpu_count() or 1,
            limits=limits or Limits(),
            started=now.isoformat(timespec="seconds"),
            command=tuple(sys.orig_argv),
        )
        folder = Path(output) if output else Path(_temporary_folder(scratch))
        return _run_cell(plan, folder, observer or SilentObserver())


def budget_rules(budget: BudgetLike) -> tuple[BudgetRule, ...]:
    """Return the rules that `budget` stands for.

    Raises
    ------
    ConfigError
        When a limit or a metric cannot be read, or there can be nothing that a budget is for.
    """
    if isinstance(budget, str):
        return (parse_rule(budget),)
    if isinstance(budget, Mapping):
        return tuple(parse_rule(f"{target}={limit}") for target, limit in budget.items())
    for rule in budget:
        check_rule(rule)
    return tuple(budget)


def _run_cell(plan: Plan, folder: Path, observer: Observer) -> CellResult:
    write_plan(folder, plan)
    began = time.monotonic()
    run_plan(plan, folder, observer)
    result = conclude(folder, wall_seconds=time.monotonic() - began)
    write_result(folder, result)
    for warning in result.warnings:
        # At the line that called `run`.
        warnings.warn(warning, stacklevel=3)
    return result.cells[0]


def _scenario_file(
    scenario: str | Path | Scenario, chunk_ms: int | None, scratch: contextlib.ExitStack
) -> str:
    if not isinstance(scenario, Scenario):
        return str(scenario)
    # Here, where the message names the scenario and not a file its maker never saw.
    scenario.check_chunk(chunk_ms or scenario.chunk_ms)
    file = Path(_temporary_folder(scratch)) / f"{scenario.name}.toml"
    file.write_text(format_scenario(scenario), encoding="utf-8")
    return str(file)


def _temporary_folder(scratch: contextlib.ExitStack) -> str:
    return scratch.enter_context(tempfile.TemporaryDirectory(prefix="leakbench-"))


def _seconds(name: str, length: str | float) -> float:
    if isinstance(length, str):
        return parse_duration(length)
    if not 0 < length < float("inf"):
        raise ConfigError(f"{name} must be a length such as '10m' or seconds > 0, got {length!r}")
    return float(length)


def _checked_replicates(replicates: int) -> int:
    if replicates < 1:
        raise ConfigError(f"replicates must be >= 1, got {replicates}")
    return replicates
