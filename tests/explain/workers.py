"""Explains a subject that nobody has measured: one worker, told what leaks."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from leakbench.plan import Limits
from leakbench.record.explanation import (
    AllocationLine,
    Growth,
    NativeGrowth,
    Opened,
    growth_of,
    lines_of,
    native_of,
    opened_of,
)
from leakbench.record.request import WorkerRequest
from leakbench.runner.process import WorkerProcess
from leakbench.scenario import shipped_scenarios
from leakbench.subject.resolution import resolve_subject
from leakbench.worker.stages.stage import FINDINGS_FILE

HEAP = {"heap_bytes": 1e6}
"""The heap, leaking about as fast as one chunk's kilobyte."""


@dataclass(frozen=True, kw_only=True)
class Found:
    growths: tuple[Growth, ...]
    opened: tuple[Opened, ...]
    native: tuple[NativeGrowth, ...]
    no_memray_in: str
    busy: tuple[AllocationLine, ...]


def explain_alone(
    folder: Path,
    subject: str,
    process: Mapping[str, float],
    *,
    scenario: str = "silence",
    paths: tuple[str, ...] = (),
    seconds: float = 1.0,
) -> Found:
    """Return what a worker finds of a subject of which these metrics and paths leak."""
    resolved = resolve_subject(subject, model="embedded", chunk_ms=600, generate={})
    worker = WorkerProcess(
        folder / "explain",
        resolved,
        WorkerRequest(
            factory=resolved.factory,
            scenario=str(shipped_scenarios()[scenario]),
            chunk_ms=600,
            seed=0,
            audio_seconds=1e6,
            explain_seconds=seconds,
            explain_leaking=paths,
            explain_process=process,
        ),
        Limits(),
    )
    worker.allow(math.inf)
    while (end := worker.poll()) is None:
        time.sleep(0.02)
    assert end.ending == "completed", end
    data = json.loads((folder / "explain" / FINDINGS_FILE).read_text(encoding="utf-8"))
    return Found(
        growths=tuple(map(growth_of, data["growths"])),
        opened=tuple(map(opened_of, data["opened"])),
        native=tuple(map(native_of, data["native"])),
        no_memray_in=data["no_memray_in"],
        busy=lines_of(data["busy"]),
    )
