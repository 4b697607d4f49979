"""What a worker is asked for, from a cell of a plan."""

from __future__ import annotations

from pathlib import Path

from leakbench.plan import Cell, Plan, scenario_copy
from leakbench.worker.request import WorkerRequest


def replicate_request(plan: Plan, folder: Path, cell: Cell, number: int) -> WorkerRequest:
    """Return the request of a cell's replicate `number` in the run in `folder`."""
    return WorkerRequest(
        factory=cell.subject.factory,
        options=cell.subject.options,
        scenario=str(scenario_copy(folder, cell.scenario)),
        chunk_ms=cell.chunk_ms,
        # Replicates are independent only if their audio is.
        seed=cell.seed + number,
        audio_seconds=cell.audio_seconds,
        recordings=str(cell.recordings) if cell.recordings else None,
        process_interval_seconds=plan.process_interval_seconds,
        traced_frames=plan.traced_frames,
    )
