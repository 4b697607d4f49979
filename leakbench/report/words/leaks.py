"""Each leak of a run with all that is known of it, gathered from what is on disk.

What grows, who holds it and who allocates it, a second drive of the cell has said. Which changes
bound it, other cells of the run tell; since when it leaks, what `leakbench bisect` or `sweep`
left beside the run. Neither is stored, so that the next report knows of a later search.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leakbench.bisect.since import Since, find_searches, find_since
from leakbench.errors import OutputError
from leakbench.plan import CELLS_FOLDER
from leakbench.record.explanation import Explanation, Growth, read_explanation
from leakbench.record.result import CellResult, PathState, Result, path_state
from leakbench.report.words.commands import bisect_command, explain_command, remedies_command
from leakbench.subject.resolution import list_remedies, resolve_alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One thing that grows in a cell that leaks."""

    growth: Growth
    since: Since | None
    """None where no search has looked."""
    bounded_by: tuple[str, ...]
    """Remedies with which it was measured not to grow."""
    not_bounded_by: tuple[str, ...]
    """Remedies with which it was measured to leak all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLeaks:
    """A cell that leaks, and what is known of each of its leaks."""

    cell: CellResult
    explanation: Explanation | None
    leaks: tuple[Leak, ...]
    """Most bytes first; none where there is no explanation."""
    explain_command: str
    """What explains the cell; empty where it is explained."""
    bisect_command: str
    """What says since when; empty where that is known, or cannot be."""
    remedies_command: str
    """What shows which remedies bound the leaks; empty where that is known, or there are none."""


def gather_leaks(folder: Path, result: Result) -> tuple[CellLeaks, ...]:
    """Return every cell of a run that leaks, with what is known of it.

    Parameters
    ----------
    folder, result
        Of the run. Searches are looked for beside the folder.

    Raises
    ------
    OutputError
        When an explanation in the folder is not what it should be.
    """
    return tuple(
        _gather_cell(folder, cell, result.cells) for cell in result.cells if cell.verdict == "leak"
    )


def measure_remedies(
    cell: CellResult, path: str, names: Iterable[str], cells: Iterable[CellResult]
) -> dict[str, PathState]:
    """Return what became of a leaking path with each remedy that a run has measured.

    Parameters
    ----------
    cell, path
        That leaks.
    names
        Of remedies: what may follow ``+`` in the spec of the cell's subject.
    cells
        Of the run; those count that were driven as `cell` was.
    """
    base = resolve_alias(cell.subject)
    found = {}
    for name in names:
        for other in cells:
            is_remedied = (
                other.subject.endswith(f"+{name}")
                and resolve_alias(other.subject.removesuffix(f"+{name}")) == base
            )
            if is_remedied and other.verdict != "error" and other.driven_as(cell):
                found[name] = _state_with(other, path, cell)
    return found


def _gather_cell(folder: Path, cell: CellResult, cells: Sequence[CellResult]) -> CellLeaks:
    try:
        explanation = read_explanation(folder / CELLS_FOLDER / cell.id)
    except OutputError as error:
        # The verdict stands without it.
        explanation = Explanation(
            cell=cell.id,
            subject=cell.subject,
            scenario=cell.scenario,
            growths=(),
            error=str(error),
        )
    if explanation is None:
        return CellLeaks(
            cell=cell,
            explanation=None,
            leaks=(),
            explain_command=explain_command(folder, cell),
            bisect_command="",
            remedies_command="",
        )
    names = list_remedies(cell.subject, cell.versions)
    searches = find_searches(folder.parent, cell)
    leaks = []
    for growth in explanation.growths:
        path = growth.path
        states = measure_remedies(cell, path, names, cells) if path else {}
        leaks.append(
            Leak(
                growth=growth,
                since=find_since(searches, cell, path) if path else None,
                bounded_by=tuple(n for n, state in states.items() if state in ("flat", "absent")),
                not_bounded_by=tuple(n for n, state in states.items() if state == "leak"),
            )
        )
    # What no root reaches has no path that a search or another cell could tell of.
    inside = [leak for leak in leaks if leak.growth.inside_roots]
    unplaced = [leak.growth.path for leak in inside if leak.since is None]
    untried = any(not (leak.bounded_by or leak.not_bounded_by) for leak in inside)
    return CellLeaks(
        cell=cell,
        explanation=explanation,
        leaks=tuple(leaks),
        explain_command="",
        # A search follows every path it sees; one that it missed has to be named.
        bisect_command=bisect_command(folder, cell, cells, unplaced[0] if searches else "")
        if unplaced
        else "",
        remedies_command=remedies_command(folder, cell, names) if names and untried else "",
    )


def _state_with(other: CellResult, path: str, cell: CellResult) -> PathState:
    """Return what became of a path in the cell `other`, whose subject differs by a remedy."""
    # What items weigh is told of the items, `[]`.
    state = path_state(m for m in other.metrics if m.path in (path, f"{path}[]"))
    if state == "absent" and _leaking_paths(other) - _leaking_paths(cell):
        # It may have gone on growing under another name.
        return "undecided"
    return state


def _leaking_paths(cell: CellResult) -> set[str]:
    return {m.path for m in cell.metrics if m.gated and m.verdict == "leak"}
