"""How fast each path grows, release by release: the picture of a bisection or a sweep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from leakbench.bisect.findings import Findings, ProbeRow
from leakbench.report.plots import style
from leakbench.report.rows import shorten
from leakbench.units import format_bytes

SHOWN_LINES: Final = 6
"""Lines that can be told apart; slower ones are in the table only."""
_WIDTH: Final = 10.65
_HEIGHT: Final = 5.0
_ALL_LABELS: Final = 64
"""Candidates up to which each has room for its label."""
_SMALLEST_LABELS: Final = 110
_MARKERS: Final = ("o", "s", "D", "^", "v", "P")


def plot_release_steps(findings: Findings) -> Figure:
    """Return the rate of each growing path, in bytes an audio-hour, as steps over the releases.

    Filled marks are measured, dotted stretches are not; hatched releases could not be
    measured. The rate axis is logarithmic above its zero. Paths with the same rates share a
    line.
    """
    figure = Figure(figsize=(_WIDTH, _HEIGHT), facecolor=style.PAPER)
    axes = figure.add_axes((0.095, 0.25, 0.885, 0.52))
    groups = _group_paths(findings)
    rates = [rate for series in groups.values() for rate in series.values() if rate > 0]
    for (names, series), number in zip(groups.items(), range(SHOWN_LINES), strict=False):
        _draw_steps(axes, names, series, number)
    _scale_rates(axes, rates)
    _mark_skipped(axes, findings)
    _mark_changes(axes, findings)
    _label_releases(axes, findings)
    _write_around(figure, axes, findings, hidden=max(0, len(groups) - SHOWN_LINES))
    return figure


def _group_paths(findings: Findings) -> dict[str, dict[int, float]]:
    """Return position to rate for each line, by the names of the paths it stands for."""
    grouped: dict[tuple[tuple[int, float], ...], list[str]] = {}
    for path in findings.paths:
        series = tuple(
            (row.position, row.rates[path].bytes_per_audio_hour)
            for row in findings.probes
            if path in row.rates
        )
        grouped.setdefault(series, []).append(path)
    return {", ".join(paths): dict(series) for series, paths in grouped.items()}


def _draw_steps(axes: Axes, name: str, series: Mapping[int, float], number: int) -> None:
    colours = (style.BEFORE_COLOUR, *style.AFTER_COLOURS)
    colour, dashes = colours[number % len(colours)], style.LINE_STYLES[number % 5]
    places = sorted(series)
    axes.plot(
        places, [series[p] for p in places], drawstyle="steps-mid", color=colour,
        linewidth=1, linestyle=(0, (1, 2.5)), zorder=2,
    )  # fmt: skip
    for run in _neighbours(places):
        axes.plot(
            run, [series[p] for p in run], drawstyle="steps-mid", color=colour, linewidth=2,
            linestyle=dashes, zorder=3,
        )  # fmt: skip
    axes.plot(
        places, [series[p] for p in places], linestyle="none", marker=_MARKERS[number],
        markersize=4.5, color=colour, zorder=4,
    )  # fmt: skip
    axes.plot([], [], color=colour, linewidth=2, linestyle=dashes, marker=_MARKERS[number],
              markersize=4.5, label=shorten(name, 60))  # fmt: skip


def _neighbours(places: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _scale_rates(axes: Axes, rates: Sequence[float]) -> None:
    """Make the axis logarithmic from below the smallest rate, with a zero at its foot."""
    smallest, largest = min(rates, default=1024.0), max(rates, default=1024.0)
    foot = 2.0 ** math.floor(math.log2(smallest) - 1)
    axes.set_yscale("symlog", base=2, linthresh=foot, linscale=0.7)
    axes.set_ylim(-foot * 0.35, largest * 2.2)
    first, last = math.ceil(math.log2(foot)), math.floor(math.log2(largest * 1.5))
    step = max(1, round((last - first) / 5))
    ticks = [0.0, *(2.0**power for power in range(last, first, -step))]
    axes.yaxis.set_major_locator(FixedLocator(sorted(ticks)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "0" if value == 0 else f"{format_bytes(value)}/h")
    )
    axes.tick_params(axis="y", labelsize=9, colors=style.INK, length=0)
    axes.grid(axis="y", color=style.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(style.MUTED)


def _mark_skipped(axes: Axes, findings: Findings) -> None:
    for row in findings.probes:
        if row.skipped:
            axes.axvspan(
                row.position - 0.5, row.position + 0.5, facecolor=style.SHADE,
                edgecolor=style.GRID, hatch="////", linewidth=0, zorder=1,
            )  # fmt: skip


def _mark_changes(axes: Axes, findings: Findings) -> None:
    """Draw a line where something changes; the words stand above, apart from each other."""
    positions = {row.name: row.position for row in findings.probes}
    found: dict[tuple[int, int, str], list[str]] = {}
    for change in findings.changes:
        key = (positions[change.before], positions[change.after], change.kind)
        found.setdefault(key, []).append(change.path)
    labels = {row.position: row.label for row in findings.probes}
    taken: list[float] = []
    last = len(findings.line) - 1
    for (before, after, kind), paths in sorted(found.items()):
        middle = (before + after) / 2
        axes.axvline(middle, color=style.INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1.5)
        word = "first fixed" if kind == "fixed" else "first leaking"
        where = labels[after] if after == before + 1 else f"{labels[before]} to {labels[after]}"
        what = f"{len(paths)} paths" if len(paths) > 1 else paths[0]
        # Changes near each other take lines of their own above the axes.
        level = sum(abs(middle - other) < last * 0.3 for other in taken)
        taken.append(middle)
        axes.annotate(
            f"{where} {word}: {what}", (middle, 1), xycoords=("data", "axes fraction"),
            xytext=(0, 3 + 12 * level), textcoords="offset points", fontsize=9,
            ha="left" if middle < last * 0.3 else "right" if middle > last * 0.7 else "center",
            color=style.INK, parse_math=False, annotation_clip=False,
        )  # fmt: skip


def _label_releases(axes: Axes, findings: Findings) -> None:
    count = len(findings.line)
    measured = {row.position for row in findings.probes}
    shown = (
        range(count)
        if count <= _ALL_LABELS
        else _apart(sorted(measured), max(1, count // _SMALLEST_LABELS))
    )
    axes.set_xlim(-0.7, count - 0.3)
    axes.set_xticks(list(shown), [findings.line[place] for place in shown], rotation=90)
    axes.tick_params(axis="x", labelsize=8, length=2, color=style.MUTED)
    for place, text in zip(shown, axes.get_xticklabels(), strict=True):
        text.set_color(style.INK if place in measured else style.MUTED)
        text.set_parse_math(False)


def _apart(places: Sequence[int], spacing: int) -> list[int]:
    """Return `places` without those closer than `spacing` to the one before."""
    kept: list[int] = []
    for place in places:
        if not kept or place - kept[-1] >= spacing:
            kept.append(place)
    return kept


def _write_around(figure: Figure, axes: Axes, findings: Findings, *, hidden: int) -> None:
    left = 0.2 / _WIDTH
    figure.text(
        left, 0.965, f"Growth by release on {findings.scenario}", fontsize=14,
        fontweight="bold", va="top", color=style.INK, parse_math=False,
    )  # fmt: skip
    figure.text(
        left, 0.905, shorten(describe_release_steps(findings), 150), fontsize=9.5, va="top",
        color=style.MUTED, parse_math=False,
    )  # fmt: skip
    handles: list[Line2D | Patch] = [line for line in axes.get_lines() if _is_key(line)]
    if any(row.skipped for row in findings.probes):
        handles.append(
            Patch(facecolor=style.SHADE, edgecolor=style.GRID, hatch="////", label="skipped")
        )
    if len(findings.probes) < len(findings.line):
        handles.append(
            Line2D(
                [],
                [],
                color=style.MUTED,
                linewidth=1,
                linestyle=(0, (1, 2.5)),
                label="not measured",
            )
        )
    legend = figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.12 / _WIDTH, 0.01), ncols=3,
        frameon=False, fontsize=9, labelcolor=style.INK, handlelength=2.6, columnspacing=1.8,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    if hidden:
        figure.text(
            1 - left, 0.02, f"{hidden} slower in the table", fontsize=8.5, ha="right",
            color=style.MUTED,
        )  # fmt: skip


def _is_key(line: Line2D) -> bool:
    return not str(line.get_label()).startswith("_")


def describe_release_steps(findings: Findings) -> str:
    """Return what the picture shows, for those who cannot see it."""
    rows: tuple[ProbeRow, ...] = findings.probes
    skipped = sum(row.skipped for row in rows)
    return (
        f"bytes an audio-hour of each growing path, over the {len(findings.line)} releases from "
        f"{findings.line[0]} to {findings.line[-1]}; {len(rows) - skipped} measured"
        + (f", {skipped} skipped" if skipped else "")
    )
