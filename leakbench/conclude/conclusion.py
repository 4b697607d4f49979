"""A whole run, concluded: every cell's result and the run's own."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil

from leakbench.conclude.assessment import assess_replicates
from leakbench.conclude.expectation import compare_with_expectation
from leakbench.conclude.outcome import outcome_of, overall_outcome
from leakbench.conclude.parities import compare_subjects
from leakbench.conclude.patterns import warn_of_budgets
from leakbench.conclude.replicates import Replicate, read_replicates
from leakbench.errors import OutputError
from leakbench.plan import Cell, Plan, read_plan
from leakbench.record.result import CellResult, Parity, Result


def conclude(folder: Path, *, wall_seconds: float | None = None) -> Result:
    """Judge everything that a run left in `folder`.

    Parameters
    ----------
    folder
        Of the run.
    wall_seconds
        How long the run took as a whole, where the caller knows; otherwise the longest
        worker's time.

    Raises
    ------
    OutputError
        When `folder` holds no run.
    """
    plan = read_plan(folder)
    replicates: dict[str, tuple[Replicate, ...]] = {}
    broken: dict[str, str] = {}
    for cell in plan.cells:
        try:
            replicates[cell.id] = read_replicates(folder, cell)
        except OutputError as error:
            # The other cells are as they were.
            replicates[cell.id], broken[cell.id] = (), str(error)
    parities = compare_subjects(plan, replicates)
    cells = tuple(
        _conclude_cell(
            plan, cell, replicates[cell.id], parities.get(cell.id), broken.get(cell.id, "")
        )
        for cell in plan.cells
    )
    return Result(
        verdict=overall_outcome(cells),
        cells=cells,
        command=plan.command,
        started=plan.started,
        wall_seconds=wall_seconds
        if wall_seconds is not None
        else max((cell.wall_seconds for cell in cells), default=0.0),
        audio_seconds=sum(cell.audio_seconds for cell in cells),
        versions={"leakbench": version("leakbench")},
        platform=_platform(),
        settings={
            "jobs": plan.jobs,
            "threads": 1,
            "limits": dataclasses.asdict(plan.limits),
            "process_interval_seconds": plan.process_interval_seconds,
            "clear_caches": plan.clear_caches,
            "traced_frames": plan.traced_frames,
            "until_sure": plan.until_sure,
        },
        warnings=warn_of_budgets(plan, replicates),
    )


def _conclude_cell(
    plan: Plan, cell: Cell, replicates: Sequence[Replicate], parity: Parity | None, broken: str
) -> CellResult:
    assessment = assess_replicates(plan, cell, replicates)
    outcome, why = outcome_of(cell, replicates, assessment)
    if broken:
        outcome, why = "error", broken
    as_expected, shortfall = compare_with_expectation(cell, outcome, assessment, parity)
    begin = next((r.begin for r in replicates if r.begin is not None), None)
    last = [r.trace.samples[-1] for r in replicates if r.trace.samples]
    audio_seconds = sum(sample.audio_seconds for sample in last)
    wall_seconds = sum(sample.wall_seconds for sample in last)
    # Of a failed cell, what its figures would have said is beside the point.
    judged = assessment.reason if assessment and outcome != "error" else ""
    return CellResult(
        id=cell.id,
        subject=cell.subject.spec,
        scenario=cell.scenario.name,
        chunk_ms=cell.chunk_ms,
        model=cell.model,
        expect=cell.expect,
        verdict=outcome,
        as_expected=as_expected,
        audio_seconds=audio_seconds,
        wall_seconds=wall_seconds,
        segments=sum(sample.segments for sample in last),
        metrics=assessment.metrics if assessment else (),
        reason="; ".join(filter(None, (shortfall, why, judged))),
        endings=tuple(r.end.ending if r.end else "running" for r in replicates),
        error=why if outcome == "error" else "",
        streams=sum(sample.streams for sample in last),
        speech_seconds=sum(r.speech_seconds for r in replicates),
        warmup_seconds=begin.warmup_seconds if begin else 0.0,
        period_seconds=begin.period_seconds if begin else 0.0,
        replicates=len(replicates),
        speed=audio_seconds / wall_seconds if wall_seconds else 0.0,
        expect_leak_in=cell.leaks_in,
        parity=parity,
        audio_wanted_seconds=assessment.audio_wanted_seconds if assessment else None,
        versions={**(begin.versions if begin else {}), **cell.subject.versions},
        seed=cell.seed,
    )


def _platform() -> dict[str, object]:
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
    }
