"""leakbench against leaks of known size: what this machine finds, and what it can resolve."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from leakbench import controls
from leakbench.metrics import PROCESS_PATH
from leakbench.plan import Cell, replicate_folder
from leakbench.record.result import CellResult, MetricResult
from leakbench.record.trace import read_trace
from leakbench.scenario import Scenario, load_scenario
from leakbench.subject import ResolvedSubject
from leakbench.units import Exposure, parse_budget
from leakbench.verdict.budgets import BudgetRule

CLEAN_SCENARIO: Final = "alternating"
"""Speech and silence in turn: whatever comes with chunks, segments or silence comes here."""
HEAP_SCENARIO: Final = "silence"
"""No segments: what a model is allowed to keep of each would hide a leak in the heap."""
CLEAN_SECONDS: Final = 600.0
"""Audio of a clean replicate: what the resolution is stated for."""
LEAKING_SECONDS: Final = 1200.0
"""Audio at most for a leak: three steps of the rarest one, and pauses."""
RARE_SECONDS: Final = 300.0
"""Audio in any case for a leak that comes once a minute: another path that holds it may be decided
before it is."""
RATE_TOLERANCE: Final = 0.1
"""How far a rate may be from the one injected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A leak of known size, and where it must show."""

    leak: str
    """A name in :data:`leakbench.controls.LEAKS`."""
    rate: str
    """How much it leaks, written as a budget."""
    metric: str
    """What must show it."""
    path: str = controls.ROOT
    scenario: str = CLEAN_SCENARIO
    at_least_seconds: float = 0.0
    """Audio to drive in any case: a leak that starts late is rightly called flat before."""

    @property
    def in_heap(self) -> bool:
        """Whether only the process's heap shows it."""
        return self.path == PROCESS_PATH


# A float is 24 bytes, in CPython's allocator 32, and its place in a list 8. A chunk of 600 ms
# is 9,600 samples of 4 bytes at 16 kHz.
INJECTIONS: Final = (
    Injection(leak="float-per-chunk", rate="1 element/chunk", metric="elements"),
    Injection(leak="object-per-segment", rate="1 element/segment", metric="elements"),
    Injection(
        leak="object-per-tenth-segment",
        rate="0.1 element/segment",
        metric="elements",
        at_least_seconds=RARE_SECONDS,
    ),
    Injection(
        leak="object-per-stream",
        rate="1 element/stream",
        metric="elements",
        scenario="reconnect",
    ),
    Injection(
        leak="storage-per-minute",
        rate="1 KiB/minute",
        metric="storage_bytes",
        at_least_seconds=RARE_SECONDS,
    ),
    Injection(leak="pinned-view", rate="38400 B/chunk", metric="storage_bytes"),
    Injection(leak="cycle-per-chunk", rate="1 element/chunk", metric="elements"),
    Injection(leak="key-per-chunk", rate="1 element/chunk", metric="elements"),
    Injection(leak="while-silent", rate="0.5 element/chunk", metric="elements"),
    Injection(leak="late-leak", rate="1 element/chunk", metric="elements", at_least_seconds=480.0),
    Injection(
        leak="native-per-minute",
        rate="1 KiB/minute",
        metric="heap_bytes",
        path=PROCESS_PATH,
        scenario=HEAP_SCENARIO,
    ),
    Injection(
        leak="outside-roots",
        rate="40 B/chunk",
        metric="heap_bytes",
        path=PROCESS_PATH,
        scenario=HEAP_SCENARIO,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one injected leak."""

    injection: Injection
    cell: CellResult
    expected_per_hour: float
    """Growth injected, in bytes or elements an audio-hour."""
    clean_per_hour: float
    """Growth of the same metric with nothing injected; 0 for the heap, which is flat once it has
    settled, and had not at the end of the shorter clean run."""
    observed: MetricResult | None
    """The metric that must show it; None where it was not measured."""
    elsewhere: tuple[str, ...]
    """Paths that leak although nothing of the leak is there."""

    @property
    def found(self) -> bool:
        """Whether the leak was found by the metric that must show it, and nowhere else."""
        return self.observed is not None and self.observed.verdict == "leak" and not self.elsewhere

    @property
    def found_per_hour(self) -> float | None:
        """Growth observed beyond that of the clean subject."""
        if self.observed is None or self.observed.slope_per_audio_hour is None:
            return None
        return self.observed.slope_per_audio_hour - self.clean_per_hour

    @property
    def rate_error(self) -> float | None:
        """Found over injected growth, less 1."""
        found = self.found_per_hour
        return None if found is None else found / self.expected_per_hour - 1

    @property
    def passed(self) -> bool:
        """Whether it was found with the right rate."""
        return self.found and abs(self.rate_error or 0.0) <= RATE_TOLERANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What the heap of a clean process shows on this machine."""

    audio_seconds: float
    spread_bytes: float
    """Highest less lowest heap in the later half of the run, where that is most."""
    provable_budget: float
    """Bytes an hour: the smallest budget that this process proves to be kept."""
    provable_leak: float
    """Bytes an hour: the smallest leak that this process would prove to be one."""


def clean_cells(
    subject: ResolvedSubject,
    *,
    rules: tuple[BudgetRule, ...] = (),
    seed: int = 0,
    model: str = "embedded",
) -> tuple[Cell, Cell]:
    """Return the cells that must be flat: one with segments, one that says what can be resolved."""
    return (
        _cell(subject, CLEAN_SCENARIO, CLEAN_SECONDS, rules=rules, seed=seed, model=model),
        dataclasses.replace(
            _cell(subject, HEAP_SCENARIO, CLEAN_SECONDS, rules=rules, seed=seed, model=model),
            # As long as it is stated for, however soon it is decided.
            at_least_seconds=CLEAN_SECONDS,
        ),
    )


def injected_cell(
    subject: ResolvedSubject,
    injection: Injection,
    *,
    rules: tuple[BudgetRule, ...] = (),
    seed: int = 0,
    model: str = "embedded",
) -> Cell:
    """Return the cell of `subject` with a leak hung on it.

    `rules` are what the subject itself may grow.
    """
    leaking = dataclasses.replace(
        subject,
        spec=f"{subject.spec}+{injection.leak}",
        factory=f"{controls.__name__}:{controls.inject.__name__}",
        options={
            "factory": subject.factory,
            "options": dict(subject.options),
            "retention": injection.leak,
        },
    )
    cell = _cell(
        leaking,
        injection.scenario,
        LEAKING_SECONDS,
        rules=rules,
        seed=seed,
        model=model,
    )
    return dataclasses.replace(
        cell,
        expect="leak",
        leaks_in=(injection.path,),
        at_least_seconds=injection.at_least_seconds,
    )


def read_finding(injection: Injection, cell: CellResult, clean: CellResult) -> Finding:
    """Return what `cell` says of the leak that was injected into what `clean` drove."""
    hours = cell.audio_seconds / 3600
    exposure = Exposure(
        chunks_per_hour=3600 / (cell.chunk_ms / 1000),
        segments_per_hour=cell.segments / hours if hours else 0.0,
        streams_per_hour=cell.streams / hours if hours else 0.0,
    )
    leaking = {m.path for m in cell.metrics if m.gated and m.verdict == "leak"}
    return Finding(
        injection=injection,
        cell=cell,
        expected_per_hour=parse_budget(injection.rate).per_hour(exposure),
        clean_per_hour=0.0 if injection.in_heap else _growth(clean, injection) or 0.0,
        observed=_metric(cell, injection),
        elsewhere=tuple(
            sorted(
                path
                for path in leaking
                if not path.startswith(injection.path)
                and (injection.in_heap or path not in (PROCESS_PATH, "total"))
            )
        ),
    )


def _metric(cell: CellResult, injection: Injection) -> MetricResult | None:
    wanted = (injection.path, injection.metric)
    return next((m for m in cell.metrics if (m.path, m.metric) == wanted), None)


def _growth(cell: CellResult, injection: Injection) -> float | None:
    metric = _metric(cell, injection)
    return None if metric is None else metric.slope_per_audio_hour


def read_resolution(folder: Path, cell: Cell, result: CellResult) -> Resolution | None:
    """Return what the clean cell of the run in `folder` could resolve; None without a heap."""
    heap = next((m for m in result.metrics if m.metric == "heap_bytes"), None)
    if heap is None or heap.slope_per_audio_hour is None or heap.high is None or heap.low is None:
        return None
    trace = read_trace(replicate_folder(folder, cell, 0))
    values = trace.column(PROCESS_PATH, "heap_bytes").values
    return Resolution(
        audio_seconds=result.audio_seconds,
        spread_bytes=float(np.ptp(values[len(values) // 2 :])) if len(values) else 0.0,
        provable_budget=max(heap.high, 0.0),
        provable_leak=max(heap.slope_per_audio_hour - heap.low, 0.0),
    )


def _cell(
    subject: ResolvedSubject,
    scenario_name: str,
    audio_seconds: float,
    *,
    rules: tuple[BudgetRule, ...],
    seed: int,
    model: str,
) -> Cell:
    scenario: Scenario = load_scenario(scenario_name)
    return Cell(
        subject=subject,
        scenario=scenario,
        chunk_ms=scenario.chunk_ms,
        model=model,
        seed=seed,
        audio_seconds=audio_seconds,
        rules=rules,
    )
