"""Since when a path of a judged cell leaks, by what earlier searches found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from packaging.version import InvalidVersion, Version

from leakbench.bisect.commits import CommitSpec, split_commit
from leakbench.bisect.findings import (
    BISECT_FILE,
    SWEEP_FILE,
    ChangeRow,
    Findings,
    read_findings,
    search_folder,
)
from leakbench.bisect.releases import split_release
from leakbench.errors import SubjectSpecError
from leakbench.record.result import CellResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What is known of the releases or commits before and after a leaking one."""

    kind: Literal["release", "commit"]
    brought: str
    """Label of the first one that leaks; empty where none is known not to."""
    brought_between: int
    """Those right before it that have no figures: it may have been any of them."""
    fixed: str
    """Label of the first one after it that does not leak; empty where all do."""
    fixed_between: int
    """Those right before it that have no figures."""
    first: str
    """Label of the oldest one measured."""
    last: str
    """Label of the newest one measured."""
    measured: int
    """Those whose figures decide about the path."""
    of: int
    """Those there are from the oldest to the newest end of the search."""


def find_searches(beside: Path, cell: CellResult) -> tuple[Findings, ...]:
    """Return what searches on a cell's own scenario, chunk, model and line of releases left.

    Parameters
    ----------
    beside
        The folder that holds ``since-SCENARIO``, where `leakbench bisect` and `leakbench sweep`
        leave their findings.
    cell
        Of any run.
    """
    folder = search_folder(beside, cell.scenario)
    found = (read_findings(folder / name) for name in (BISECT_FILE, SWEEP_FILE))
    return tuple(
        search
        for search in found
        if search is not None
        and (search.scenario, search.chunk_ms, search.model)
        == (cell.scenario, cell.chunk_ms, cell.model)
        and _place(search, cell) is not None
    )


def find_since(searches: Sequence[Findings], cell: CellResult, path: str) -> Since | None:
    """Return since when a path that leaks in `cell` does; None where no search says it.

    A search that saw it change is believed before one that did not, and then one of a longer
    line before one of a shorter.
    """
    known = [since for search in searches if (since := _since(search, cell, path)) is not None]
    return max(
        known, key=lambda since: (bool(since.brought or since.fixed), since.of), default=None
    )


def _since(search: Findings, cell: CellResult, path: str) -> Since | None:
    # What items weigh is told of the items, `[]`.
    path = next((name for name in (path, f"{path}[]") if name in search.paths), "")
    rows = [row for row in search.probes if path in row.rates]
    decided = [row for row in rows if row.rates[path].state != "undecided"]
    if not path or not decided:
        return None
    places = {row.name: row.position for row in search.probes}
    labels = {row.name: row.label for row in search.probes}
    changes = [change for change in search.changes if change.path == path]
    place = _place(search, cell)
    if place is None:
        return None
    earlier = [change for change in changes if places[change.after] <= place]
    later = [change for change in changes if places[change.after] > place]
    brought: ChangeRow | None = earlier[-1] if earlier else None
    fixed: ChangeRow | None = later[0] if later else None
    if (brought and brought.kind == "fixed") or (fixed and fixed.kind == "leaking"):
        # The search did not find this one leaking: it speaks of something else.
        return None
    return Since(
        kind="release" if "==" in decided[0].name else "commit",
        brought=labels[brought.after] if brought else "",
        brought_between=len(brought.between) if brought else 0,
        fixed=labels[fixed.after] if fixed else "",
        fixed_between=len(fixed.between) if fixed else 0,
        first=decided[0].label,
        last=decided[-1].label,
        measured=len(decided),
        of=len(search.line),
    )


def _place(search: Findings, cell: CellResult) -> int | None:
    """Return where the cell's subject stands on the line; None for one that is not of it."""
    name = next((row.name for row in search.probes), "")
    try:
        project, version = split_release(cell.subject)
    except SubjectSpecError:
        subject, commit = split_commit(f"{cell.subject}:HEAD"), split_commit(name)
        # What a working tree holds is taken to come after the last commit.
        is_of_it = subject and commit and _is_same_subject(subject, commit)
        return len(search.line) if is_of_it else None
    if name.partition("==")[0] != project:
        return None
    versions = [_version(label) for label in search.line]
    return versions.index(version) if version in versions else None


def _is_same_subject(subject: CommitSpec, commit: CommitSpec) -> bool:
    """Whether a subject's path, as typed, may be that of a commit within its checkout."""
    typed, within = (
        [part for part in PurePath(spec.path).parts if part not in ("..", "/")]
        for spec in (subject, commit)
    )
    common = min(len(typed), len(within))
    return (
        (subject.prefix, subject.suffix) == (commit.prefix, commit.suffix)
        and common > 0
        and typed[-common:] == within[-common:]
    )


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
