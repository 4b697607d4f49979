"""Verdicts as rows of text: the one place that formats numbers and orders the worst first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.record.result import CellResult, MetricResult, Outcome, Result
from leakbench.units import format_amount

NOTHING: Final = "-"
"""Stands where a number is not known."""

_VERDICT_RANK: Final[dict[Outcome, int]] = {"error": 0, "leak": 1, "undecided": 2, "flat": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One path and metric of one cell, ready to be shown."""

    cell: CellResult
    result: MetricResult
    label: str
    """What the metric is called."""
    name: str
    """Path and metric: ``stats.scores storage``; ``heap`` for the process's own."""
    verdict: str
    """``leak``, ``flat``, ``undecided``, ``error``, or ``saturating``, and ``shown only``."""
    slope: str
    """Growth an audio-hour, signed, with its unit."""
    interval: str
    """``low to high``, ``exact``, or a dash."""
    budget: str
    """As written, and an audio-hour where that differs."""
    rate: str
    """Growth for what it comes with, ``+64 elements a chunk``; a dash where not known."""
    level: str
    """Value at the last sample."""
    weight: float
    """Sorts rows of one verdict: growth in bytes an audio-hour, or elements."""


def rows(result: Result) -> tuple[Row, ...]:
    """Return every path and metric of every cell, worst first.

    Cells that are not as expected come first; then by verdict; then what is judged before what
    is only shown, objects before the process that holds them, a path before those whose growth
    it explains; then by bytes an audio-hour.
    """
    return tuple(sorted((r for cell in result.cells for r in _cell_rows(cell)), key=_order))


def cell_rows(cell: CellResult) -> tuple[Row, ...]:
    """Return every path and metric of one cell, worst first."""
    return tuple(sorted(_cell_rows(cell), key=_order))


def worst_row(cell: CellResult) -> Row | None:
    """Return the row that the cell's verdict is best explained by, None where there is none."""
    ordered = cell_rows(cell)
    same = [row for row in ordered if row.result.verdict == cell.verdict]
    if cell.verdict == "flat":
        same.sort(key=lambda row: -row.weight)
    return next(iter(same or ordered), None)


def is_pending(cell: CellResult) -> bool:
    """Whether the cell has not been begun, or goes on and holds nothing to be judged yet."""
    unended = not cell.endings or "running" in cell.endings
    return cell.verdict == "error" and unended and not cell.metrics


def rows_amiss(cell: CellResult) -> tuple[Row, ...]:
    """Return the judged rows of a cell that are not flat, worst first."""
    return tuple(r for r in cell_rows(cell) if r.result.gated and r.result.verdict != "flat")


def format_level(value: float | None, metric: str) -> str:
    """Return a value with its unit; a dash for None and for what is not a finite number."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return format_amount(value, metric_of(metric).quantity)


def format_change(value: float | None, metric: str) -> str:
    """Return a value with its sign and unit."""
    if value is None or not math.isfinite(value):
        return NOTHING
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return f"{sign}{format_amount(abs(value), metric_of(metric).quantity)}"


def name_metric(result: MetricResult) -> str:
    """Return ``stats.scores storage``; only the metric for what is the process's own."""
    label = metric_of(result.metric).label
    return label if result.path == PROCESS_PATH else f"{result.path} {label}"


def format_slope(result: MetricResult) -> str:
    """Return the growth an audio-hour, signed: ``+384,000 elements/h``."""
    text = format_change(result.slope_per_audio_hour, result.metric)
    return text if text == NOTHING else f"{text}/h"


SLOPES_IN_TURN: Final = 3
"""Slopes that fit above a panel, one for each cell laid over each other."""


def format_slopes(results: Sequence[MetricResult | None]) -> str:
    """Return the growth of several cells, ``+240 MiB/h → 0 B/h``; empty where none is known.

    Of more than `SLOPES_IN_TURN` cells each growth is named once, and the first few of them.
    """
    slopes = [format_slope(result) if result else NOTHING for result in results]
    if set(slopes) <= {NOTHING}:
        return ""
    if len(slopes) > SLOPES_IN_TURN:
        different = [slope for slope in dict.fromkeys(slopes) if slope != NOTHING]
        slopes = [*different[:SLOPES_IN_TURN], *(["…"] if different[SLOPES_IN_TURN:] else [])]
    unit = " elements/h"
    return " → ".join((*(slope.removesuffix(unit) for slope in slopes[:-1]), slopes[-1]))


def format_interval(result: MetricResult) -> str:
    """Return ``low to high`` an audio-hour; ``exact`` where both ends meet."""
    if result.low is None or result.high is None:
        return NOTHING
    if result.low == result.high:
        return "exact"
    low, high = (format_change(v, result.metric) for v in (result.low, result.high))
    return f"{low} to {high}"


def format_budget(result: MetricResult) -> str:
    """Return the budget as written, with its worth an audio-hour unless it says so itself."""
    if not result.gated or result.budget_per_audio_hour is None:
        return "shown only"
    if result.budget_per_audio_hour == 0:
        return "0"
    hourly = f"{format_level(result.budget_per_audio_hour, result.metric)}/h"
    if not result.budget:
        return hourly
    return (
        result.budget if result.budget.endswith(("/h", "/hour")) else f"{result.budget} = {hourly}"
    )


def format_rate(result: MetricResult) -> str:
    """Return the growth for what it comes with, ``+64 elements a chunk``."""
    if result.rate is None or not result.rate_per:
        return NOTHING
    return f"{format_change(result.rate, result.metric)} a {result.rate_per}"


def shorten(text: str, characters: int) -> str:
    """Return `text` cut in its middle to at most `characters`: the ends tell paths apart."""
    if len(text) <= characters:
        return text
    head = (characters - 1) // 3
    return f"{text[:head]}…{text[head + 1 - characters :]}"


def share(part: float, whole: float) -> str:
    """Return `part` of `whole` in per cent; a dash where there is no whole."""
    return f"{100 * part / whole:.0f} %" if whole > 0 else NOTHING


def _cell_rows(cell: CellResult) -> Iterable[Row]:
    for result in cell.metrics:
        verdict = "saturating" if result.saturating else result.verdict
        yield Row(
            cell=cell,
            result=result,
            label=metric_of(result.metric).label,
            name=name_metric(result),
            verdict=verdict,
            slope=format_slope(result),
            interval=format_interval(result),
            budget=format_budget(result),
            rate=format_rate(result),
            level=format_level(result.last, result.metric),
            weight=_weight(result),
        )


def _weight(result: MetricResult) -> float:
    """Return growth as bytes an audio-hour; an element is a byte at least."""
    slope = result.slope_per_audio_hour
    if slope is None or not math.isfinite(slope) or metric_of(result.metric).quantity == "seconds":
        return 0.0
    return slope


def _order(row: Row) -> tuple[object, ...]:
    return (
        row.cell.as_expected,
        _VERDICT_RANK[row.result.verdict],
        not row.result.gated,
        row.result.path == PROCESS_PATH,
        bool(row.result.explained_by),
        -row.weight,
        row.cell.id,
        row.result.path,
    )
