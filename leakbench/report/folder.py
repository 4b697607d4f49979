"""Everything that is drawn and written from a run's folder, finished or not."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from leakbench.report.groups import overlay_groups, overlay_name
from leakbench.report.junit import junit_xml
from leakbench.report.page.page import render_page
from leakbench.report.plots.figures import save_figure
from leakbench.report.plots.plots import plot_cell, plot_overlay
from leakbench.report.run_folder import PLOTS_FOLDER, RunFolder, read_run
from leakbench.report.series import CellTraces
from leakbench.report.summary import markdown_summary

PAGE_FILE: Final = "report.html"
SUMMARY_FILE: Final = "summary.md"
JUNIT_FILE: Final = "junit.xml"

FEW_PICTURES: Final = 6
"""Drawn sooner by one process than others take to start."""


def write_report(folder: Path) -> list[Path]:
    """Draw and write everything that a run's folder has to show, and return the files.

    Raises
    ------
    OutputError
        When `folder` holds no result.
    OSError
        When `folder` cannot be written.
    """
    run = read_run(folder)
    texts = {
        SUMMARY_FILE: markdown_summary(run.result, run.leaks, run.undecided),
        JUNIT_FILE: junit_xml(run.result, run.leaks),
        PAGE_FILE: render_page(run, others=(SUMMARY_FILE, JUNIT_FILE)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [*(folder / name for name in texts), *write_plots(run)]


def write_plots(run: RunFolder) -> list[Path]:
    """Write the trends of every cell that has samples, and the overlays, as PNG and SVG.

    Drawn in as many processes as there are cores: a picture takes a second, and a gate has
    dozens.
    """
    plots = run.folder / PLOTS_FOLDER
    plots.mkdir(exist_ok=True)
    sampled = [cell for cell in run.cells if any(trace.samples for trace in cell.traces)]
    groups = overlay_groups(run.cells)
    if len(sampled) + len(groups) <= FEW_PICTURES:
        written = [_draw_cell(cell, plots) for cell in sampled]
        written += [_draw_overlay(group, plots) for group in groups]
    else:
        # Spawned, not forked: the caller may have threads.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            pending = [pool.submit(_draw_cell, cell, plots) for cell in sampled]
            pending += [pool.submit(_draw_overlay, group, plots) for group in groups]
            written = [drawing.result() for drawing in pending]
    return [path for paths in written for path in paths]


def _draw_cell(cell: CellTraces, plots: Path) -> list[Path]:
    return save_figure(plot_cell(cell), plots / cell.cell.id)


def _draw_overlay(group: Sequence[CellTraces], plots: Path) -> list[Path]:
    return save_figure(plot_overlay(*group), plots / overlay_name(group))
