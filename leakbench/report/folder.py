"""A run's folder and everything that is drawn and written from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leakbench.plan import CELLS_FOLDER
from leakbench.report.figures import save_figure
from leakbench.report.plots import plot_cell, plot_overlay
from leakbench.report.series import CellTraces
from leakbench.result import CellResult, Result, read_result
from leakbench.trace import Trace, read_trace

PLOTS_FOLDER: Final = "plots"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A run's result and the traces it came from."""

    folder: Path
    result: Result
    cells: tuple[CellTraces, ...]


def read_run(folder: Path) -> RunFolder:
    """Read a run's folder, whether the run has ended, goes on or was killed.

    Raises
    ------
    OutputError
        When there is no result, or a file in the folder is not what it should be.
    """
    result = read_result(folder)
    return RunFolder(
        folder=folder,
        result=result,
        cells=tuple(CellTraces(cell=c, traces=_read_traces(folder, c)) for c in result.cells),
    )


def write_report(folder: Path) -> list[Path]:
    """Draw and write everything that a run's folder has to show, and return the files.

    Raises
    ------
    OutputError
        When `folder` holds no result.
    OSError
        When `folder` cannot be written.
    """
    return write_plots(read_run(folder))


def write_plots(run: RunFolder) -> list[Path]:
    """Write the trends of every cell that has samples, and the overlays, as PNG and SVG."""
    plots = run.folder / PLOTS_FOLDER
    plots.mkdir(exist_ok=True)
    written = []
    for cell in run.cells:
        if any(trace.samples for trace in cell.traces):
            written += save_figure(plot_cell(cell), plots / cell.cell.id)
    for group in overlay_groups(run.cells):
        written += save_figure(plot_overlay(*group), plots / overlay_name(group))
    return written


def overlay_groups(cells: Iterable[CellTraces]) -> list[tuple[CellTraces, ...]]:
    """Return the cells that were driven alike, the leaking ones of each group first.

    Cells are alike in scenario, chunk and model; a group has at least two with samples.
    """
    alike: dict[tuple[str, int, str], list[CellTraces]] = {}
    for run in cells:
        if any(trace.samples for trace in run.traces):
            cell = run.cell
            alike.setdefault((cell.scenario, cell.chunk_ms, cell.model), []).append(run)
    return [
        tuple(sorted(group, key=lambda run: not _leaks(run.cell)))
        for group in alike.values()
        if len(group) > 1
    ]


def overlay_name(group: Sequence[CellTraces]) -> str:
    """Return the file name of a group's overlay, without its suffix."""
    return f"overlay--{group[0].cell.id.partition('--')[2]}"


def _leaks(cell: CellResult) -> bool:
    return cell.expect == "leak" or cell.verdict == "leak"


def _read_traces(folder: Path, cell: CellResult) -> tuple[Trace, ...]:
    replicates = (folder / CELLS_FOLDER / cell.id / f"r{k}" for k in range(cell.replicates))
    return tuple(read_trace(path) for path in replicates)
