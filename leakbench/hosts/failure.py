"""What a failed check says: the limit beside what was observed, worst first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from leakbench.metrics import metric_of
from leakbench.record.result import CellResult, MetricResult
from leakbench.report.words.deciding import more_audio_seconds, wall_seconds
from leakbench.text import printable
from leakbench.units import format_amount, format_duration, write_duration

ROWS_AT_MOST: Final = 6
"""Paths that a message shows: the first is the culprit, the others mostly hold it."""


def describe_cell(cell: CellResult) -> list[str]:
    """Return why a cell is not as expected, a line each."""
    audio = format_duration(cell.audio_seconds)
    driven = f"{cell.scenario}, {cell.chunk_ms} ms chunks, {audio} of audio"
    if cell.replicates > 1:
        driven += f" in {cell.replicates} processes"
    lines = [
        f"{cell.verdict}: {cell.error or cell.reason}",
        f"subject   {cell.subject}",
        f"scenario  {driven}",
    ]
    if cell.verdict != "error":
        lines += describe_growth(cell.metrics, unit="h", scale=lambda per_hour: per_hour)
    if cell.verdict == "undecided" and cell.expect != "leak":
        lines.append(_advice(cell))
    return [printable(line) for line in lines]


def _advice(cell: CellResult) -> str:
    seconds = more_audio_seconds(cell)
    wall = wall_seconds(cell, seconds)
    takes = f", which takes about {format_duration(wall)}" if wall is not None else ""
    return (
        f"More audio may tell: raise audio= to {write_duration(seconds)!r}{takes}, "
        "or allow growth with budget=."
    )


def describe_growth(
    metrics: Sequence[MetricResult], *, unit: str, scale: Callable[[float], float]
) -> list[str]:
    """Return a table of what is not flat, as observed and as allowed.

    Parameters
    ----------
    metrics
        Culprits first.
    unit
        What rates are shown for: ``h`` or ``round``.
    scale
        From a rate an audio-hour to one for each `unit`.
    """
    concerned = [m for m in metrics if m.gated and m.verdict != "flat"]
    if not concerned:
        return []
    rows = [("path", "metric", "observed", "limit", "verdict")]
    rows += [
        (
            metric.path,
            metric.metric,
            _rate(metric.slope_per_audio_hour, metric, unit, scale),
            _rate(metric.budget_per_audio_hour or 0.0, metric, unit, scale),
            metric.verdict,
        )
        for metric in concerned[:ROWS_AT_MOST]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (map(str.ljust, row, widths) for row in rows)
    lines = [f"  {'  '.join(row).rstrip()}" for row in padded]
    if len(concerned) > ROWS_AT_MOST:
        lines.append(f"  and {len(concerned) - ROWS_AT_MOST} more")
    return lines


def _rate(
    per_hour: float | None, metric: MetricResult, unit: str, scale: Callable[[float], float]
) -> str:
    if per_hour is None:
        return "not yet known"
    return f"{format_amount(scale(per_hour), metric_of(metric.metric).quantity)}/{unit}"
