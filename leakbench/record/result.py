"""The result of a run, as data: what ``result.json`` holds and every reporter reads.

``docs/result-schema.md`` documents the JSON; :data:`SCHEMA` names its version. Fields are
only ever added within a version.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from leakbench.errors import OutputError
from leakbench.metrics import PROCESS_PATH, TOTAL_PATH, Tier
from leakbench.record.files import build, list_of, read_mapping, write_json
from leakbench.record.trace import Ending

SCHEMA: Final = "leakbench.result/1"
RESULT_FILE: Final = "result.json"

Outcome: TypeAlias = Literal["flat", "leak", "undecided", "error"]
PathState: TypeAlias = Literal["leak", "flat", "undecided", "absent"]
"""``absent``: the path was never seen, so it held nothing and did not grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """The verdict on one path and metric of a cell."""

    path: str
    metric: str
    verdict: Outcome
    slope_per_audio_hour: float | None
    """Estimated growth, in bytes, elements or seconds an audio-hour."""
    low: float | None
    """Lower end of the interval of the slope; equal to it where the rate is exact."""
    high: float | None
    """Upper end of the interval of the slope."""
    budget_per_audio_hour: float | None
    """Growth allowed an audio-hour; None where nothing is asked of this metric."""
    budget: str = ""
    """The budget as it was written, ``64 KiB/h``."""
    gated: bool = True
    """Whether the cell's verdict rests on it; shown but not judged otherwise."""
    tier: Tier = "exact"
    reason: str = ""
    """One sentence: what the verdict rests on."""
    saturating: bool = False
    """Growing, but ever more slowly; reported as undecided."""
    rate: float | None = None
    """Exact growth for each `rate_per`, where that is known."""
    rate_per: str = ""
    """``chunk``, ``segment``, ``stream`` or ``period``: what the growth comes with."""
    first: float | None = None
    """Value when the warm-up ended."""
    last: float | None = None
    """Value at the last sample."""
    allowed: str = ""
    """Why this growth is a known residual, where the configuration says so."""
    explained_by: str = ""
    """Paths below this one that hold all of its growth; it is then no culprit of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """Whether a subject's segments are those of the reference, chunk by chunk."""

    reference: str
    identical: bool
    first_difference: Mapping[str, Any] | None = None
    """``{"chunk", "audio_seconds", "expected", "got"}`` of the first chunk that differs."""
    chunks: int = 0
    """Chunks compared: those both replicates were fed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """One subject driven through one scenario."""

    id: str
    """Folder name below ``cells/``; unique in the run."""
    subject: str
    scenario: str
    chunk_ms: int
    model: str
    expect: Literal["flat", "leak"] | None
    verdict: Outcome
    as_expected: bool
    """Whether the verdict, and where it leaks, is what was said beforehand."""
    audio_seconds: float
    """Audio driven, summed over replicates."""
    wall_seconds: float
    """Time from start to end, summed over replicates."""
    segments: int
    """Segments closed, summed over replicates."""
    metrics: tuple[MetricResult, ...]
    reason: str = ""
    """One sentence with the number behind the verdict."""
    endings: tuple[Ending, ...] = ()
    """How each replicate ended."""
    error: str = ""
    """One line, where the verdict is ``error``."""
    streams: int = 0
    speech_seconds: float = 0.0
    """Audio inside closed segments, summed over replicates."""
    warmup_seconds: float = 0.0
    """Audio at the start of each replicate that no verdict uses."""
    period_seconds: float = 0.0
    replicates: int = 1
    speed: float = 0.0
    """Audio-seconds driven a wall-second, in one process."""
    expect_leak_in: tuple[str, ...] = ()
    """Path patterns that must leak for an expected leak to count."""
    parity: Parity | None = None
    audio_wanted_seconds: float | None = None
    """Audio a replicate at which more may be known, where it is undecided."""
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def driven_as(self, other: CellResult) -> bool:
        """Whether both were driven through the same scenario in the same way."""
        return (self.scenario, self.chunk_ms, self.model) == (
            other.scenario,
            other.chunk_ms,
            other.model,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything a run found and what is needed to run it again."""

    verdict: Outcome
    cells: tuple[CellResult, ...]
    command: tuple[str, ...] = ()
    started: str = ""
    """ISO 8601, UTC."""
    wall_seconds: float = 0.0
    audio_seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, Any] = field(default_factory=dict)
    """Machine, kernel, C library, cores, Python."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Seed, jobs, threads, limits, and every option that changes a figure."""
    warnings: tuple[str, ...] = ()
    """A sentence for each thing that was asked for and had no effect."""
    schema: str = SCHEMA


def path_state(metrics: Iterable[MetricResult]) -> PathState:
    """Return what the judged metrics of one path say of it together."""
    verdicts = {m.verdict for m in metrics if m.gated}
    if not verdicts:
        return "absent"
    return "leak" if "leak" in verdicts else "flat" if verdicts == {"flat"} else "undecided"


def leaking_paths(metrics: Iterable[MetricResult]) -> tuple[str, ...]:
    """Return the object paths that leak, and so the containers at them."""
    found = {m.path for m in metrics if m.verdict == "leak" and m.path != PROCESS_PATH}
    # What items weigh is told of the items, ``[]``; what grows is what they are in.
    found |= {path.removesuffix("[]") for path in found}
    return tuple(sorted(found - {TOTAL_PATH}))


def leaking_metrics(metrics: Iterable[MetricResult]) -> dict[str, float]:
    """Return the metrics of the process that leak, and how fast an audio-hour."""
    return {
        m.metric: m.slope_per_audio_hour or 0.0
        for m in metrics
        if m.path == PROCESS_PATH and m.verdict == "leak"
    }


def write_result(folder: Path, result: Result) -> None:
    """Write ``result.json`` into a run's folder, atomically."""
    data = dataclasses.asdict(result)
    write_json(folder / RESULT_FILE, {"schema": data.pop("schema"), **data})


def read_result(folder: Path) -> Result:
    """Read the result of a run's folder.

    Raises
    ------
    OutputError
        When there is none, or it is of a schema this version does not read.
    """
    path = folder / RESULT_FILE
    try:
        data = read_mapping(path)
    except FileNotFoundError as error:
        raise OutputError(
            f"{folder}: expected a run folder with {RESULT_FILE}, found none; "
            f"rebuild it with `leakbench report {folder}`"
        ) from error
    if data.get("schema") != SCHEMA:
        raise OutputError(f"{path}: expected schema {SCHEMA}, got {data.get('schema')!r:.40}")
    cells = tuple(
        _cell(cell, f"{path}: cells[{number}]")
        for number, cell in enumerate(list_of(data, "cells", path))
    )
    texts = {name: tuple(map(str, list_of(data, name, path))) for name in ("command", "warnings")}
    return build(Result, data, path, cells=cells, **texts)


def _cell(data: Any, where: str) -> CellResult:
    metrics = tuple(
        build(MetricResult, metric, f"{where}.metrics[{number}]")
        for number, metric in enumerate(list_of(data, "metrics", where))
    )
    parity = data.get("parity")
    return build(
        CellResult,
        data,
        where,
        metrics=metrics,
        parity=build(Parity, parity, f"{where}.parity") if parity else None,
        endings=tuple(list_of(data, "endings", where)),
        expect_leak_in=tuple(list_of(data, "expect_leak_in", where)),
    )
