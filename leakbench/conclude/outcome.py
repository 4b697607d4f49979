"""The one word that a cell, and a run, ends with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from leakbench.conclude.replicates import Replicate
from leakbench.errors import StimulusError
from leakbench.plan import Cell
from leakbench.record.result import CellResult, Outcome
from leakbench.units import format_duration
from leakbench.verdict.assess import Assessment
from leakbench.verdict.reach import check_reach, measure_visited

_UNHARMED: Final = ("completed", "stopped", "interrupted")
_STOPPED_BY_LIMIT: Final = ("memory_limit", "hung")


def outcome_of(
    cell: Cell, replicates: Sequence[Replicate], assessment: Assessment | None
) -> tuple[Outcome, str]:
    """Return the cell's verdict and, where it is not the metrics' own, the line that says why."""
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
    undriven = _not_driven(cell, replicates)
    if assessment.outcome == "flat" and undriven:
        return "undecided", undriven
    return assessment.outcome, ""


def _not_driven(cell: Cell, replicates: Sequence[Replicate]) -> str:
    """Return what was planned and not driven, empty where all was: no FLAT rests on less."""
    measured = [r for r in replicates if r.trace.samples]
    if len(measured) < cell.replicates:
        return f"{len(measured)} of {cell.replicates} planned processes were driven"
    # Looks are rare late in a run: one that drove all its audio has driven more than the last saw.
    stopped = [r for r in measured if r.end is None or r.end.ending != "completed"]
    driven = min((r.trace.samples[-1].audio_seconds for r in stopped), default=math.inf)
    if driven < cell.at_least_seconds - 1e-6:
        return (
            f"{format_duration(driven)} of at least {format_duration(cell.at_least_seconds)} "
            "of audio were driven"
        )
    unended = sum(r.end is None for r in replicates)
    if unended:
        return f"{unended} of {len(replicates)} processes have not ended, or died with their run"
    interrupted = sum(r.end is not None and r.end.ending == "interrupted" for r in replicates)
    return f"{interrupted} of {len(replicates)} processes were interrupted" if interrupted else ""


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
