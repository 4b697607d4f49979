"""leakbench itself, on the same workloads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from benchmarks.peers.tools import Finding, Tool
from benchmarks.peers.workloads import (
    CHUNK_MS,
    Stream,
    load_silence,
    processor_seconds,
    resolve,
)
from leakbench.conclude import conclude
from leakbench.metrics import metric_of
from leakbench.plan import Cell, Plan, write_plan
from leakbench.record.heartbeat import Heartbeat
from leakbench.record.result import CellResult
from leakbench.record.trace import TraceWriter
from leakbench.runner.observer import SilentObserver
from leakbench.runner.schedule import run_plan
from leakbench.scenario.audio.rendering import render
from leakbench.scenario.audio.stimulus import ChunkReader
from leakbench.units import format_amount
from leakbench.worker.driver import Drive, drive
from leakbench.worker.sampling import Sampler
from leakbench.worker.schedule import Schedule

AUDIO_SECONDS: Final = 600.0


def with_leakbench(stream: Stream, _chunks: int) -> Finding:
    """Judge the workload in a run as any other, then time a worker's loop over as much audio."""
    with tempfile.TemporaryDirectory() as scratch:
        cell = run_cell(stream.workload, Path(scratch))
    chunks = round(cell.audio_seconds * 1000 / CHUNK_MS)
    with tempfile.TemporaryDirectory() as scratch:
        seconds = time_worker(stream, chunks, Path(scratch))
    leaks = {"leak": True, "flat": False}.get(cell.verdict)
    return Finding(leaks=leaks, saw=sight(cell), seconds=seconds, chunks=chunks)


def run_cell(workload: str, folder: Path) -> CellResult:
    scenario = load_silence()
    cell = Cell(
        subject=resolve(workload),
        scenario=scenario,
        chunk_ms=CHUNK_MS,
        model="embedded",
        audio_seconds=AUDIO_SECONDS,
    )
    plan = Plan(cells=(cell,), jobs=1)
    write_plan(folder, plan)
    run_plan(plan, folder, SilentObserver())
    (result,) = conclude(folder).cells
    return result


def sight(cell: CellResult) -> str:
    """Return what leakbench saw: of a leak its fastest path in bytes, else the reason."""
    if cell.error:
        return cell.error
    found = [m for m in cell.metrics if m.verdict == "leak" and m.slope_per_audio_hour]
    if not found:
        return f"{cell.verdict}: {cell.reason}"
    # Elements and seconds do not compare with bytes.
    in_bytes = [m for m in found if metric_of(m.metric).quantity == "bytes"]
    fastest = max(in_bytes or found, key=lambda m: m.slope_per_audio_hour or 0.0)
    rate = format_amount(fastest.slope_per_audio_hour or 0.0, metric_of(fastest.metric).quantity)
    return f"{cell.verdict}: {len(found)} metrics; {fastest.path} +{rate}/h"


def time_worker(stream: Stream, chunks: int, folder: Path) -> float:
    """Return the processor time of a worker's loop over `chunks`."""
    scenario = load_silence()
    stimulus = render(
        scenario,
        chunk_ms=CHUNK_MS,
        sample_rate=stream.subject.sample_rate,
        seed=0,
        recordings=None,
        destination=folder / "stimulus.f32",
    )
    schedule = Schedule.plan(
        chunks_per_period=stimulus.chunks_per_period,
        phase=scenario.phase_chunk(CHUNK_MS),
        warmup_periods=scenario.warmup_periods,
        period_seconds=stimulus.period_seconds,
        process_interval_seconds=6.0,
    )
    chunk_seconds = CHUNK_MS / 1000
    writer, heartbeat = TraceWriter(folder), Heartbeat(folder, create=True)
    heartbeat.allow(chunks)
    sampler = Sampler(schedule, stream.subject, writer, chunk_seconds=chunk_seconds)
    try:
        with ChunkReader(stimulus) as reader:
            began = processor_seconds()
            sampler.begin()
            drive(
                stream.subject,
                reader,
                Drive(chunks=chunks, stream_chunks=None, chunk_seconds=chunk_seconds),
                sampler=sampler,
                writer=writer,
                heartbeat=heartbeat,
                stop_requested=lambda: False,
            )
            return processor_seconds() - began
    finally:
        writer.close()
        heartbeat.close()


LEAKBENCH: Final = Tool(
    find=with_leakbench,
    rule=f"`leakbench run`'s defaults: one replicate, at most {AUDIO_SECONDS:g} s of audio, ended "
    "when decided. The cost is that of the worker's loop over as much audio",
)
