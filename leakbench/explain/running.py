"""Running the second worker of a leaking cell, and adding what the first one measured."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from leakbench.explain.explanation import (
    AllocationLine,
    Explanation,
    Growth,
    growth_of,
    write_explanation,
)
from leakbench.explain.native import HeapGrowth, measure_heap_growth
from leakbench.plan import CELLS_FOLDER, Cell, Plan, replicate_folder
from leakbench.result import CellResult, Result
from leakbench.runner.process import WorkerProcess
from leakbench.runner.requests import replicate_request
from leakbench.trace import PROCESS_PATH, TOTAL_PATH, Begin, Trace, read_begin, read_trace
from leakbench.worker.explaining import FINDINGS_FILE

EXPLAIN_FOLDER: Final = "explain"
"""Beside the replicates' folders in a cell's own."""
SECONDS_AT_LEAST: Final = 1.0
"""Time to explain in, for cells that were decided in less: two periods and three censuses."""
_POLL_SECONDS: Final = 0.05
_MORE_THAN_ANY_RUN: Final = 1e7


def explain_leaks(plan: Plan, folder: Path, result: Result, *, every: bool) -> None:
    """Explain the cells of a run that leaked, one after the other, each in its own folder.

    Parameters
    ----------
    every
        Whether cells that were said to leak, and did, are explained as well.
    """
    for cell, judged in zip(plan.cells, result.cells, strict=True):
        if judged.verdict == "leak" and (every or judged.expect != "leak"):
            explain_cell(plan, folder, cell, judged)


def explain_cell(
    plan: Plan, folder: Path, cell: Cell, result: CellResult | None = None
) -> Explanation:
    """Run a cell once more to find who holds and who allocates what grows; write and return it.

    Takes about as long as the cell's longest replicate did, and changes none of its files.

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
    leaking = _leaking(result)
    quiet = periods_before_growth(trace, begin, leaking)
    shutil.rmtree(home / EXPLAIN_FOLDER, ignore_errors=True)
    began = time.monotonic()
    process = WorkerProcess(
        home / EXPLAIN_FOLDER,
        cell.subject,
        dataclasses.replace(
            replicate_request(plan, folder, cell, 0),
            audio_seconds=_MORE_THAN_ANY_RUN,
            traced_frames=0,  # it traces by itself, and from later on
            explain_seconds=max(SECONDS_AT_LEAST, trace.samples[-1].wall_seconds),
            explain_after_chunks=quiet * begin.chunks_per_period,
            explain_leaking=leaking,
        ),
        plan.limits,
    )
    process.allow(math.inf)
    try:
        while (end := process.poll()) is None:
            time.sleep(_POLL_SECONDS)
    except BaseException:
        process.abort()
        raise
    findings = home / EXPLAIN_FOLDER / FINDINGS_FILE
    if not findings.exists():
        return _written(home, _failed(cell, f"{end.ending.replace('_', ' ')}: {end.detail}"))
    data = json.loads(findings.read_text(encoding="utf-8"))
    grown = tuple(map(growth_of, data["growths"]))
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
            native_bytes_per_hour=_native(heap, grown, result),
            heap_bytes_per_hour=heap.heap if heap else None,
            objects_bytes_per_hour=heap.objects if heap else None,
            chunks=data["chunks"],
            audio_seconds=data["audio_seconds"],
            wall_seconds=time.monotonic() - began,
            versions=cell.subject.versions,
        ),
    )


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


def periods_before_growth(trace: Trace, begin: Begin, leaking: Sequence[str]) -> int:
    """Return the whole periods to drive untraced, as something that leaks does not grow in them.

    The second run is fed the same audio, so what grew in a period of the first grows in it
    again. Tracing begins two periods before: one to warm up, one before the first census. What
    grows from the beginning is traced from the beginning.
    """
    found = []
    for path in leaking:
        column = trace.column(path, "elements").at_phase(begin.phase).since(begin.warmup_seconds)
        steps = np.flatnonzero(np.diff(column.values) > 0)
        if len(steps):
            seconds = float(column.audio_seconds[steps[0]])
            found.append(max(0, int(seconds / begin.period_seconds + 1e-9) - 1))
    # The latest: what grew before it still grows then.
    latest = max(found, default=0)
    return latest if latest > begin.warmup_chunks // begin.chunks_per_period else 0


def _leaking(result: CellResult | None) -> tuple[str, ...]:
    """Return the paths that leak by the measured run, and so the containers at them."""
    metrics = result.metrics if result is not None else ()
    found = {m.path for m in metrics if m.verdict == "leak" and m.path != PROCESS_PATH}
    # What items weigh is told of the items, ``[]``; what grows is what they are in.
    found |= {path.removesuffix("[]") for path in found}
    return tuple(sorted(found - {TOTAL_PATH}))


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
