"""Which cells belong in one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leakbench.record.result import CellResult
from leakbench.report.series import CellTraces


def overlay_groups(cells: Iterable[CellTraces]) -> list[tuple[CellTraces, ...]]:
    """Return the cells that were driven alike, the leaking ones of each group first.

    Cells are alike in scenario, chunk and model; a group has at least two with samples, and
    none that ended in an error: what it held by then compares with nothing. Where any group
    leaks only those that do are returned, since flat over flat shows nothing.
    """
    alike: dict[tuple[str, int, str], list[CellTraces]] = {}
    for run in cells:
        if run.cell.verdict != "error" and any(trace.samples for trace in run.traces):
            cell = run.cell
            alike.setdefault((cell.scenario, cell.chunk_ms, cell.model), []).append(run)
    groups = [
        tuple(sorted(group, key=lambda run: not _leaks(run.cell)))
        for group in alike.values()
        if len(group) > 1
    ]
    return [group for group in groups if _leaks(group[0].cell)] or groups


def overlay_name(group: Sequence[CellTraces]) -> str:
    """Return the file name of a group's overlay, without its suffix."""
    return f"overlay--{group[0].cell.id.partition('--')[2]}"


def _leaks(cell: CellResult) -> bool:
    return cell.expect == "leak" or cell.verdict == "leak"
