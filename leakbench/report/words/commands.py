"""What to type to know more of a leak than a run has measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from leakbench.bisect.commits import split_commit
from leakbench.bisect.findings import search_folder
from leakbench.bisect.releases import split_release
from leakbench.errors import ScenarioError, SubjectSpecError
from leakbench.plan import REPORTS_FOLDER, SCENARIOS_FOLDER, Cell
from leakbench.record.result import CellResult
from leakbench.scenario import load_scenario, shipped_scenarios
from leakbench.text import command_line
from leakbench.units import write_duration

_UNKNOWN: Final = "ONE_THAT_DOES_NOT_LEAK"
"""Stands for an end of the search that only the reader may know."""
_ARCHIVES: Final = (".whl", ".gz", ".zip")
"""Of a release that is in no checkout."""


def explain_command(folder: Path, cell: CellResult) -> str:
    """Return what runs a cell of the run in `folder` again and explains its leaks."""
    return _command("run", "--subject", cell.subject, *_arguments(folder, cell), "--explain")


def again_command(
    folder: Path,
    cell: CellResult,
    planned: Cell | None,
    *,
    audio_seconds: float,
    replicates: int,
) -> str:
    """Return what drives a cell of the run in `folder` again, by more audio or processes.

    Parameters
    ----------
    planned
        What was asked of the cell, where that is known: its budgets and the like.
    """
    asked: list[str] = []
    if planned is not None:
        for rule in planned.rules:
            target = f"{rule.path}:{rule.metric}" if rule.metric else rule.path
            asked += ["--budget", f"{target}={rule.budget}"]
        asked += ["--expect", planned.expect] if planned.expect else []
        for pattern in planned.leaks_in:
            asked += ["--leaks-in", pattern]
    several = ("--replicates", str(replicates)) if replicates > 1 else ()
    return _command(
        *("run", "--subject", cell.subject, *_arguments(folder, cell, planned), *asked),
        *("--audio", write_duration(audio_seconds), *several),
    )


def remedies_command(folder: Path, cell: CellResult, names: Sequence[str]) -> str:
    """Return what shows which of the remedies `names` bound a cell's leaks."""
    subjects = (cell.subject, *(f"{cell.subject}+{name}" for name in names))
    options = (part for subject in subjects for part in ("--subject", subject))
    return _command("run", *options, *_arguments(folder, cell))


def bisect_command(
    folder: Path, cell: CellResult, cells: Iterable[CellResult], path: str = ""
) -> str:
    """Return what says since when a cell leaks; empty where its subject has no history.

    Parameters
    ----------
    folder, cells
        Of the run: a release that is flat in it is the good end, and what the search finds is
        kept beside it.
    cell
        One that leaks.
    path
        To look for alone; empty for the cell as a whole.
    """
    ends = _ends(cell, cells)
    if ends is None:
        return ""
    bad, good = ends
    only = ("--path", path) if path else ()
    beside = folder.parent
    output = ("--output", str(search_folder(beside, cell.scenario)))
    return _command(
        "bisect",
        *_arguments(folder, cell),
        *only,
        *("--bad", bad, "--good", good),
        *(output if beside != REPORTS_FOLDER else ()),
    )


def _ends(cell: CellResult, cells: Iterable[CellResult]) -> tuple[str, str] | None:
    """Return the specs of the leaking end and the other; None where there is no line."""
    if "+" in cell.subject:
        return None
    project = _project(cell.subject)
    if project:
        flat = (
            other.subject
            for other in cells
            if other.verdict == "flat"
            and other.driven_as(cell)
            and _project(other.subject) == project
        )
        return cell.subject, next(flat, f"{project}=={_UNKNOWN}")
    commit = split_commit(f"{cell.subject}:HEAD")
    if commit is None or commit.path.suffix in _ARCHIVES:
        return None
    return f"{cell.subject}:HEAD", f"{cell.subject}:{_UNKNOWN}"


def _project(spec: str) -> str:
    try:
        return split_release(spec)[0]
    except SubjectSpecError:
        return ""


def _arguments(folder: Path, cell: CellResult, planned: Cell | None = None) -> list[str]:
    """Return the options that drive a subject as `cell` was, and as was `planned` where known."""
    copy = folder / SCENARIOS_FOLDER / f"{cell.scenario}.toml"
    shipped = shipped_scenarios().get(cell.scenario)
    is_shipped = shipped is not None and (
        not copy.is_file() or copy.read_bytes() == shipped.read_bytes()
    )
    named = cell.scenario if is_shipped or not copy.is_file() else str(copy)
    arguments = ["--scenario", named]
    try:
        scenario = load_scenario(named)
    except ScenarioError:
        return [*arguments, "--chunk-ms", str(cell.chunk_ms), "--model", cell.model]
    if cell.chunk_ms != scenario.chunk_ms:
        arguments += ["--chunk-ms", str(cell.chunk_ms)]
    if cell.model != "embedded":
        arguments += ["--model", cell.model]
    arguments += ["--seed", str(cell.seed)] if planned is not None and cell.seed else []
    if scenario.recordings:
        known = planned.recordings if planned is not None else None
        arguments += ["--recordings", str(known or "FOLDER")]
    return arguments


def _command(*parts: str) -> str:
    return command_line(("leakbench", *parts))
