"""What of a trace is worth a picture, and its values over audio time.

Choosing what to draw is not judging: the verdicts come from ``result.json``, and where a
run has none yet, everything that rose is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from leakbench.metrics import PROCESS_PATH, TOTAL_PATH, metric_names, metric_of, panel_metrics
from leakbench.record.result import CellResult, MetricResult
from leakbench.record.trace import Column, Trace

ALWAYS_SHOWN: Final = ("decibel", "data_buf", "data_buf_all")
"""Last names of paths that are drawn even when flat: the streaming buffers that the leak
reports on speech models name, so that a reader finds them without searching."""

MAX_OBJECT_PANELS: Final = 7
"""Object panels of one picture: with total and the process's own it fills a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTraces:
    """A cell's result and the traces it came from."""

    cell: CellResult
    traces: tuple[Trace, ...]
    """One a replicate, in order."""
    pending: bool = False
    """Whether no verdict has been written yet."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One path and metric, to be drawn by itself."""

    path: str
    metric: str


@dataclass(frozen=True, slots=True)
class Series:
    """One replicate's values of a panel."""

    audio_seconds: npt.NDArray[np.float64]
    """Shape (n,)."""
    values: npt.NDArray[np.float64]
    """Shape (n,); bytes, elements or seconds."""


def find_metric(cell: CellResult, panel: Panel) -> MetricResult | None:
    """Return the verdict on `panel`, or None where the cell has none."""
    return next((m for m in cell.metrics if (m.path, m.metric) == (panel.path, panel.metric)), None)


def end_seconds(runs: Sequence[CellTraces]) -> float:
    """Return the audio-seconds of the longest replicate: where every panel's axis ends."""
    last = [t.samples[-1].audio_seconds for run in runs for t in run.traces if t.samples]
    return max([*last, 1e-3])


def read_series(trace: Trace, panel: Panel) -> Series:
    """Return one replicate's values at the phase the verdict looks at.

    Early in a run objects are also sampled at other phases, to see what growth comes with;
    drawn as one line they would show the cycle, not the trend. The phase met most often is
    kept; a run too short to have met any phase twice keeps all.
    """
    column = _phase_matched(trace.column(panel.path, panel.metric))
    return Series(column.audio_seconds, column.values)


def choose_panels(runs: Sequence[CellTraces]) -> tuple[Panel, ...]:
    """Return what to draw of `runs`, most telling first.

    The named buffers, then what grew most and is not explained by what is drawn already,
    then the total, then the process's own figures.
    """
    traces = [trace for run in runs for trace in run.traces]
    paths = dict.fromkeys(path for trace in traces for path in trace.paths())
    named = [p for p in paths if p.rpartition(".")[2] in ALWAYS_SHOWN]
    named.sort(key=lambda p: ALWAYS_SHOWN.index(p.rpartition(".")[2]))
    objects = [Panel(p, _telling_metric(traces, p)) for p in named]
    for path in _growing_paths(runs, [p for p in paths if p != TOTAL_PATH and p not in named]):
        if not any(_contains(p.path, path) for p in objects):
            objects.append(Panel(path, _telling_metric(traces, path)))
    panels = objects[:MAX_OBJECT_PANELS]
    if TOTAL_PATH in paths:
        panels.append(Panel(TOTAL_PATH, _telling_metric(traces, TOTAL_PATH, bytes_only=True)))
    of_process = (Panel(PROCESS_PATH, metric) for metric in panel_metrics())
    panels += [panel for panel in of_process if _tells(runs, panel)]
    return tuple(panels)


def _tells(runs: Sequence[CellTraces], panel: Panel) -> bool:
    """Whether a figure of the process is worth a picture: it moved, or is always asked for.

    That nothing was opened and nothing started is told in a sentence.
    """
    columns = [trace.column(panel.path, panel.metric) for run in runs for trace in run.traces]
    columns = [column for column in columns if len(column)]
    metric = metric_of(panel.metric)
    if metric.has_level or metric.quantity == "seconds":
        return bool(columns)
    return any(np.ptp(column.values) > 0 for column in columns)


def _growing_paths(runs: Sequence[CellTraces], paths: Sequence[str]) -> list[str]:
    """Return the paths that gained elements, then those that gained bytes for no such reason."""
    elements = {p: _growth(runs, Panel(p, "elements")) for p in paths}
    held = {
        p: max(_growth(runs, Panel(p, "storage_bytes")), _growth(runs, Panel(p, "python_bytes")))
        for p in paths
    }
    containers = [p for p in paths if elements[p] > 0 and held[p] > 0]
    containers = [p for p in containers if not any(_below(p, q) for q in containers)]
    others = [
        p
        for p in paths
        if held[p] > 0 and not any(_contains(p, q) or _contains(q, p) for q in containers)
    ]
    others = [p for p in others if not any(_below(q, p) for q in others)]
    return sorted((*containers, *others), key=lambda p: -held[p])


def _growth(runs: Sequence[CellTraces], panel: Panel) -> float:
    """Return the largest rise over the later half of a replicate, 0 where nothing rose."""
    rises = [0.0]
    for run in runs:
        for trace in run.traces:
            column = _phase_matched(trace.column(panel.path, panel.metric))
            late = column.since(run.cell.warmup_seconds)
            if len(late) > 1:
                rises.append(float(late.values[-1] - late.values[len(late) // 2 - 1]))
    return max(rises)


def _telling_metric(traces: Sequence[Trace], path: str, *, bytes_only: bool = False) -> str:
    """Return storage where a path holds more of it than of Python objects, else its length."""
    tops: dict[str, float] = {
        metric: max(
            (float(t.column(path, metric).values.max(initial=0)) for t in traces), default=0
        )
        for metric in metric_names("objects")
    }
    if tops["storage_bytes"] > tops["python_bytes"]:
        return "storage_bytes"
    return "elements" if tops["elements"] > 0 and not bytes_only else "python_bytes"


def _phase_matched(column: Column) -> Column:
    counts = Counter(column.phases.tolist())
    if not counts:
        return column
    phase, times = counts.most_common(1)[0]
    return column.at_phase(phase) if times > 1 else column


def _below(path: str, other: str) -> bool:
    """Whether `path` is inside `other`: its name goes on with a field or an item."""
    return path.startswith(other) and path[len(other) : len(other) + 1] in (".", "[")


def _contains(path: str, other: str) -> bool:
    return path == other or _below(other, path)
