"""Leaks of known size in a fixed FunASR VAD, and clean runs that must raise no alarm.

    python benchmarks/injected.py [--subject fixed] [--clean-runs 40] [--only NAME ...]
                                  [--jobs 2] [--output reports/benchmarks/injected.md]

Each leak is hung on the subject and driven until it is decided: found or not, by which metric,
and how far the rate is from the one injected. Then the clean subject is driven again and again
with other audio each time: none of those may be called a leak.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from leakbench.conclude import conclude
from leakbench.hosts.selftest import (
    CLEAN_SCENARIO,
    INJECTIONS,
    Finding,
    Injection,
    clean_cells,
    injected_cell,
    read_finding,
)
from leakbench.metrics import metric_of
from leakbench.plan import Cell, Plan, write_plan
from leakbench.plan.config import CONFIG_FILE, load_config
from leakbench.record.result import Result
from leakbench.runner.observer import SilentObserver
from leakbench.runner.schedule import run_plan
from leakbench.scenario import load_scenario
from leakbench.subject import ResolvedSubject
from leakbench.subject.resolution import resolve_subject
from leakbench.units import format_amount
from leakbench.verdict.budgets import BudgetRule

CLEAN_SCENARIOS = ("silence", "noise", "alternating", "bursts", "reconnect")
"""What clean runs drive in turn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", default="fixed")
    parser.add_argument("--clean-runs", type=int, default=40)
    parser.add_argument("--clean-audio", type=float, default=120.0, help="seconds a clean run")
    parser.add_argument("--only", nargs="*", default=[i.leak for i in INJECTIONS])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    subject = resolve(arguments.subject)
    began = time.monotonic()
    rules = known_residuals(arguments.subject)
    injections = [injection for injection in INJECTIONS if injection.leak in arguments.only]
    findings = inject_all(subject, injections, rules, arguments.jobs)
    lines = [*describe_findings(findings), ""]
    verdicts = drive_clean(
        subject, rules, arguments.clean_runs, arguments.clean_audio, arguments.jobs
    )
    lines += [
        f"{sum(verdicts.values())} clean runs of {arguments.clean_audio:g} s of audio over "
        f"{', '.join(CLEAN_SCENARIOS)}: "
        + ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        + f"; {verdicts['leak']} false alarms.",
        "",
        f"Subject {arguments.subject}; {time.monotonic() - began:.0f} s with "
        f"{arguments.jobs} workers. Again: `python benchmarks/injected.py "
        f"--subject {arguments.subject} --clean-runs {arguments.clean_runs}`",
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


def resolve(spec: str) -> ResolvedSubject:
    scenario = load_scenario(CLEAN_SCENARIO)
    return resolve_subject(
        spec, model="embedded", chunk_ms=scenario.chunk_ms, generate=scenario.generate
    )


def known_residuals(spec: str) -> tuple[BudgetRule, ...]:
    """Return what the gate's configuration lets the subject grow."""
    config = load_config(Path(__file__).parents[1] / CONFIG_FILE)
    return tuple(budget.rule for budget in config.budgets if budget.is_for(spec))


def inject_all(
    subject: ResolvedSubject,
    injections: Sequence[Injection],
    rules: tuple[BudgetRule, ...],
    jobs: int,
) -> list[Finding]:
    cells = [
        clean_cells(subject, rules=rules)[1],
        *(injected_cell(subject, injection, rules=rules) for injection in injections),
    ]
    clean, *injected = run(cells, jobs).cells
    return [
        read_finding(injection, cell, clean)
        for injection, cell in zip(injections, injected, strict=True)
    ]


def describe_findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield "| injected | rate injected | found by | verdict | rate found | error | audio |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for finding in findings:
        injection, error = finding.injection, finding.rate_error
        quantity = metric_of(injection.metric).quantity
        found = finding.found_per_hour
        yield (
            f"| {injection.leak} | {format_amount(finding.expected_per_hour, quantity)}/h "
            f"| {injection.path} {injection.metric} | {finding.cell.verdict} "
            f"| {'' if found is None else format_amount(found, quantity) + '/h'} "
            f"| {'' if error is None else f'{error:+.1%}'} "
            f"| {finding.cell.audio_seconds:,.0f} s |"
        )
    passed = sum(finding.passed for finding in findings)
    yield ""
    yield f"{passed} of {len(findings)} found by the right metric with the rate within 10 %."
    for finding in findings:
        if not finding.passed:
            elsewhere = ", ".join(finding.elsewhere)
            yield f"- {finding.injection.leak}: {finding.cell.error or finding.cell.reason}" + (
                f" (leaks elsewhere: {elsewhere})" if elsewhere else ""
            )


def drive_clean(
    subject: ResolvedSubject,
    rules: tuple[BudgetRule, ...],
    runs: int,
    audio_seconds: float,
    jobs: int,
) -> Counter[str]:
    """Drive the clean subject `runs` times, each with audio of its own, and count verdicts."""
    verdicts: Counter[str] = Counter()
    for first in range(0, runs, len(CLEAN_SCENARIOS)):
        names = CLEAN_SCENARIOS[: runs - first]
        cells = [clean_run(subject, rules, name, audio_seconds, seed=first) for name in names]
        verdicts.update(cell.verdict for cell in run(cells, jobs).cells)
    return verdicts


def clean_run(
    subject: ResolvedSubject,
    rules: tuple[BudgetRule, ...],
    name: str,
    audio_seconds: float,
    *,
    seed: int,
) -> Cell:
    scenario = load_scenario(name)
    return dataclasses.replace(
        clean_cells(subject, rules=rules, seed=seed)[0],
        scenario=scenario,
        chunk_ms=scenario.chunk_ms,
        audio_seconds=audio_seconds,
        at_least_seconds=audio_seconds,
    )


def run(cells: Sequence[Cell], jobs: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="leakbench-injected-") as scratch:
        folder = Path(scratch)
        plan = Plan(cells=tuple(cells), jobs=jobs)
        write_plan(folder, plan)
        run_plan(plan, folder, SilentObserver())
        return conclude(folder)


if __name__ == "__main__":
    main()
