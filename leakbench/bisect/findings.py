"""What a bisection or a sweep found, as data: the table, the plot and the JSON are made of it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from leakbench.record.files import known_fields, write_json
from leakbench.record.result import PathState

SCHEMA: Final = "leakbench.bisect/1"

BISECT_FILE: Final = "bisect.json"
SWEEP_FILE: Final = "sweep.json"


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
    chunk_ms: int
    """Length of a chunk; 0 where nothing could be measured."""
    model: str
    """As it was named; empty where nothing could be measured."""
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


def search_folder(beside: Path, scenario: str) -> Path:
    """Return where searches on a scenario keep what they find, in the folder of reports."""
    name = re.sub(r"[^\w.=+-]+", "-", scenario)
    return beside / f"since-{name}"


def write_findings(path: Path, findings: Findings) -> None:
    """Write the findings as JSON, atomically."""
    data: dict[str, Any] = dataclasses.asdict(findings)
    write_json(path, {"schema": data.pop("schema"), **data})


def read_findings(path: Path) -> Findings | None:
    """Return the findings in a file; None where there are none that this version reads."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("schema") != SCHEMA:
            return None
        data["change"] = _change(data["change"]) if data["change"] else None
        data["changes"] = tuple(map(_change, data["changes"]))
        data["probes"] = tuple(map(_probe, data["probes"]))
        for name in ("command", "line", "paths"):
            data[name] = tuple(data[name])
        return Findings(**known_fields(Findings, data))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _change(row: Mapping[str, Any]) -> ChangeRow:
    return ChangeRow(**{**known_fields(ChangeRow, row), "between": tuple(row["between"])})


def _probe(row: Mapping[str, Any]) -> ProbeRow:
    rates = {path: PathRate(**known_fields(PathRate, rate)) for path, rate in row["rates"].items()}
    return ProbeRow(**{**known_fields(ProbeRow, row), "rates": rates})
