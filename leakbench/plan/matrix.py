"""From what was asked for (specs, names, options) to the cells of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from leakbench.errors import ConfigError
from leakbench.plan import Cell
from leakbench.plan.config import CellConfig, Config
from leakbench.scenario import Scenario, load_scenario
from leakbench.scenario.audio.recordings import check_recordings
from leakbench.subject import ResolvedSubject
from leakbench.subject.resolution import resolve_subject
from leakbench.verdict.assess import BudgetRule


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRequest:
    """One cell, as asked for; what is None follows from the scenario."""

    subject: str | ResolvedSubject
    """A spec, or what a worker needs to build the subject."""
    scenario: str
    chunk_ms: int | None = None
    model: str = "embedded"
    recordings: Path | None = None
    audio_seconds: float | None = None
    at_least_seconds: float = 0.0
    replicates: int = 1
    seed: int = 0
    expect: Literal["flat", "leak"] | None = None
    leaks_in: tuple[str, ...] = ()
    rules: tuple[BudgetRule, ...] = ()
    parity_required: bool = False


def build_cells(requests: Sequence[CellRequest]) -> tuple[Cell, ...]:
    """Check every request before any environment is made, then resolve its subject.

    Raises
    ------
    UsageError
        For the first request that cannot be run: scenario, chunk, recordings or subject.
    ProvisionError
        When a subject's environment cannot be made.
    """
    checked = [_check(request) for request in requests]
    cells = tuple(
        _build(request, scenario) for request, scenario in zip(requests, checked, strict=True)
    )
    seen: set[str] = set()
    for cell in cells:
        if cell.id in seen:
            raise ConfigError(
                f"{cell.subject.spec} x {cell.scenario.name} at {cell.chunk_ms} ms is asked for "
                "twice; name each subject and scenario once"
            )
        seen.add(cell.id)
    return cells


def requests_of_config(config: Config) -> Iterator[CellRequest]:
    """Yield a request for every subject, scenario and chunk of every cell configured."""
    for cell in config.cells:
        for scenario in cell.scenarios:
            for chunk_ms in cell.chunk_ms or (None,):
                for subject in cell.subjects:
                    yield _request(config, cell, subject, scenario, chunk_ms)


def _request(
    config: Config, cell: CellConfig, subject: str, scenario: str, chunk_ms: int | None
) -> CellRequest:
    return CellRequest(
        subject=subject,
        scenario=scenario,
        chunk_ms=chunk_ms,
        model=cell.model,
        recordings=cell.recordings,
        audio_seconds=cell.audio_seconds,
        at_least_seconds=cell.at_least_seconds,
        replicates=cell.replicates,
        seed=config.seed,
        expect=cell.expect,
        leaks_in=cell.leaks_in,
        rules=tuple(budget.rule for budget in config.budgets if budget.is_for(subject)),
        parity_required=cell.parity == "require",
    )


def _check(request: CellRequest) -> Scenario:
    scenario = load_scenario(request.scenario)
    scenario.check_chunk(request.chunk_ms or scenario.chunk_ms)
    if scenario.recordings:
        if request.recordings is None:
            raise ConfigError(
                f"scenario {scenario.name!r} drives recorded audio; "
                "name a wav or flac file or a folder of them with --recordings"
            )
        check_recordings(request.recordings)
    return scenario


def _build(request: CellRequest, scenario: Scenario) -> Cell:
    chunk_ms = request.chunk_ms or scenario.chunk_ms
    audio_seconds = request.audio_seconds or scenario.audio_seconds
    return Cell(
        subject=request.subject
        if isinstance(request.subject, ResolvedSubject)
        else resolve_subject(
            request.subject, model=request.model, chunk_ms=chunk_ms, generate=scenario.generate
        ),
        scenario=scenario,
        chunk_ms=chunk_ms,
        model=request.model,
        seed=request.seed,
        recordings=request.recordings if scenario.recordings else None,
        audio_seconds=max(audio_seconds, request.at_least_seconds),
        at_least_seconds=request.at_least_seconds,
        replicates=request.replicates,
        expect=request.expect,
        leaks_in=request.leaks_in,
        rules=request.rules,
        parity_required=request.parity_required,
    )
