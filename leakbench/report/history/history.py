"""Many runs over time: growth, memory held and time a chunk, and where their level changed.

A point is marked where it leaves the range of the points before it, back to the last mark and
at most :data:`WINDOW` of them, by more than a tolerance. Two points at least must come before
it. That is all the rule does: it points at a run to look at. It is no test of significance,
and a slow drift that stays within the tolerance from one run to the next is not marked; the
verdicts of the runs are there for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from leakbench.metrics import PROCESS_PATH, TOTAL_PATH
from leakbench.record.result import MetricResult, Outcome
from leakbench.report.rows import NOTHING, format_change, format_level
from leakbench.report.run_folder import RunFolder
from leakbench.report.series import CellTraces
from leakbench.report.summary import escape_markdown, markdown_table

Measure: TypeAlias = Literal["growth", "held", "time"]

SCHEMA: Final = "leakbench.history/1"
WINDOW: Final = 8
LEAST_BEFORE: Final = 2
TOLERANCES: Final[dict[Measure, float]] = {"growth": 0.1, "held": 0.1, "time": 0.25}
"""Part of the level that counts as the same: a tenth for bytes, which are nearly exact; a
quarter for time, since runs share machines with others."""

HEAD: Final = (
    "date", "run", "subject", "verdict", "growth", "held", "time a chunk", "changed",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One measure of one run."""

    value: float
    """Bytes an audio-hour, bytes, or seconds."""
    low: float
    """Lower end of its interval; the value itself where there is none."""
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One cell of one run."""

    run: str
    """Name of the run's folder."""
    started: str
    """ISO 8601."""
    verdict: Outcome
    values: dict[Measure, Value]
    """Only what is known: growth and bytes of all objects, median time a chunk."""
    versions: dict[str, str]
    changed: tuple[str, ...] = ()
    """Versions that differ from the point before: ``numpy 1.26.4 → 2.0.0``."""
    marks: tuple[Measure, ...] = ()
    """Measures whose level changed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One subject, driven alike, over runs."""

    subject: str
    scenario: str
    chunk_ms: int
    model: str
    points: tuple[Point, ...]
    """In order of time."""

    @property
    def where(self) -> str:
        """How it was driven."""
        return f"{self.scenario}, {self.chunk_ms} ms chunks, model {self.model}"


def trace_history(runs: Iterable[RunFolder]) -> tuple[History, ...]:
    """Return the history of every cell in `runs`, in any order of theirs.

    Runs of one moment keep the order they are given in.
    """
    series: dict[tuple[str, str, int, str], list[Point]] = {}
    for run in sorted(runs, key=lambda run: run.result.started):
        for traced in run.cells:
            cell = traced.cell
            key = (cell.subject, cell.scenario, cell.chunk_ms, cell.model)
            series.setdefault(key, []).append(_point(run, traced))
    return tuple(
        History(
            subject=subject,
            scenario=scenario,
            chunk_ms=chunk_ms,
            model=model,
            points=_mark(points),
        )
        for (subject, scenario, chunk_ms, model), points in series.items()
    )


def find_changes(values: Sequence[Value | None], tolerance: float) -> tuple[bool, ...]:
    """Return for each value whether the level changed there, by the rule of this module."""
    marks = []
    before: list[Value] = []
    for value in values:
        changed = False
        if value is not None:
            if len(before) >= LEAST_BEFORE:
                top = max(v.high for v in before)
                bottom = min(v.low for v in before)
                changed = (
                    value.low > top + tolerance * abs(top)
                    or value.high < bottom - tolerance * abs(bottom)
                )  # fmt: skip
            before = [value] if changed else [*before[1 - WINDOW :], value]
        marks.append(changed)
    return tuple(marks)


def history_table(histories: Iterable[History]) -> list[tuple[str, ...]]:
    """Return a line a point, as :data:`HEAD` names its fields."""
    return [_line(history, point) for history in histories for point in history.points]


def history_markdown(histories: Sequence[History]) -> str:
    """Return the histories as Markdown tables; every text is escaped."""
    parts = ["## leakbench: history", ""]
    for where in dict.fromkeys(history.where for history in histories):
        alike = [history for history in histories if history.where == where]
        parts += [f"On {escape_markdown(where)}:", ""]
        parts += [markdown_table(HEAD, history_table(alike)), ""]
    parts.append("▲ marks a change of level: outside the range of the runs before it.")
    return "\n".join(parts) + "\n"


def history_data(histories: Iterable[History]) -> dict[str, Any]:
    """Return the histories as JSON values."""
    return {
        "schema": SCHEMA,
        "histories": [
            {
                "subject": history.subject,
                "scenario": history.scenario,
                "chunk_ms": history.chunk_ms,
                "model": history.model,
                "points": [
                    {
                        "run": point.run,
                        "started": point.started,
                        "verdict": point.verdict,
                        "growth_bytes_per_audio_hour": _number(point, "growth"),
                        "held_bytes": _number(point, "held"),
                        "chunk_seconds": _number(point, "time"),
                        "changed": list(point.changed),
                        "level_changed_in": list(point.marks),
                    }
                    for point in history.points
                ],
            }
            for history in histories
        ],
    }


def format_value(point: Point, measure: Measure) -> str:
    """Return a measure with its unit, marked where its level changed."""
    value = point.values.get(measure)
    if value is None:
        return NOTHING
    text = {
        "growth": f"{format_change(value.value, 'storage_bytes')}/h",
        "held": format_level(value.value, "storage_bytes"),
        "time": format_level(value.value, "chunk_seconds"),
    }[measure]
    return f"▲ {text}" if measure in point.marks else text


def _point(run: RunFolder, traced: CellTraces) -> Point:
    cell = traced.cell
    totals = [
        m for m in cell.metrics if m.path == TOTAL_PATH and m.metric in _BYTES and _has_slope(m)
    ]
    values: dict[Measure, Value] = {}
    if totals:
        slopes = [m.slope_per_audio_hour or 0.0 for m in totals]
        values["growth"] = Value(
            value=sum(slopes),
            low=sum(s if m.low is None else m.low for s, m in zip(slopes, totals, strict=True)),
            high=sum(s if m.high is None else m.high for s, m in zip(slopes, totals, strict=True)),
        )
    held = _held(traced)
    if held is not None:
        values["held"] = Value(value=held, low=held, high=held)
    time = _time_a_chunk(traced)
    if time is not None:
        values["time"] = Value(value=time, low=time, high=time)
    return Point(
        run=run.folder.name,
        started=run.result.started,
        verdict=cell.verdict,
        values=values,
        versions={**run.result.versions, **cell.versions},
    )


_BYTES: Final[tuple[str, ...]] = ("python_bytes", "storage_bytes")


def _has_slope(result: MetricResult) -> bool:
    slope = result.slope_per_audio_hour
    return slope is not None and math.isfinite(slope)


def _held(traced: CellTraces) -> float | None:
    """Return the bytes of all objects at the end, the largest of the replicates."""
    ends = []
    for trace in traced.traces:
        columns = [trace.column(TOTAL_PATH, metric).values for metric in _BYTES]
        if all(len(values) for values in columns):
            ends.append(float(sum(values[-1] for values in columns)))
    return max(ends, default=None)


def _time_a_chunk(traced: CellTraces) -> float | None:
    """Return the median of the times sampled after the warm-up, of all replicates together."""
    columns = [
        trace.column(PROCESS_PATH, "chunk_seconds").since(traced.cell.warmup_seconds).values
        for trace in traced.traces
    ]
    times = np.concatenate(columns) if columns else np.array([])
    return float(np.median(times)) if len(times) else None


def _mark(points: Sequence[Point]) -> tuple[Point, ...]:
    marks = {
        measure: find_changes([p.values.get(measure) for p in points], tolerance)
        for measure, tolerance in TOLERANCES.items()
    }
    return tuple(
        Point(
            run=point.run,
            started=point.started,
            verdict=point.verdict,
            values=point.values,
            versions=point.versions,
            changed=_changed(points[place - 1].versions, point.versions) if place else (),
            marks=tuple(measure for measure in TOLERANCES if marks[measure][place]),
        )
        for place, point in enumerate(points)
    )


def _changed(before: dict[str, str], after: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name} {before[name]} → {after[name]}"
        for name in after
        if name in before and before[name] != after[name]
    )


def _line(history: History, point: Point) -> tuple[str, ...]:
    measures: tuple[Measure, ...] = ("growth", "held", "time")
    return (
        point.started[:16].replace("T", " "),
        point.run,
        history.subject,
        point.verdict,
        *(format_value(point, measure) for measure in measures),
        ", ".join(point.changed),
    )


def _number(point: Point, measure: Measure) -> float | None:
    value = point.values.get(measure)
    return value.value if value else None


def run_folders_below(folder: Path) -> list[Path]:
    """Return the run folders in `folder`, or `folder` itself where it is one."""
    if (folder / "result.json").is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob("*/result.json"))
