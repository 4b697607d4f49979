"""A run's folder, read: its result and the traces it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leakbench.errors import OutputError
from leakbench.plan import CELLS_FOLDER
from leakbench.record.result import CellResult, Result, read_result
from leakbench.record.trace import Trace, read_trace
from leakbench.report.rows import is_pending
from leakbench.report.series import CellTraces
from leakbench.report.words.deciding import what_would_decide
from leakbench.report.words.leaks import CellLeaks, gather_leaks
from leakbench.report.words.phrases import Paragraph

PLOTS_FOLDER: Final = "plots"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A run's result and the traces it came from."""

    folder: Path
    result: Result
    cells: tuple[CellTraces, ...]
    leaks: tuple[CellLeaks, ...]
    """Every cell that leaks, with what is known of its leaks."""
    undecided: Mapping[str, Paragraph]
    """What would decide each cell that is undecided, by the cell's id."""


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
        cells=tuple(
            CellTraces(cell=c, traces=_read_traces(folder, c), pending=is_pending(c))
            for c in result.cells
        ),
        leaks=gather_leaks(folder, result),
        undecided=gather_undecided(folder, result),
    )


def gather_undecided(folder: Path, result: Result) -> Mapping[str, Paragraph]:
    """Return what would decide each cell of a run that is undecided, by the cell's id."""
    return {
        cell.id: what_would_decide(folder, cell)
        for cell in result.cells
        if cell.verdict == "undecided"
    }


def _read_traces(folder: Path, cell: CellResult) -> tuple[Trace, ...]:
    replicates = (folder / CELLS_FOLDER / cell.id / f"r{k}" for k in range(cell.replicates))
    try:
        return tuple(read_trace(path) for path in replicates)
    except OutputError:
        # The cell's own error says so.
        return ()
