"""Verdicts as sentences: what leads the page, the summary and the annotations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from leakbench.metrics import PROCESS_PATH, TOTAL_PATH
from leakbench.record.result import CellResult, MetricResult, Outcome, Result
from leakbench.report.rows import NOTHING, Row, format_level, is_pending, worst_row
from leakbench.report.words.advice import advise
from leakbench.units import format_bytes, format_duration
from leakbench.verdict.projection import Projection, project, time_to_limit

FAR_SECONDS: Final = 10 * 365.25 * 86400
"""A projection further ahead than this says nothing."""
DEVICE_LIMIT_BYTES: Final = 512 * 2**20
"""The memory of a small device, which a stream that leaks is measured against."""

_SEVERITY: Final[tuple[Outcome, ...]] = ("error", "leak", "undecided", "flat")


def headline(result: Result) -> str:
    """Return the run's verdict in one sentence, with the number behind it."""
    cells = result.cells
    if not cells:
        return "Nothing was driven."
    pending = sum(is_pending(cell) for cell in cells)
    prefix = "So far: " if pending or any("running" in cell.endings for cell in cells) else ""
    suffix = f" {pending} of {len(cells)} cells have no verdict yet." if pending else ""
    cells = tuple(cell for cell in cells if not is_pending(cell))
    if not cells:
        return "No cell has a verdict yet."
    amiss = [cell for cell in cells if not cell.as_expected]
    if amiss:
        worst = min(amiss, key=lambda cell: _SEVERITY.index(cell.verdict))
        others = len(amiss) - 1
        rest = (
            f" {others} other cell{'s are' if others > 1 else ' is'} amiss too." if others else ""
        )
        return f"{prefix}{cell_sentence(worst)}{rest}{suffix}"
    leaks = [cell for cell in cells if cell.verdict == "leak"]
    flat = [cell for cell in cells if cell.verdict == "flat"]
    parts = []
    if leaks:
        row = worst_row(leaks[0])
        verb = "leaks, as it must" if len(_subjects(leaks)) == 1 else "leak, as they must"
        parts.append(f"{_names(leaks)} {verb}" + (f" ({_growth(row)})" if row else ""))
    if flat:
        parts.append(
            f"{_names(flat)} {'is' if len(_subjects(flat)) == 1 else 'are'} flat "
            f"over {format_duration(sum(cell.audio_seconds for cell in flat))} of audio"
        )
    return f"{prefix}As expected: {'; '.join(parts)}.{suffix}"


def cell_sentence(cell: CellResult) -> str:
    """Return one cell's verdict in a sentence, with the number behind it."""
    who = f"{cell.subject} on {cell.scenario}, {cell.chunk_ms} ms chunks"
    if is_pending(cell):
        return f"{who} has no verdict: not begun, or not far enough to be judged."
    if cell.verdict == "error":
        return f"{who}: error: {cell.error or cell.reason or 'no reason given'}."
    row = worst_row(cell)
    if cell.verdict == "leak" and row is not None:
        remedy = advise(cell.metrics)
        advice = f" To end it, {remedy}." if remedy else ""
        return f"{who} leaks: {_growth(row)}, {_against(row)}.{advice}"
    if cell.verdict == "flat" and cell.expect == "leak":
        return f"{who} is flat, but a leak was expected."
    reason = f": {cell.reason}" if cell.reason else ""
    word = {"flat": "is flat", "undecided": "is undecided", "leak": "leaks"}[cell.verdict]
    return f"{who} {word}{reason}."


def expectation(cell: CellResult) -> str:
    """Return whether the cell shows what was said beforehand, and what that was."""
    said = cell.expect or "flat"
    where = f" in {', '.join(cell.expect_leak_in)}" if cell.expect_leak_in else ""
    return f"{'as expected' if cell.as_expected else 'NOT as expected'} ({said}{where})"


def parity_sentence(cell: CellResult) -> str:
    """Return whether the segments equal the reference's; empty where nothing was compared."""
    parity = cell.parity
    if parity is None:
        return ""
    if parity.identical:
        return f"segments identical to {parity.reference}'s over {parity.chunks:,} chunks"
    first = parity.first_difference or {}
    return (
        f"segments differ from {parity.reference}'s from chunk {first.get('chunk', '?')} on "
        f"({first.get('audio_seconds', '?')} s): expected {first.get('expected', '?')}, "
        f"got {first.get('got', '?')}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Where a cell's growth leads if it goes on: arithmetic on its slope, not a verdict."""

    source: str
    """What the slope is of."""
    added: tuple[tuple[str, str, str], ...]
    """``(after, expected, interval)``: memory added by then."""
    until_full: str
    """Audio until a small device's memory is added."""


def outlook(cell: CellResult) -> Outlook | None:
    """Return the projection of a cell, None where no slope in bytes is known.

    The process's heap where it was judged, all objects together otherwise: Python bytes and
    storage added up.
    """
    heap = _find(cell, PROCESS_PATH, "heap_bytes")
    totals = [_find(cell, TOTAL_PATH, "python_bytes"), _find(cell, TOTAL_PATH, "storage_bytes")]
    known = [m for m in totals if m is not None and m.slope_per_audio_hour is not None]
    if heap is not None and heap.gated and heap.slope_per_audio_hour is not None:
        source, known = "heap", [heap]
    else:
        source = "all objects"
    if not known:
        return None
    slope = sum(m.slope_per_audio_hour or 0.0 for m in known)
    low, high = (
        sum((end if end is not None else m.slope_per_audio_hour) or 0.0 for m, end in ends)
        for ends in ([(m, m.low) for m in known], [(m, m.high) for m in known])
    )
    full = time_to_limit(0.0, DEVICE_LIMIT_BYTES, slope_per_hour=slope, low=low, high=high)
    return Outlook(
        source=source,
        added=tuple(
            (format_duration(p.hours * 3600), format_bytes(p.expected), _interval(p))
            for p in project(0.0, slope_per_hour=slope, low=low, high=high)
        ),
        until_full=_duration(full.expected_seconds, full.soonest_seconds),
    )


def _interval(projection: Projection) -> str:
    if projection.low == projection.high:
        return "exact"
    return f"{format_bytes(projection.low)} to {format_bytes(projection.high)}"


def _duration(expected: float | None, soonest: float | None) -> str:
    if min(expected or math.inf, soonest or math.inf) > FAR_SECONDS:
        return "not within ten years"
    if expected is None:
        return "never" if soonest is None else f"{format_duration(soonest)} at the soonest"
    if soonest is None or soonest == expected:
        return format_duration(expected)
    return f"{format_duration(expected)}, {format_duration(soonest)} at the soonest"


def _growth(row: Row) -> str:
    text = f"{row.name} {row.slope}"
    return f"{text}, {row.rate}" if row.rate != NOTHING and row.result.rate else text


def _against(row: Row) -> str:
    budget = row.result.budget_per_audio_hour
    if not row.result.gated or budget is None:
        return "with no budget"
    if budget == 0:
        return "where nothing may grow"
    return f"against a budget of {format_level(budget, row.result.metric)}/h"


def _find(cell: CellResult, path: str, metric: str) -> MetricResult | None:
    return next((m for m in cell.metrics if m.path == path and m.metric == metric), None)


def _subjects(cells: Iterable[CellResult]) -> list[str]:
    return list(dict.fromkeys(cell.subject for cell in cells))


def _names(cells: Iterable[CellResult]) -> str:
    names = _subjects(cells)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
