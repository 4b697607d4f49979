"""The picture of a history: a row of panels for each way of driving, a line a subject."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from leakbench.record.files import write_json
from leakbench.report.history.history import (
    History,
    Measure,
    history_data,
    history_markdown,
    run_folders_below,
    trace_history,
)
from leakbench.report.plots import scales, style
from leakbench.report.plots.figures import save_figure
from leakbench.report.rows import shorten
from leakbench.report.run_folder import read_run

MEASURES: Final[dict[Measure, tuple[str, str, str]]] = {
    "growth": ("growth of all objects", "storage_bytes", " an audio-hour"),
    "held": ("held at the end", "storage_bytes", ""),
    "time": ("time a chunk, median", "chunk_seconds", ""),
}
"""Measure to its title, the metric whose units it has, and what follows the unit."""
PLOT_NAME: Final = "history"
_WIDTH: Final = 10.65
_ROW: Final = 2.5
_HEAD: Final = 0.75
_FOOT: Final = 0.42
_LABELS: Final = 6
"""Dates below a panel."""


def plot_history(histories: Sequence[History]) -> Figure:
    """Return a row of panels for each scenario, chunk and model; subjects share a panel.

    The x axis counts runs, evenly spaced, under their dates. A ringed point marks a change of
    level.
    """
    rows = list(dict.fromkeys(history.where for history in histories))
    height = _HEAD + _ROW * max(1, len(rows)) + _FOOT
    figure = Figure(figsize=(_WIDTH, height), facecolor=style.PAPER)
    subjects = list(dict.fromkeys(history.subject for history in histories))
    colours = (style.BLUE, style.VERMILLION, *style.AFTER_COLOURS[1:])
    looks = {s: (colours[i % 6], style.LINE_STYLES[i % 5]) for i, s in enumerate(subjects)}
    for row, where in enumerate(rows):
        alike = [history for history in histories if history.where == where]
        bottom = _FOOT + _ROW * (len(rows) - 1 - row) + 0.55
        figure.text(
            0.2 / _WIDTH, (bottom + _ROW - 0.72) / height, shorten(where, 90), fontsize=10.5,
            fontweight="bold", color=style.INK, parse_math=False,
        )  # fmt: skip
        for column, measure in enumerate(MEASURES):
            axes = figure.add_axes(
                (
                    (column * _WIDTH / 3 + 0.75) / _WIDTH,
                    bottom / height,
                    (_WIDTH / 3 - 0.95) / _WIDTH,
                    (_ROW - 1.2) / height,
                )
            )
            _draw(axes, alike, measure, looks)
    _write_around(figure, looks)
    return figure


def write_history(folders: Sequence[Path], output: Path) -> list[Path]:
    """Read every run in or below `folders` and write plot, Markdown and JSON into `output`.

    Raises
    ------
    OutputError
        When a run's result cannot be read.
    OSError
        When `output` cannot be written.
    """
    runs = [read_run(path) for folder in folders for path in run_folders_below(folder)]
    histories = trace_history(runs)
    output.mkdir(parents=True, exist_ok=True)
    texts = [output / "history.md", output / "history.json"]
    texts[0].write_text(history_markdown(histories), encoding="utf-8")
    write_json(texts[1], history_data(histories))
    return [*texts, *save_figure(plot_history(histories), output / PLOT_NAME)]


def _draw(
    axes: Axes,
    histories: Sequence[History],
    measure: Measure,
    looks: dict[str, tuple[str, style.Dashes]],
) -> None:
    title, metric, per = MEASURES[measure]
    moments = sorted({(p.started, p.run) for history in histories for p in history.points})
    place = {moment: number for number, moment in enumerate(moments)}
    known = [
        p.values[measure].value for h in histories for p in h.points if measure in p.values
    ]  # fmt: skip
    divisor, unit = scales.axis_unit(metric, max(map(abs, known), default=0.0))
    for history in histories:
        points = [p for p in history.points if measure in p.values]
        at = [place[p.started, p.run] for p in points]
        values = [p.values[measure].value / divisor for p in points]
        colour, dashes = looks[history.subject]
        axes.plot(
            at,
            values,
            color=colour,
            linestyle=dashes,
            linewidth=1.6,
            marker="o",
            markersize=4,
            clip_on=False,
        )
        for x, y, point in zip(at, values, points, strict=True):
            if measure in point.marks:
                _ring(axes, x, y, point.changed if measure == "growth" else ())
    if known:
        values_array = np.array(known)
        span = float(np.abs(values_array).max()) or (1e-3 if measure == "time" else 1.0)
        limits = scales.padded_limits(values_array, least_span=span, include_zero=True)
        axes.set_ylim(*(limit / divisor for limit in limits))
    scales.plain_ticks(axes)
    axes.set_xlim(-0.5, len(moments) - 0.5)
    stride = max(1, -(-len(moments) // _LABELS))
    axes.xaxis.set_major_locator(FixedLocator(list(range(0, len(moments), stride))))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda x, _: moments[int(x)][0][5:10] if 0 <= x < len(moments) else "")
    )
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(style.MUTED)
    axes.grid(axis="y", color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=style.MUTED, labelsize=8.5, length=0)
    axes.set_title(
        f"{title} ({unit}{per})", loc="left", y=1.0, pad=6, fontsize=9, color=style.INK
    )  # fmt: skip


def _ring(axes: Axes, x: float, y: float, changed: Sequence[str]) -> None:
    """Mark a change of level and, where a version changed with it, say which."""
    axes.plot(
        [x], [y], marker="o", markersize=11, markerfacecolor="none", markeredgecolor=style.INK,
        markeredgewidth=1.4, linestyle="none", clip_on=False,
    )  # fmt: skip
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        axes.annotate(
            f"{shorten(changed[0], 32)}{more}", (x, y), xytext=(-9, -3), ha="right", va="top",
            textcoords="offset points", fontsize=8, color=style.INK, parse_math=False,
        )  # fmt: skip


def _write_around(figure: Figure, looks: dict[str, tuple[str, style.Dashes]]) -> None:
    height = figure.get_size_inches()[1]
    figure.text(
        0.2 / _WIDTH, 1 - 0.2 / height, "History of runs", fontsize=14, fontweight="bold",
        va="top", color=style.INK,
    )  # fmt: skip
    keys = [
        Line2D([], [], color=c, linestyle=d, linewidth=1.8, marker="o", markersize=4,
               label=shorten(subject, 40))
        for subject, (c, d) in looks.items()
    ]  # fmt: skip
    keys.append(
        Line2D([], [], linestyle="none", marker="o", markersize=10, markerfacecolor="none",
               markeredgecolor=style.INK, markeredgewidth=1.4, label="change of level")
    )  # fmt: skip
    legend = figure.legend(
        handles=keys, loc="lower left", bbox_to_anchor=(0.12 / _WIDTH, 0.06 / height),
        ncols=min(len(keys), 6), frameon=False, fontsize=9, labelcolor=style.INK,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
