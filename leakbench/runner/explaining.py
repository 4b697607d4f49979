"""What the second drive of a leaking cell found, with what the first one measured."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from leakbench.explain.native import HeapGrowth, has_memory_of_no_size, measure_heap_growth
from leakbench.plan import CELLS_FOLDER, Cell, Plan, explain_folder, replicate_folder
from leakbench.plan.variables import values_of
from leakbench.record.explanation import (
    AllocationLine,
    Explanation,
    Growth,
    growth_of,
    lines_of,
    native_of,
    opened_of,
    write_explanation,
)
from leakbench.record.request import WorkerRequest
from leakbench.record.result import CellResult, Result, leaking_paths
from leakbench.record.trace import End, read_begin, read_trace
from leakbench.runner.process import WorkerProcess
from leakbench.runner.requests import explain_request
from leakbench.worker.stages.stage import FINDINGS_FILE

_POLL_SECONDS: Final = 0.05


def explain_leaks(plan: Plan, folder: Path, result: Result) -> None:
    """Explain the cells of a run that leaked, of those that the plan says, one after the other."""
    for cell, judged in zip(plan.cells, result.cells, strict=True):
        if judged.verdict == "leak" and plan.explains(cell):
            explain_cell(plan, folder, cell, judged)


def explain_cell(
    plan: Plan, folder: Path, cell: Cell, result: CellResult | None = None
) -> Explanation:
    """Find who holds and who allocates what grows in a cell; write and return it.

    Where the worker that measured has explained as well, what it found is read; where it has not,
    or found none of what leaks, another one drives the cell once more. Changes no file of the
    measured run.

    Parameters
    ----------
    plan, folder, cell
        Of the run, which has ended.
    result
        The cell's own; paths it found flat are then no growth.
    """
    home = folder / CELLS_FOLDER / cell.id
    begin = read_begin(replicate_folder(folder, cell, 0))
    trace = read_trace(replicate_folder(folder, cell, 0))
    if begin is None or not trace.samples:
        return _written(home, _failed(cell, "the cell was never driven"))
    metrics = result.metrics if result is not None else ()
    leaking = leaking_paths(metrics)
    data = _read_findings(folder, cell)
    # What leaks in a subject's first stream only is for a new subject to show.
    if data is None or (leaking and not any(g["path"] in leaking for g in data["growths"])):
        request = explain_request(plan, folder, cell, begin, trace, metrics)
        end = _drive_again(plan, folder, cell, request)
        data = _read_findings(folder, cell)
        if data is None:
            return _written(home, _failed(cell, f"{end.ending.replace('_', ' ')}: {end.detail}"))
    grown = tuple(map(growth_of, data["growths"]))
    opened = tuple(map(opened_of, data["opened"]))
    growths = tuple(_as_measured(g, result) for g in grown if not _was_flat(g, result))
    heap = measure_heap_growth(trace)
    return _written(
        home,
        Explanation(
            cell=cell.id,
            subject=cell.subject.spec,
            scenario=cell.scenario.name,
            growths=growths,
            allocations=add_up(growths),
            opened=opened,
            native=tuple(map(native_of, data["native"])),
            no_memray_in=data["no_memray_in"],
            busy=lines_of(data["busy"]),
            native_bytes_per_hour=None
            if has_memory_of_no_size(grown, opened)
            else _native(heap, grown, result),
            heap_bytes_per_hour=heap.heap if heap else None,
            objects_bytes_per_hour=heap.objects if heap else None,
            chunks=data["chunks"],
            audio_seconds=data["audio_seconds"],
            wall_seconds=data["wall_seconds"],
            versions=cell.subject.versions,
        ),
    )


def _read_findings(folder: Path, cell: Cell) -> dict[str, Any] | None:
    file = explain_folder(folder, cell) / FINDINGS_FILE
    if not file.exists():
        return None
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


def _drive_again(plan: Plan, folder: Path, cell: Cell, request: WorkerRequest) -> End:
    """Explain in a worker of its own."""
    home = explain_folder(folder, cell)
    shutil.rmtree(home, ignore_errors=True)
    process = WorkerProcess(home, cell.subject, request, plan.limits, values_of(plan.variables))
    process.allow(math.inf)
    try:
        while (end := process.poll()) is None:
            time.sleep(_POLL_SECONDS)
    except BaseException:
        process.abort()
        raise
    return end


def add_up(growths: Sequence[Growth]) -> tuple[AllocationLine, ...]:
    """Return the lines behind all growths together, with their shares of all bytes."""
    lines: dict[tuple[str, int], AllocationLine] = {}
    for line in (line for growth in growths for line in growth.allocations):
        other = lines.get((line.file, line.line))
        nbytes = line.bytes_per_hour + (other.bytes_per_hour if other else 0.0)
        lines[line.file, line.line] = dataclasses.replace(line, bytes_per_hour=nbytes)
    total = sum(line.bytes_per_hour for line in lines.values())
    return tuple(
        dataclasses.replace(line, share=line.bytes_per_hour / total)
        for line in sorted(lines.values(), key=lambda line: -line.bytes_per_hour)
    )


def _as_measured(growth: Growth, result: CellResult | None) -> Growth:
    """Return a growth seen once with the rate that the measured run saw."""
    if not growth.seen_once or result is None:
        return growth
    slopes = {
        m.metric: m.slope_per_audio_hour or 0.0 for m in result.metrics if m.path == growth.path
    }
    nbytes = slopes.get("python_bytes", 0.0) + slopes.get("storage_bytes", 0.0)
    return dataclasses.replace(
        growth,
        amount=slopes.get("elements", growth.amount),
        per="hour" if "elements" in slopes else growth.per,
        bytes_per_hour=nbytes or growth.bytes_per_hour,
    )


def _native(
    heap: HeapGrowth | None, growths: tuple[Growth, ...], result: CellResult | None
) -> float | None:
    judged = [m for m in result.metrics if m.metric == "heap_bytes"] if result is not None else []
    # What may be no growth at all is not shared out.
    if heap is None or any(m.verdict == "flat" or (m.low or 0.0) <= 0 for m in judged):
        return None
    outside = sum(g.bytes_per_hour for g in growths if not g.inside_roots)
    # Two accounts of what the roots reach; the lines' own sees arrays of attributes as well.
    unseen = sum(g.bytes_per_hour for g in growths if g.inside_roots) - heap.objects
    return heap.native(outside + max(0.0, unseen))


def _was_flat(growth: Growth, result: CellResult | None) -> bool:
    """Whether the measured run, which saw far more of it, found the path flat."""
    if result is None or not growth.path:
        return False
    verdicts = {m.verdict for m in result.metrics if m.path == growth.path}
    return bool(verdicts) and verdicts == {"flat"}


def _failed(cell: Cell, reason: str) -> Explanation:
    return Explanation(
        cell=cell.id,
        subject=cell.subject.spec,
        scenario=cell.scenario.name,
        growths=(),
        versions=cell.subject.versions,
        error=reason,
    )


def _written(home: Path, explanation: Explanation) -> Explanation:
    write_explanation(home, explanation)
    return explanation
