"""One panel: one path and metric over audio time, for one cell or several laid over each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from leakbench.metrics import PROCESS_PATH, TOTAL_PATH, metric_of
from leakbench.record.result import MetricResult
from leakbench.report.plots import scales, style
from leakbench.report.rows import (
    NOTHING,
    format_level,
    format_slope,
    format_slopes,
    shorten,
)
from leakbench.report.series import (
    CellTraces,
    Panel,
    Series,
    end_seconds,
    find_metric,
    read_series,
)

LEVEL_SPAN: Final = 0.05
"""A panel of RSS or heap spans at least this share of the level, so that jitter of a few
pages does not fill it."""
TITLE_CHARACTERS: Final = 40
EARLY_END: Final = 0.8
"""A curve that ends before this part of the axis has its level written at its own end."""
LABEL_GAP: Final = 0.11
"""Of the axes' height, between two levels written above each other."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell's lines are told apart: by colour and by dashes."""

    colour: str
    dashes: style.Dashes = "-"


@dataclass(frozen=True, slots=True)
class Curve:
    """One cell's lines in a panel: one for each replicate, all alike."""

    look: Look
    replicates: tuple[Series, ...]

    def top(self) -> float:
        """Return the largest value, 0 where there is none."""
        return max((float(s.values.max(initial=0)) for s in self.replicates), default=0.0)

    def level(self) -> float:
        """Return the last value of the first replicate, 0 where there is none."""
        filled = [s for s in self.replicates if len(s.values)]
        return float(filled[0].values[-1]) if filled else 0.0

    def end_seconds(self) -> float:
        """Return the audio-seconds of the last value, 0 where there is none."""
        ends = [float(s.audio_seconds[-1]) for s in self.replicates if len(s.values)]
        return max(ends, default=0.0)


def make_curve(run: CellTraces, panel: Panel, look: Look) -> Curve:
    """Return the line of `run` in `panel`."""
    return Curve(look, tuple(read_series(trace, panel) for trace in run.traces))


def panel_title(panel: Panel) -> str:
    """Return ``stats.decibel · elements``, or the process's own figure by its name."""
    metric = metric_of(panel.metric)
    if panel.path == PROCESS_PATH:
        return metric.heading
    path = "all objects" if panel.path == TOTAL_PATH else shorten(panel.path, TITLE_CHARACTERS)
    return f"{path} · {metric.label}"


def draw_trend(axes: Axes, run: CellTraces, panel: Panel) -> None:
    """Draw one cell: its replicates, the warm-up, the slope and what the budget allows."""
    verdict = find_metric(run.cell, panel)
    judged = verdict is not None and verdict.gated
    colour = style.VERDICT_COLOURS[verdict.verdict] if verdict and judged else style.MUTED
    curve = make_curve(run, panel, Look(colour))
    if curve.top() == 0 and not any(len(s.values) for s in curve.replicates):
        _draw_absence(axes)
        return
    end = end_seconds([run])
    divisor, unit = scales.axis_unit(panel.metric, curve.top())
    clock, clock_unit = scales.time_unit(end)
    warmup = run.cell.warmup_seconds
    if 0 < warmup < end:
        axes.axvspan(0, warmup / clock, color=style.SHADE, linewidth=0, zorder=0)
    limits = [np.concatenate([s.values for s in curve.replicates])]
    if verdict:
        limits += _draw_verdict(axes, curve, verdict, warmup, end, clock, divisor)
    for series in curve.replicates:
        axes.plot(
            series.audio_seconds / clock,
            series.values / divisor,
            color=colour,
            linewidth=1.5,
            alpha=0.9 if len(curve.replicates) == 1 else 0.75,
            solid_capstyle="round",
            marker=_marker(series),
            markersize=4,
            zorder=3,
        )
    values = np.concatenate(limits)
    axes.set_ylim(
        *(
            limit / divisor
            for limit in scales.padded_limits(
                values, least_span=_least_span(panel.metric, values), include_zero=_from_zero(panel)
            )
        )
    )
    axes.set_xlim(0, end / clock)
    scales.plain_ticks(axes)
    scales.plain_time_ticks(axes)
    _dress(axes, unit, clock_unit)
    _write_title(axes, panel, verdict, curve, pending=run.pending)


def draw_overlay(
    axes: Axes, runs: Sequence[CellTraces], looks: Sequence[Look], panel: Panel
) -> None:
    """Draw several cells over each other, the level of each at its end and all slopes above.

    An object's panel is logarithmic where one cell dwarfs another, so that the flat level can
    be read; the total stays linear, so that the shape of the growth can.
    """
    curves = [make_curve(run, panel, look) for run, look in zip(runs, looks, strict=True)]
    verdicts = [find_metric(run.cell, panel) for run in runs]
    warmup = max(run.cell.warmup_seconds for run in runs)
    filled = [curve for curve in curves if any(len(s.values) for s in curve.replicates)]
    if not filled:
        _draw_absence(axes)
        return
    end = end_seconds(runs)
    clock, clock_unit = scales.time_unit(end)
    tops = [curve.top() for curve in filled]
    logarithmic = panel.path not in (PROCESS_PATH, TOTAL_PATH) and scales.needs_log(tops)
    divisor, unit = (1.0, "") if logarithmic else scales.axis_unit(panel.metric, max(tops))
    if 0 < warmup < end:
        axes.axvspan(0, warmup / clock, color=style.SHADE, linewidth=0, zorder=0)
    for curve in filled:
        for series in curve.replicates:
            shown = series.values > 0 if logarithmic else np.isfinite(series.values)
            axes.plot(
                series.audio_seconds[shown] / clock,
                series.values[shown] / divisor,
                color=curve.look.colour,
                linestyle=curve.look.dashes,
                linewidth=1.8,
                alpha=0.9 if len(curve.replicates) == 1 else 0.75,
                marker=_marker(series),
                markersize=4,
                zorder=3,
            )
    values = np.concatenate([s.values for curve in filled for s in curve.replicates])
    if logarithmic:
        scales.log_ticks(axes, panel.metric, float(values[values > 0].min()), float(values.max()))
    else:
        limits = scales.padded_limits(
            values, least_span=_least_span(panel.metric, values), include_zero=_from_zero(panel)
        )
        axes.set_ylim(*(limit / divisor for limit in limits))
        scales.plain_ticks(axes)
    axes.set_xlim(0, end / clock)
    scales.plain_time_ticks(axes)
    _dress(axes, unit, clock_unit)
    words = [format_slopes(verdicts), "(log scale)" if logarithmic else ""]
    _write_heads(axes, panel_title(panel), "  ".join(filter(None, words)))
    _name_ends(axes, filled, panel.metric, divisor, logarithmic=logarithmic)


def _draw_verdict(
    axes: Axes,
    curve: Curve,
    verdict: MetricResult,
    warmup: float,
    end: float,
    clock: float,
    divisor: float,
) -> list[npt.NDArray[np.float64]]:
    """Draw the slope through the replicates' median and the growth the budget allows.

    Returns
    -------
    The values at the ends of the lines drawn, for the limits of the axis.
    """
    late = [
        (s.audio_seconds[s.audio_seconds >= warmup], s.values[s.audio_seconds >= warmup])
        for s in curve.replicates
    ]
    seconds = np.concatenate([x for x, _ in late])
    values = np.concatenate([y for _, y in late])
    if not len(values):
        return []
    span = np.array([min(warmup, end), end])
    drawn = []
    budget = verdict.budget_per_audio_hour
    if budget is not None and verdict.gated:
        start = float(np.median([y[0] for _, y in late if len(y)]))
        allowed = start + budget * (span - span[0]) / 3600
        axes.fill_between(
            span / clock, start / divisor, allowed / divisor,
            color=style.GREEN, alpha=0.18, linewidth=0, zorder=1,
        )  # fmt: skip
        axes.plot(
            span / clock, allowed / divisor, color=style.GREEN, linewidth=1.1, linestyle=":",
            zorder=2, label="budget",
        )  # fmt: skip
        drawn.append(allowed)
    slope = verdict.slope_per_audio_hour
    if slope is not None:
        height = float(np.median(values - slope * seconds / 3600))
        line = height + slope * span / 3600
        axes.plot(
            span / clock, line / divisor, color=style.INK, linewidth=1.1, linestyle=(0, (5, 3)),
            zorder=4, label="slope",
        )  # fmt: skip
        drawn.append(line)
    return drawn


def _write_title(
    axes: Axes, panel: Panel, verdict: MetricResult | None, curve: Curve, *, pending: bool
) -> None:
    if verdict is None:
        level = format_level(curve.level(), panel.metric)
        words, ink = ("no verdict yet" if pending else f"now {level}"), style.MUTED
    else:
        slope = format_slope(verdict)
        words = f"{style.VERDICT_WORDS[verdict.verdict]}  {slope}"
        ink = style.VERDICT_INKS[verdict.verdict]
        if not verdict.gated:
            words = "shown only" if slope == NOTHING else f"{slope}  (shown only)"
            ink = style.MUTED
        elif verdict.verdict == "flat" and (verdict.slope_per_audio_hour or 0.0) > 0:
            words = f"within its budget  {slope}"
    leaks = verdict is not None and verdict.gated and verdict.verdict == "leak"
    _write_heads(axes, panel_title(panel), words, ink=ink, bold=leaks)


def _write_heads(
    axes: Axes, title: str, words: str, *, ink: str = style.MUTED, bold: bool = False
) -> None:
    """Write a panel's title and, below it, its number."""
    # A height given by hand: matplotlib would measure every tick label to find one.
    axes.set_title(
        title, loc="left", y=1.0, pad=19, fontsize=9.5, fontweight="bold", color=style.INK,
        parse_math=False,
    )  # fmt: skip
    axes.text(
        0, 1.03, words, transform=axes.transAxes, fontsize=8.5, color=ink, va="bottom",
        fontweight="bold" if bold else "normal", parse_math=False,
    )  # fmt: skip


def _name_ends(
    axes: Axes, curves: Sequence[Curve], metric: str, divisor: float, *, logarithmic: bool
) -> None:
    """Write each curve's last level beside the axes, once where several read the same.

    A curve that ends well before the others has it at its own end, where nothing stands there.
    """
    low, high = axes.get_ylim()
    if logarithmic:
        low, high = math.log(low), math.log(high)
    last = max(curve.end_seconds() for curve in curves)
    heights: dict[str, float] = {}
    early: list[tuple[float, float, str]] = []
    for curve in curves:
        level = max(curve.level() / divisor, 1e-300)
        height = ((math.log(level) if logarithmic else level) - low) / (high - low)
        text = format_level(curve.level(), metric).removesuffix(" elements")
        if curve.end_seconds() < EARLY_END * last:
            early.append((curve.end_seconds() / last + 0.02, height, text))
        else:
            heights.setdefault(text, min(max(height, 0.0), 1.0))
    # The highest first: of levels that would stand on each other, what leaks is of interest.
    taken: list[float] = list(heights.values())
    for across, height, text in sorted(early, key=lambda label: -label[1]):
        if all(abs(height - other) >= LABEL_GAP for other in taken):
            _write_level(axes, across, height, text)
            taken.append(height)
    for text, height in zip(heights, _spread(list(heights.values())), strict=True):
        _write_level(axes, 1.02, height, text)


def _write_level(axes: Axes, across: float, height: float, text: str) -> None:
    axes.text(
        across, height, text, transform=axes.transAxes, fontsize=8.5, color=style.INK,
        va="center", parse_math=False,
    )  # fmt: skip


def _spread(heights: Sequence[float], *, gap: float = LABEL_GAP) -> list[float]:
    """Return heights in axes fractions, moved up until each is `gap` above the one below."""
    placed = list(heights)
    below = -math.inf
    for index in sorted(range(len(placed)), key=lambda i: placed[i]):
        placed[index] = below = max(placed[index], below + gap)
    return placed


def _dress(axes: Axes, unit: str, clock_unit: str) -> None:
    """Give a panel its grid, its units and nothing else."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(style.MUTED)
    axes.grid(axis="y", color=style.GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=style.MUTED, labelsize=8.5, length=0, pad=3)
    axes.tick_params(axis="x", length=3)
    axes.set_ylabel(unit, fontsize=8.5, color=style.MUTED)
    axes.set_xlabel(f"audio driven ({clock_unit})", fontsize=8.5, color=style.MUTED)


def _draw_absence(axes: Axes) -> None:
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        "not measured",
        ha="center",
        fontsize=9,
        color=style.MUTED,
        transform=axes.transAxes,
    )


def _marker(series: Series) -> str:
    """Return a dot for a series too short to be a line."""
    return "o" if len(series.values) < 3 else ""


def _from_zero(panel: Panel) -> bool:
    """Whether 0 is on the axis: not for what a process holds before any audio."""
    return not metric_of(panel.metric).has_level


def _least_span(name: str, values: npt.NDArray[np.float64]) -> float:
    metric = metric_of(name)
    top = float(np.abs(values).max(initial=0))
    if metric.has_level:
        return LEVEL_SPAN * top
    return max(top, 1e-3 if metric.quantity == "seconds" else 1.0)
