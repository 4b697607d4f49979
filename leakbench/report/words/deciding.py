"""What would decide a cell that is undecided: the command, and what it takes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from leakbench.errors import UsageError
from leakbench.metrics import PROCESS_PATH
from leakbench.plan import Cell, Plan, read_plan
from leakbench.record.result import CellResult
from leakbench.report.words.commands import again_command
from leakbench.report.words.phrases import Paragraph, command, words
from leakbench.units import format_duration

SEVERAL: Final = 4
"""Processes that decide on a noisy heap: three left one clean run in four undecided, four none."""
LONG_SECONDS: Final = 600.0
"""Audio from which on more processes tell more of a noisy heap than more audio does."""


def what_would_decide(folder: Path, cell: CellResult) -> Paragraph:
    """Return what would decide a cell of the run in `folder`; empty where it is decided."""
    if cell.verdict != "undecided":
        return ()
    plan, planned = _planned(folder, cell)
    if planned is not None and not _was_driven_as(planned, cell):
        opening = "It was not driven as planned; "
        seconds, replicates = planned.audio_seconds, planned.replicates
    elif _is_noise(cell):
        opening = "Its figures are noisy; several processes may decide it: "
        seconds, replicates = _driven_seconds(cell), SEVERAL
    else:
        opening = "More audio may decide it: "
        usual = planned.scenario.audio_seconds if planned is not None else 0.0
        seconds, replicates = max(more_audio_seconds(cell), usual), cell.replicates
    jobs = plan.jobs if plan is not None else 1
    typed = again_command(folder, cell, planned, audio_seconds=seconds, replicates=replicates)
    return (
        words(opening),
        command(typed),
        words(f" drives {_effort(cell, seconds, replicates, jobs)}."),
    )


def more_audio_seconds(cell: CellResult) -> float:
    """Return the audio a process that an undecided cell should be driven next time, at most.

    Twice as much as it was: the whole search then costs at most four times the audio that decides.
    """
    return max(2 * _driven_seconds(cell), cell.audio_wanted_seconds or 0.0)


def wall_seconds(cell: CellResult, audio_seconds: float) -> float | None:
    """Return how long `audio_seconds` take, at the speed that the cell was driven.

    A second at least, for a worker has to start, too.
    """
    return max(audio_seconds / cell.speed, 1.0) if cell.speed > 0 else None


def _effort(cell: CellResult, seconds: float, replicates: int, jobs: int) -> str:
    each = f" in each of {replicates} processes" if replicates > 1 else ""
    wall = wall_seconds(cell, seconds * math.ceil(replicates / jobs))
    takes = f", which takes about {format_duration(wall)}" if wall is not None else ""
    return f"{format_duration(seconds)} of audio{each} at most{takes}"


def _planned(folder: Path, cell: CellResult) -> tuple[Plan | None, Cell | None]:
    try:
        plan = read_plan(folder)
    except UsageError:
        return None, None
    return plan, next((planned for planned in plan.cells if planned.id == cell.id), None)


def _was_driven_as(planned: Cell, cell: CellResult) -> bool:
    unharmed = all(ending in ("completed", "stopped") for ending in cell.endings)
    return unharmed and len(cell.endings) >= planned.replicates


def _is_noise(cell: CellResult) -> bool:
    """Whether nothing but figures of the process itself is undecided, and audio did not help."""
    undecided = [m for m in cell.metrics if m.gated and m.verdict == "undecided"]
    return (
        bool(undecided)
        and all(m.path == PROCESS_PATH and m.tier == "banded" for m in undecided)
        and cell.replicates < SEVERAL
        and _driven_seconds(cell) >= LONG_SECONDS
    )


def _driven_seconds(cell: CellResult) -> float:
    return cell.audio_seconds / max(cell.replicates, 1)
