"""What a run is going to do: its cells, and the manifest that lets anyone judge it again."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from leakbench.errors import ConfigError, OutputError
from leakbench.record.files import build, list_of, read_mapping, write_json
from leakbench.record.trace import EXPLAIN_FOLDER
from leakbench.scenario import Scenario, load_scenario
from leakbench.subject import ResolvedSubject
from leakbench.units import parse_budget
from leakbench.verdict.assess import BudgetRule

MANIFEST_FILE: Final = "run.json"
CELLS_FOLDER: Final = "cells"
SCENARIOS_FOLDER: Final = "scenarios"
REPORTS_FOLDER: Final = Path("reports")
"""Where runs and searches go unless told otherwise."""

GIB: Final = 2**30
ID_AT_MOST: Final = 180
"""Characters of a cell's name: file systems take 255 bytes, and plots add to it."""
_PARTS_AT_MOST: Final = (90, 40, 12, 30)
"""Characters of each of its parts, where the name would be too long otherwise."""

Explain: TypeAlias = Literal["every", "unexpected", "none"]
"""Leaks to explain: all, those of cells that were not said to leak, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a worker is stopped by force."""

    memory_bytes: int = 4 * GIB
    """Resident memory; a leak that fills the machine would take the evidence with it."""
    chunk_seconds: float = 30.0
    """Wall time for one chunk."""
    load_seconds: float = 300.0
    """Wall time for loading a subject: a cold disk and a large model take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One subject to be driven through one scenario."""

    subject: ResolvedSubject
    scenario: Scenario
    chunk_ms: int
    model: str
    seed: int = 0
    recordings: Path | None = None
    audio_seconds: float
    """Audio to drive at most, in each replicate."""
    at_least_seconds: float = 0.0
    """Audio to drive in each replicate even when the verdict is clear before."""
    replicates: int = 1
    """Processes to drive; from 2 on the process's own figures are gated too."""
    expect: Literal["flat", "leak"] | None = None
    leaks_in: tuple[str, ...] = ()
    """Path patterns that must all leak for an expected leak to count."""
    rules: tuple[BudgetRule, ...] = ()
    """Budgets and allowances, by path and metric."""
    parity_required: bool = False
    """Whether segments that differ from the reference's fail the cell."""

    @property
    def id(self) -> str:
        """Name of the cell's folder: what tells it from its neighbours, readable."""
        parts = (self.subject.spec, self.scenario.name, f"{self.chunk_ms}ms", Path(self.model).name)
        name = "--".join(map(_file_name, parts))
        if len(name) <= ID_AT_MOST:
            return name
        # Each part by itself: pictures of cells driven alike are named by all parts but the first.
        return "--".join(map(_cut, parts, _PARTS_AT_MOST))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run: cells and how to drive them."""

    cells: tuple[Cell, ...]
    jobs: int
    """Workers at the same time."""
    limits: Limits = field(default_factory=Limits)
    process_interval_seconds: float = 6.0
    """Audio between two looks at the process's figures while they are closest, at least."""
    clear_caches: bool = True
    """Whether caches of the interpreter and the standard library are cleared before the process
    is looked at."""
    traced_frames: int = 0
    """Frames tracemalloc keeps; 0 for no tracing."""
    until_sure: bool = False
    """Whether an undecided cell goes on to its maximum with more replicates."""
    explain: Explain = "none"
    variables: tuple[str, ...] = ()
    """What workers get of the environment: ``NAME``, handed on, or ``NAME=VALUE``. What a name is
    worth is recorded nowhere: it may be a secret."""
    command: tuple[str, ...] = ()
    """How the run was called."""
    started: str = ""
    """ISO 8601, UTC."""

    def explains(self, cell: Cell) -> bool:
        """Whether `cell` is explained if it leaks."""
        return self.explain == "every" or (self.explain == "unexpected" and cell.expect != "leak")


def _file_name(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+=_-]+", "-", part).strip("-")


def _cut(part: str, length: int) -> str:
    """Return the end of a part, which tells paths apart better than their beginning, and a hash."""
    name = _file_name(part)
    if len(name) <= length:
        return name
    digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{digest}-{name[len(digest) + 1 - length :].lstrip('-')}"


def write_plan(folder: Path, plan: Plan) -> None:
    """Write the manifest and a copy of every scenario into a run's folder.

    Raises
    ------
    OutputError
        When the folder cannot be written or already holds a run.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Of two runs that begin at the same time, one makes this folder and the other finds it.
        (folder / CELLS_FOLDER).mkdir()
        (folder / SCENARIOS_FOLDER).mkdir(exist_ok=True)
        for name, text in _scenario_texts(plan).items():
            (folder / SCENARIOS_FOLDER / f"{name}.toml").write_text(text, encoding="utf-8")
        write_json(folder / MANIFEST_FILE, _plan_data(plan))
    except FileExistsError as error:
        raise OutputError(
            f"{folder}: already holds a run; name another folder with --output, or remove it"
        ) from error
    except OSError as error:
        raise OutputError(
            f"{folder!s:.200}: cannot be written ({error.strerror}); name another folder with "
            "--output"
        ) from error


def _scenario_texts(plan: Plan) -> dict[str, str]:
    """Return the text of each scenario, by name.

    Raises
    ------
    ConfigError
        When two that differ have one name: a run knows them by it.
    """
    texts: dict[str, str] = {}
    for cell in plan.cells:
        source = cell.scenario.source
        if source is not None:
            text = source.read_text(encoding="utf-8")
            if texts.setdefault(cell.scenario.name, text) != text:
                raise ConfigError(
                    f"{source}: another scenario of this run is called {cell.scenario.name!r} and "
                    'says otherwise; give one of them a name = "..." of its own'
                )
    return texts


def scenario_copy(folder: Path, scenario: Scenario) -> Path:
    """Return where a run keeps its copy of `scenario`."""
    return folder / SCENARIOS_FOLDER / f"{scenario.name}.toml"


def cell_folder(folder: Path, cell: Cell) -> Path:
    """Return the folder of `cell` in a run's folder."""
    return folder / CELLS_FOLDER / cell.id


def replicate_folder(folder: Path, cell: Cell, replicate: int) -> Path:
    """Return the folder of one replicate of `cell` in a run's folder."""
    return cell_folder(folder, cell) / f"r{replicate}"


def explain_folder(folder: Path, cell: Cell) -> Path:
    """Return the folder of the second drive of `cell` in a run's folder."""
    return cell_folder(folder, cell) / EXPLAIN_FOLDER


def read_plan(folder: Path) -> Plan:
    """Read the manifest of a run's folder.

    Raises
    ------
    OutputError
        When there is none or it cannot be read.
    """
    path = folder / MANIFEST_FILE
    try:
        data = read_mapping(path)
    except FileNotFoundError as error:
        raise OutputError(
            f"{folder}: expected a run folder with {MANIFEST_FILE}, found none"
        ) from error
    return build(
        Plan,
        data,
        path,
        cells=tuple(_cell(folder, cell, path) for cell in list_of(data, "cells", path)),
        limits=build(Limits, data.get("limits", {}), path),
        command=tuple(map(str, list_of(data, "command", path))),
        variables=tuple(map(str, list_of(data, "variables", path))),
    )


def _plan_data(plan: Plan) -> dict[str, Any]:
    data = {f.name: getattr(plan, f.name) for f in dataclasses.fields(plan)}
    return {
        **data,
        "limits": dataclasses.asdict(plan.limits),
        "cells": [_cell_data(cell) for cell in plan.cells],
    }


def _cell_data(cell: Cell) -> dict[str, Any]:
    data = {f.name: getattr(cell, f.name) for f in dataclasses.fields(cell)}
    subject = dataclasses.asdict(cell.subject)
    return {
        "id": cell.id,
        **data,
        "subject": {**subject, "path": [str(path) for path in cell.subject.path]},
        "scenario": cell.scenario.name,
        "recordings": str(cell.recordings) if cell.recordings else None,
        "rules": [
            {
                "path": rule.path,
                "metric": rule.metric,
                "budget": str(rule.budget),
                "reason": rule.reason,
                "link": rule.link,
            }
            for rule in cell.rules
        ],
    }


def _cell(folder: Path, data: Any, path: Path) -> Cell:
    subject, name = data.get("subject"), data.get("scenario")
    recordings = data.get("recordings")
    if not isinstance(name, str) or not isinstance(recordings, str | None):
        raise OutputError(f"{path}: expected names of scenario and recordings in each cell")
    return build(
        Cell,
        data,
        path,
        subject=build(
            ResolvedSubject,
            subject,
            path,
            path=tuple(Path(str(entry)) for entry in list_of(subject, "path", path)),
            named_paths=tuple(map(str, list_of(subject, "named_paths", path))),
        ),
        scenario=load_scenario(str(folder / SCENARIOS_FOLDER / f"{name}.toml")),
        recordings=Path(recordings) if recordings else None,
        rules=tuple(_rule(rule, path) for rule in list_of(data, "rules", path)),
        leaks_in=tuple(map(str, list_of(data, "leaks_in", path))),
    )


def _rule(data: Any, path: Path) -> BudgetRule:
    if not isinstance(data, dict) or not isinstance(data.get("budget"), str):
        raise OutputError(f"{path}: expected a budget in each rule, got {data!r:.40}")
    return build(BudgetRule, data, path, budget=parse_budget(data["budget"]))
