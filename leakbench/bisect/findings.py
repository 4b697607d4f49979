"""What a bisection or a sweep found, as data: the table, the plot and the JSON are made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from leakbench.trace import write_json

SCHEMA: Final = "leakbench.bisect/1"

PathState: TypeAlias = Literal["leak", "flat", "undecided", "absent"]
"""``absent``: the path was never seen, so it held nothing and did not grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRate:
    """How one path grew in one probe."""

    state: PathState
    bytes_per_audio_hour: float
    """Python objects and storage together; 0 where flat or absent."""
    text: str
    """The rate as people read it: ``58.1 KiB a chunk (341 MiB/h)``, ``flat``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRow:
    """One candidate that was looked at."""

    position: int
    """Index into the line."""
    label: str
    name: str
    detail: str
    verdict: Literal["leak", "flat", "undecided", "error"]
    reason: str
    """Why it was skipped, or the sentence behind its verdict."""
    skipped: bool
    """Whether it decides nothing."""
    reused: bool
    """Whether it was measured by an earlier call."""
    audio_seconds: float
    rates: Mapping[str, PathRate]
    """By path, for every path that leaks in any of the candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """Where a path, or the cell as a whole, was fixed or began to leak."""

    path: str
    """Empty for the cell as a whole."""
    kind: Literal["fixed", "leaking"]
    before: str
    """Name of the last candidate of the old kind."""
    after: str
    """Name of the first of the new kind, as far as was measured."""
    between: tuple[str, ...]
    """Candidates between the two that have no figures: the change may be at any of them."""
    rate_before: str
    rate_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that a search found."""

    scenario: str
    command: tuple[str, ...]
    line: tuple[str, ...]
    """Labels of all candidates between the ends, oldest first."""
    change: ChangeRow | None
    """What a bisection was asked for; None for a sweep."""
    paths: tuple[str, ...]
    """Paths that leak in any candidate measured, fastest first."""
    changes: tuple[ChangeRow, ...]
    """Of each of `paths`, oldest first; a path without any leaks in all that were measured."""
    probes: tuple[ProbeRow, ...]
    """Oldest first."""
    measured: int
    """Candidates measured by this call; the rest was measured before."""
    wall_seconds: float
    schema: str = SCHEMA


def write_findings(path: Path, findings: Findings) -> None:
    """Write the findings as JSON, atomically."""
    data: dict[str, Any] = dataclasses.asdict(findings)
    write_json(path, {"schema": data.pop("schema"), **data})
