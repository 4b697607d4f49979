"""From a run's folder to its result: reads what workers wrote, asks for verdicts, adds up.

The only way to a result, whether the run has just ended, goes on, or was killed last week.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from leakbench.errors import StimulusError
from leakbench.metrics import PROCESS_PATH, process_metrics
from leakbench.plan import Cell, Plan, read_plan, replicate_folder
from leakbench.record.result import CellResult, MetricResult, Outcome, Parity, Result, leaking_paths
from leakbench.record.trace import (
    Begin,
    End,
    SegmentEvent,
    Trace,
    read_begin,
    read_end,
    read_segments,
    read_trace,
)
from leakbench.verdict.assess import Assessment, AssessPlan, assess
from leakbench.verdict.parity import compare_segments
from leakbench.verdict.reach import check_reach, measure_visited

_UNHARMED: Final = ("completed", "stopped", "interrupted")
_STOPPED_BY_LIMIT: Final = ("memory_limit", "hung")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a cell's figures say while it runs."""

    decided: bool
    """Whether more audio would change nothing."""
    outcome: Outcome
    """The verdict if the run ended now."""
    leaking: tuple[str, ...] = ()
    """Object paths that leak by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """Everything one worker left on disk."""

    begin: Begin | None
    trace: Trace
    events: tuple[SegmentEvent, ...]
    end: End | None

    @property
    def chunks(self) -> int:
        """Chunks fed by the last sample."""
        return self.trace.samples[-1].chunk if self.trace.samples else 0


def look_at_cell(
    plan: Plan, cell: Cell, begin: Begin, traces: Sequence[Trace], *, replicates: int
) -> Look:
    """Judge what `traces`, one for each of `replicates` begun so far, hold by now."""
    sampled = [trace for trace in traces if trace.samples]
    if not sampled:
        return Look(decided=False, outcome="undecided")
    assessment = assess(sampled, plan=_assess_plan(plan, cell, begin, final=False))
    # A leak in one process is a leak; flat must be all of them.
    complete = assessment.outcome == "leak" or len(sampled) == replicates
    driven = min(trace.samples[-1].audio_seconds for trace in sampled)
    return Look(
        decided=assessment.decided and complete and driven >= cell.at_least_seconds,
        outcome=assessment.outcome,
        leaking=leaking_paths(assessment.metrics),
    )


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
    replicates = {cell.id: _read_replicates(folder, cell) for cell in plan.cells}
    parities = _compare_subjects(plan, replicates)
    cells = tuple(
        _conclude_cell(plan, cell, replicates[cell.id], parities.get(cell.id))
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
            "traced_frames": plan.traced_frames,
            "until_sure": plan.until_sure,
        },
    )


def overall_outcome(cells: Iterable[CellResult]) -> Outcome:
    """Return the worst verdict of the cells that were not said to leak.

    A cell that was said to leak and did is no news; one that did not is reported with its
    own verdict and fails the run by the exit status.
    """
    cells = tuple(cells)
    judged = {
        cell.verdict for cell in cells if not (cell.expect == "leak" and cell.as_expected)
    } or {cell.verdict for cell in cells}
    ranked: tuple[Outcome, ...] = ("error", "leak", "undecided", "flat")
    return next((outcome for outcome in ranked if outcome in judged), "error")


def _read_replicates(folder: Path, cell: Cell) -> tuple[Replicate, ...]:
    # As many as there are: a run that goes on until it is sure adds to them.
    numbers = itertools.takewhile(
        lambda number: replicate_folder(folder, cell, number).is_dir(), itertools.count()
    )
    return tuple(
        Replicate(
            begin=read_begin(path),
            trace=read_trace(path),
            events=read_segments(path),
            end=read_end(path),
        )
        for path in (replicate_folder(folder, cell, number) for number in numbers)
    )


def _compare_subjects(
    plan: Plan, replicates: Mapping[str, Sequence[Replicate]]
) -> dict[str, Parity]:
    """Compare each cell with its reference, over the chunks both were fed.

    The reference of ``SUBJECT+CHANGE`` is SUBJECT where the run drives it, and otherwise, as
    for any other subject, the first one that was fed the same audio.
    """
    fed: dict[tuple[str, int, str], list[tuple[Cell, Replicate, Begin]]] = {}
    for cell in plan.cells:
        first = next(iter(replicates[cell.id]), None)
        if first is not None and first.begin is not None:
            audio = (first.begin.stimulus_sha256, cell.chunk_ms, cell.model)
            fed.setdefault(audio, []).append((cell, first, first.begin))
    parities: dict[str, Parity] = {}
    for group in fed.values():
        for cell, own, begin in group:
            unchanged = cell.subject.spec.partition("+")[0]
            reference, other, _begin = next(
                (member for member in group if member[0].subject.spec == unchanged), group[0]
            )
            if reference is cell:
                reference, other, _begin = group[0]
            if reference is not cell:
                parities[cell.id] = compare_segments(
                    other.events,
                    own.events,
                    reference_name=reference.subject.spec,
                    chunks=min(own.chunks, other.chunks),
                    chunk_seconds=begin.chunk_seconds,
                )
    return parities


def _conclude_cell(
    plan: Plan, cell: Cell, replicates: Sequence[Replicate], parity: Parity | None
) -> CellResult:
    assessment = _assess(plan, cell, replicates)
    outcome, error = _outcome(cell, replicates, assessment)
    as_expected, shortfall = _compare_with_expectation(cell, outcome, assessment)
    if cell.parity_required and outcome != "error" and parity is not None and not parity.identical:
        difference = parity.first_difference or {}
        as_expected = False
        shortfall = (
            f"segments differ from {parity.reference}'s from chunk {difference.get('chunk')} on: "
            f"expected {difference.get('expected')}, got {difference.get('got')}"
        )
    begin = next((r.begin for r in replicates if r.begin is not None), None)
    last = [r.trace.samples[-1] for r in replicates if r.trace.samples]
    audio_seconds = sum(sample.audio_seconds for sample in last)
    wall_seconds = sum(sample.wall_seconds for sample in last)
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
        reason="; ".join(filter(None, (shortfall, assessment.reason if assessment else ""))),
        endings=tuple(r.end.ending if r.end else "running" for r in replicates),
        error=error,
        streams=sum(sample.streams for sample in last),
        speech_seconds=sum(_speech_seconds(r) for r in replicates),
        warmup_seconds=begin.warmup_seconds if begin else 0.0,
        period_seconds=begin.period_seconds if begin else 0.0,
        replicates=len(replicates),
        speed=audio_seconds / wall_seconds if wall_seconds else 0.0,
        expect_leak_in=cell.leaks_in,
        parity=parity,
        versions={**(begin.versions if begin else {}), **cell.subject.versions},
        seed=cell.seed,
    )


def _assess(plan: Plan, cell: Cell, replicates: Sequence[Replicate]) -> Assessment | None:
    begun = [r for r in replicates if r.begin is not None and r.trace.samples]
    if not begun or begun[0].begin is None:
        return None
    return assess(
        [r.trace for r in begun], plan=_assess_plan(plan, cell, begun[0].begin, final=True)
    )


def _assess_plan(plan: Plan, cell: Cell, begin: Begin, *, final: bool) -> AssessPlan:
    # What is only shown by default is gated where a budget names it.
    named = {rule.metric for rule in cell.rules if rule.path == PROCESS_PATH}
    gated = tuple(m.name for m in process_metrics() if m.gated or m.name in named)
    return AssessPlan(
        chunk_seconds=begin.chunk_seconds,
        chunks_per_period=begin.chunks_per_period,
        phase=begin.phase,
        warmup_seconds=begin.warmup_seconds,
        rules=cell.rules,
        named=cell.subject.named_paths,
        horizon_seconds=cell.audio_seconds,
        # A traced run measures nothing of the process but what is traced.
        gated_process=() if plan.traced_frames else gated,
        final=final,
    )


def _outcome(
    cell: Cell, replicates: Sequence[Replicate], assessment: Assessment | None
) -> tuple[Outcome, str]:
    """Return the cell's verdict and, where it is an error, the line that says why."""
    harmed = next(
        (r.end for r in replicates if r.end is not None and r.end.ending not in _UNHARMED), None
    )
    leaks = assessment is not None and assessment.outcome == "leak"
    if harmed is not None and not (leaks and harmed.ending in _STOPPED_BY_LIMIT):
        return "error", f"{harmed.ending.replace('_', ' ')}: {harmed.detail}"
    if assessment is None:
        return "error", "no samples: the run ended before the first period did"
    for replicate in replicates:
        try:
            _check_reach(cell, replicate)
        except StimulusError as error:
            return "error", str(error)
    return assessment.outcome, ""


def _check_reach(cell: Cell, replicate: Replicate) -> None:
    begin = replicate.begin
    # A replicate that ended before its warm-up did was not needed: the others had decided.
    if begin is None or replicate.chunks < begin.warmup_chunks + begin.chunks_per_period:
        return
    periods = (replicate.chunks - begin.warmup_chunks) // begin.chunks_per_period
    check_reach(
        cell.scenario.reach,
        measure_visited(
            replicate.events,
            first_chunk=begin.warmup_chunks,
            last_chunk=begin.warmup_chunks + periods * begin.chunks_per_period,
            chunks_per_period=begin.chunks_per_period,
            chunk_seconds=begin.chunk_seconds,
            stream_chunks=cell.scenario.chunks_per_stream(cell.chunk_ms),
        ),
    )


def _compare_with_expectation(
    cell: Cell, outcome: Outcome, assessment: Assessment | None
) -> tuple[bool, str]:
    """Return whether the cell shows what it must, and what is missing where it does not."""
    if cell.expect != "leak":
        return outcome == "flat", ""
    if outcome != "leak" or assessment is None:
        return False, "a leak was expected and not found"
    missing = [pattern for pattern in cell.leaks_in if not _leaks_at(assessment.metrics, pattern)]
    if missing:
        return False, f"expected a leak in {', '.join(missing)}, found none there"
    return True, ""


def _leaks_at(metrics: Iterable[MetricResult], pattern: str) -> bool:
    return any(m.verdict == "leak" and fnmatchcase(m.path, pattern) for m in metrics)


def _speech_seconds(replicate: Replicate) -> float:
    if replicate.begin is None or not replicate.chunks:
        return 0.0
    return measure_visited(
        replicate.events,
        first_chunk=0,
        last_chunk=replicate.chunks,
        chunks_per_period=replicate.begin.chunks_per_period,
        chunk_seconds=replicate.begin.chunk_seconds,
        stream_chunks=None,
    ).speech_seconds


def _platform() -> dict[str, object]:
    return {
        "system": platform.platform(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
    }
