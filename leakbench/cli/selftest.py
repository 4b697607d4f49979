"""``leakbench selftest``: what this machine finds, and the smallest leak it can prove."""

from __future__ import annotations

import datetime
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from leakbench.cli.exit_status import ExitStatus, status_of_cell
from leakbench.cli.options import RATE
from leakbench.cli.progress import watch
from leakbench.cli.terminal import Field, Terminal
from leakbench.conclude import conclude
from leakbench.hosts.selftest import (
    CLEAN_SCENARIO,
    INJECTIONS,
    Finding,
    Resolution,
    clean_cells,
    injected_cell,
    read_finding,
    read_resolution,
)
from leakbench.metrics import metric_of
from leakbench.plan import Plan, write_plan
from leakbench.record.result import CellResult, write_result
from leakbench.runner.schedule import run_plan
from leakbench.scenario import load_scenario
from leakbench.subject.resolution import resolve_subject
from leakbench.units import format_amount, format_bytes, format_duration
from leakbench.verdict.budgets import BudgetRule

CONTROL: Final = "leakbench.controls:EnergyVad"


@click.command("selftest")
@click.option(
    "--subject",
    default=CONTROL,
    show_default=True,
    metavar="SPEC",
    help="What the leaks are hung on; it must be flat by itself.",
)
@click.option("--model", default="embedded", show_default=True, help="As for run.")
@click.option(
    "--leak",
    "leaks",
    multiple=True,
    type=click.Choice([injection.leak for injection in INJECTIONS]),
    help="Inject this one only. Repeatable.",
)
@click.option(
    "--budget",
    "budgets",
    type=RATE,
    multiple=True,
    metavar="[PATH:METRIC=]LIMIT",
    help="Growth that the subject is known for, as for run. Repeatable.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="cores",
    help="Workers at the same time.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the synthetic audio.")
@click.option("--output", type=click.Path(path_type=Path), help="Folder to keep the run in.")
def command(
    subject: str,
    model: str,
    leaks: tuple[str, ...],
    budgets: tuple[BudgetRule, ...],
    jobs: int,
    seed: int,
    output: Path | None,
) -> None:
    """Check that leakbench works here: a clean subject is flat, injected leaks are found.

    Says what this machine can resolve: how much the heap of a clean process varies, and the
    smallest leak that ten minutes of audio would prove. Takes about a minute.
    """
    scenario = load_scenario(CLEAN_SCENARIO)
    resolved = resolve_subject(
        subject, model=model, chunk_ms=scenario.chunk_ms, generate=scenario.generate
    )
    injections = [i for i in INJECTIONS if not leaks or i.leak in leaks]
    clean = clean_cells(resolved, rules=budgets, seed=seed, model=model)
    plan = Plan(
        cells=(
            *clean,
            *(
                injected_cell(resolved, injection, rules=budgets, seed=seed, model=model)
                for injection in injections
            ),
        ),
        jobs=jobs,
        command=("leakbench", *sys.argv[1:]),
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    console = Terminal()
    with tempfile.TemporaryDirectory(prefix="leakbench-selftest-") as scratch:
        folder = output or Path(scratch)
        write_plan(folder, plan)
        with watch(console) as observer:
            run_plan(plan, folder, observer)
        result = conclude(folder)
        write_result(folder, result)
        of_objects, of_heap, *injected = result.cells
        resolution = read_resolution(folder, clean[1], of_heap)
    findings = [
        read_finding(injection, cell, of_heap)
        for injection, cell in zip(injections, injected, strict=True)
    ]
    console.table(
        ("injected", "shows in", "verdict", "injected", "found", "error", ""),
        _rows((of_objects, of_heap), findings),
    )
    for line in _sentences((of_objects, of_heap), findings, resolution):
        console.say(line)
    raise click.exceptions.Exit(_status((of_objects, of_heap), findings))


_COLOURS: Final = {True: "green", False: "red"}


def _rows(clean: Sequence[CellResult], findings: list[Finding]) -> Iterator[tuple[Field, ...]]:
    for cell in clean:
        passed = _mark(cell.verdict == "flat")
        yield (f"nothing ({cell.scenario})", "", cell.verdict, "", "", "", passed)
    for finding in findings:
        injection = finding.injection
        quantity = metric_of(injection.metric).quantity
        found, error = finding.found_per_hour, finding.rate_error
        yield (
            injection.leak,
            injection.metric,
            finding.cell.verdict,
            f"{format_amount(finding.expected_per_hour, quantity)}/h",
            "" if found is None else f"{format_amount(found, quantity)}/h",
            "" if error is None else f"{error:+.1%}",
            _mark(finding.passed),
        )


def _mark(passed: bool) -> Text:
    return Text("ok" if passed else "FAILED", _COLOURS[passed])


def _sentences(
    clean: Sequence[CellResult], findings: list[Finding], resolution: Resolution | None
) -> list[str]:
    lines = [
        f"clean {cell.subject}: {cell.error or cell.reason}"
        for cell in clean
        if cell.verdict != "flat"
    ]
    for finding in findings:
        if not finding.passed:
            also = f"; leaks elsewhere: {', '.join(finding.elsewhere)}" if finding.elsewhere else ""
            lines.append(
                f"{finding.injection.leak}: {finding.cell.error or finding.cell.reason}{also}"
            )
    lines.append("objects: one element an audio-hour is a leak; what they hold is counted exactly")
    if resolution is None:
        lines.append("heap: cannot be measured on this platform; native leaks stay unseen")
    else:
        lines.append(
            f"heap: varies by {format_bytes(resolution.spread_bytes)} within a clean process; "
            f"{format_duration(resolution.audio_seconds)} of audio in one process prove a leak of "
            f"{format_bytes(resolution.provable_leak)}/h, and growth below a budget of "
            f"{format_bytes(resolution.provable_budget)}/h"
        )
    return lines


def _status(clean: Sequence[CellResult], findings: list[Finding]) -> ExitStatus:
    statuses = {status_of_cell(cell) for cell in (*clean, *(found.cell for found in findings))}
    for status in (ExitStatus.USAGE, ExitStatus.FAILED):
        if status in statuses:
            return status
    if any(cell.verdict == "leak" for cell in clean) or not all(f.passed for f in findings):
        return ExitStatus.UNEXPECTED
    if any(cell.verdict == "undecided" for cell in clean):
        return ExitStatus.UNDECIDED
    return ExitStatus.AS_EXPECTED
