"""Figures of a run: a cell's trends, and several cells laid over each other.

Figures are built with matplotlib's objects and never touch pyplot, so nothing here has
global state or needs a display. :mod:`leakbench.report.plots.figures` saves them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from leakbench.report.plots import style
from leakbench.report.plots.panels import Look, draw_overlay, draw_trend, panel_title
from leakbench.report.rows import shorten, worst_row
from leakbench.report.series import CellTraces, Panel, choose_panels
from leakbench.text import printable
from leakbench.units import format_duration

COLUMNS: Final = 3
PANEL_WIDTH: Final = 3.55
"""Inches of a panel with its labels."""
PANEL_HEIGHT: Final = 2.2
HEADER: Final = 0.85
"""Inches above the panels of a whole figure."""
FOOTER: Final = 0.42
_KEY_LINE: Final = 0.21
"""Inches of a line of keys."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 0.72, 0.2, 0.5, 0.5
"""Inches around the axes of a panel."""
_NAMED_AT_MOST: Final = 2
"""Subjects that a title names besides the first."""
SHORTEST: Final = 40
"""Characters that a title has in any case."""
_LEVEL_ROOM: Final = 0.66
"""Inches right of an overlay's axes, where the levels stand."""


def plot_cell(run: CellTraces) -> Figure:
    """Return the trends of one cell over audio time.

    Small multiples: the named buffers, whatever grew, the total, heap, RSS and time a chunk;
    a thin line for each replicate, the warm-up shaded, the slope dashed, and the growth that
    the budget allows as a wedge.
    """
    panels = choose_panels([run])
    figure, grid = _grid(len(panels), right=_RIGHT)
    for axes, panel in zip(grid, panels, strict=True):
        draw_trend(axes, run, panel)
    _head(figure, _cell_title(run), _cell_sentence(run))
    _foot(figure, _trend_keys(), _driven(run))
    return figure


def plot_trend(run: CellTraces, panel: Panel) -> Figure:
    """Return one panel of :func:`plot_cell` as a picture of its own."""
    figure, (axes,) = _alone(right=_RIGHT)
    draw_trend(axes, run, panel)
    return figure


def plot_overlay(before: CellTraces, *after: CellTraces) -> Figure:
    """Return `before` and each of `after` laid over each other, panel by panel.

    Where one dwarfs the other by more than :data:`leakbench.report.plots.scales.LOG_RATIO` the
    axis is logarithmic and says so. The level at the end of each line stands beside it.
    """
    runs = (before, *after)
    panels = choose_panels(runs)
    names = [run.cell.subject for run in runs]
    cell = before.cell
    keys: list[Line2D | Patch] = [
        Line2D(
            [], [], color=look.colour, linestyle=look.dashes, linewidth=2, label=shorten(name, 36)
        )
        for name, look in zip(names, overlay_looks(len(runs)), strict=True)
    ]
    if cell.warmup_seconds > 0:
        keys.append(_warmup_key())
    footer = FOOTER + math.ceil(len(keys) / COLUMNS) * _KEY_LINE
    figure, grid = _grid(len(panels), right=_LEVEL_ROOM, footer=footer)
    for axes, panel in zip(grid, panels, strict=True):
        draw_overlay(axes, runs, overlay_looks(len(runs)), panel)
    title = f"{_against(names)}  ·  {_where(before)}"
    _head(figure, title, "   ".join(_overlay_sentences(runs)))
    _foot(
        figure,
        keys,
        "a line a process, its level at the end; growth an audio-hour above",
        note_below=True,
    )
    return figure


def plot_overlay_panel(runs: Sequence[CellTraces], panel: Panel) -> Figure:
    """Return one panel of :func:`plot_overlay` as a picture of its own."""
    figure, (axes,) = _alone(right=_LEVEL_ROOM)
    draw_overlay(axes, runs, overlay_looks(len(runs)), panel)
    return figure


def describe_panel(panel: Panel, runs: Sequence[CellTraces]) -> str:
    """Return what a panel shows, for those who cannot see it."""
    names = " and ".join(run.cell.subject for run in runs)
    return f"{panel_title(panel)} over audio time: {names} on {runs[0].cell.scenario}"


def overlay_looks(count: int) -> list[Look]:
    """Return how the lines of `count` overlaid cells look, the first one before, the rest after."""
    after = style.AFTER_COLOURS
    colours = [style.BEFORE_COLOUR, *(after[i % len(after)] for i in range(count - 1))]
    dashes = style.LINE_STYLES
    return [Look(colour, dashes[i % len(dashes)]) for i, colour in enumerate(colours)]


def _against(names: Sequence[str]) -> str:
    """Return what is compared: no more names than a title holds, as the keys have them all."""
    before, *after = names
    if len(after) > _NAMED_AT_MOST:
        return f"{before} against {len(after)} others"
    return f"{before} against {', '.join(after)}" if after else before


def _grid(count: int, *, right: float, footer: float = FOOTER) -> tuple[Figure, list[Axes]]:
    columns = max(1, min(COLUMNS, count))
    lines = max(1, math.ceil(count / columns))
    width = COLUMNS * PANEL_WIDTH
    height = HEADER + lines * PANEL_HEIGHT + footer
    figure = Figure(figsize=(width, height), facecolor=style.PAPER)
    made = []
    for index in range(count):
        line, column = divmod(index, columns)
        made.append(
            figure.add_axes(
                (
                    (column * PANEL_WIDTH + _LEFT) / width,
                    (footer + (lines - 1 - line) * PANEL_HEIGHT + _BOTTOM) / height,
                    (PANEL_WIDTH - _LEFT - right) / width,
                    (PANEL_HEIGHT - _TOP - _BOTTOM) / height,
                )
            )
        )
    return figure, made


def _alone(*, right: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(PANEL_WIDTH, PANEL_HEIGHT), facecolor="none")
    axes = figure.add_axes(
        (
            _LEFT / PANEL_WIDTH,
            _BOTTOM / PANEL_HEIGHT,
            (PANEL_WIDTH - _LEFT - right) / PANEL_WIDTH,
            (PANEL_HEIGHT - _TOP - _BOTTOM) / PANEL_HEIGHT,
        ),
        facecolor="none",
    )
    return figure, [axes]


def _head(figure: Figure, title: str, sentence: str) -> None:
    width, height = figure.get_size_inches()
    left = 0.2 / width
    head = figure.text(
        left, 1 - 0.2 / height, title, fontsize=14, fontweight="bold", va="top",
        color=style.INK, parse_math=False,
    )  # fmt: skip
    told = figure.text(
        left, 1 - 0.52 / height, sentence, fontsize=9.5, va="top",
        color=style.MUTED, parse_math=False,
    )  # fmt: skip
    for line in (head, told):
        _fit(line, figure)


def _fit(line: Text, figure: Figure) -> None:
    """Shorten a line that begins at the left edge until it ends before the right one."""
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    width = figure.get_size_inches()[0] * figure.dpi
    # No font has half characters or escapes.
    whole = printable(line.get_text())
    line.set_text(whole)
    edge = width - line.get_window_extent(renderer).x0
    for characters in range(len(whole), SHORTEST, -2):
        line.set_text(shorten(whole, characters))
        if line.get_window_extent(renderer).x1 <= edge:
            break


def _foot(
    figure: Figure, keys: Sequence[Line2D | Patch], note: str, *, note_below: bool = False
) -> None:
    width, height = figure.get_size_inches()
    bottom = 0.06 + (_KEY_LINE if note_below else 0.0)
    legend = figure.legend(
        handles=list(keys), loc="lower left", bbox_to_anchor=(0.12 / width, bottom / height),
        ncols=COLUMNS if note_below else len(keys), frameon=False, fontsize=9,
        labelcolor=style.INK, handlelength=2.4, columnspacing=1.8,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    figure.text(
        1 - 0.2 / width, 0.2 / height, note, fontsize=8.5, ha="right", va="center",
        color=style.MUTED, parse_math=False,
    )  # fmt: skip


def _trend_keys() -> list[Line2D | Patch]:
    return [
        Line2D([], [], color=style.MUTED, linewidth=1.6, label="measured, a line a process"),
        Line2D([], [], color=style.INK, linewidth=1.1, linestyle=(0, (5, 3)), label="slope"),
        Patch(facecolor=style.GREEN, alpha=0.3, label="allowed by the budget"),
        _warmup_key(),
    ]


def _warmup_key() -> Patch:
    return Patch(facecolor=style.SHADE, edgecolor=style.GRID, label="warm-up")


def _where(run: CellTraces) -> str:
    cell = run.cell
    return f"{cell.scenario}, {cell.chunk_ms} ms chunks, model {cell.model}"


def _cell_title(run: CellTraces) -> str:
    return f"{run.cell.subject} on {_where(run)}"


def _cell_sentence(run: CellTraces) -> str:
    cell = run.cell
    if run.pending:
        return "no verdict yet: the run goes on, or was stopped before it was judged"
    words = style.VERDICT_WORDS[cell.verdict]
    return f"{words}: {cell.error or cell.reason}" if cell.error or cell.reason else words


def _overlay_sentences(runs: Sequence[CellTraces]) -> list[str]:
    named = runs if len(runs) <= _NAMED_AT_MOST + 1 else runs[:1]
    sentences = []
    for run in named:
        worst = worst_row(run.cell)
        words = _verdict_words(run)
        if worst and run.cell.verdict == "leak":
            words += f" ({worst.name} {worst.slope})"
        sentences.append(f"{run.cell.subject}: {words}.")
    others = Counter(_verdict_words(run) for run in runs[len(named) :])
    if others:
        sentences.append(f"The others: {', '.join(f'{n} {w}' for w, n in others.items())}.")
    return sentences


def _verdict_words(run: CellTraces) -> str:
    return "no verdict yet" if run.pending else style.VERDICT_WORDS[run.cell.verdict]


def _driven(run: CellTraces) -> str:
    cell = run.cell
    processes = f"{cell.replicates} process{'es' if cell.replicates != 1 else ''}"
    return f"{format_duration(cell.audio_seconds)} of audio in {processes}"
