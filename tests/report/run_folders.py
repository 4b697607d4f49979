"""Run folders as a finished, failed or killed run leaves them, made without running anything.

The leaking subject follows the published figures of the original VAD on silence in 600 ms
chunks: ``decibel`` gains 64 elements a chunk and the audio buffer and scores gain storage
with every chunk, while RSS rises with drops on the way. The fixed one holds still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from leakbench.record.result import CellResult, MetricResult, Parity, Result, write_result
from leakbench.record.trace import (
    End,
    Ending,
    ObjectSize,
    Sample,
    SegmentEvent,
    TraceWriter,
    write_end,
    write_json,
)

CHUNK_MS = 600
CHUNKS_PER_HOUR = 3_600_000 // CHUNK_MS
PERIOD_CHUNKS = 100
MIB = 2**20
DECIBEL_A_CHUNK = 64
AUDIO_A_CHUNK = 41_900
SCORES_A_CHUNK = 59_500
SEGMENT_BYTES = 280

State = Callable[[int, int], dict[str, ObjectSize]]
"""Chunks fed and segments closed to the sizes of every path."""


def leaking_state(chunks: int, segments: int) -> dict[str, ObjectSize]:
    elements = DECIBEL_A_CHUNK * chunks
    decibel = ObjectSize(elements, 56 + 32 * elements, 0)
    audio = ObjectSize(AUDIO_A_CHUNK // 4 * chunks, 144, AUDIO_A_CHUNK * chunks)
    scores = ObjectSize(SCORES_A_CHUNK // 4 * chunks, 144, SCORES_A_CHUNK * chunks)
    return _with_parents(decibel, audio, scores, segments)


def bounded_state(chunks: int, segments: int) -> dict[str, ObjectSize]:
    return _with_parents(
        ObjectSize(41, 1_400, 0),
        ObjectSize(6_800, 144, 27_200),
        ObjectSize(10_168, 144, 40_672),
        segments,
    )


def _with_parents(
    decibel: ObjectSize, audio: ObjectSize, scores: ObjectSize, segments: int
) -> dict[str, ObjectSize]:
    speech = ObjectSize(segments, 88 + SEGMENT_BYTES * segments, 0)
    python = decibel.python_bytes + speech.python_bytes + 6_000
    storage = audio.storage_bytes + scores.storage_bytes
    stats = ObjectSize(40, python, storage)
    return {
        "stats": stats,
        "stats.decibel": decibel,
        "stats.data_buf": ObjectSize(6_400, 144, audio.storage_bytes),
        "stats.data_buf_all": audio,
        "stats.scores": scores,
        "stats.output_data_buf": speech,
        "stats.noise_average_decibel": ObjectSize(0, 24, 0),
        "frontend.lfr_splice_cache[*]": ObjectSize(1_200, 144, 4_800),
        "total": ObjectSize(420 + 4 * segments, python + 1_200, storage + 4_800),
    }


@dataclass(frozen=True, kw_only=True)
class Drive:
    """How one replicate goes."""

    state: State
    hours: float
    seed: int
    rss_start: float = 542.0 * MIB
    chunk_seconds: Callable[[int], float] = lambda chunks: 0.011
    segments_per_hour: int = 0
    ending: Ending | None = "completed"
    detail: str = ""


def slowing_chunks(chunks: int) -> float:
    """14 to 45 ms over the first thousand chunks, as the original's do."""
    return 0.014 + 0.031 * chunks / 1_000


def write_replicate(folder: Path, drive: Drive) -> None:
    folder.mkdir(parents=True)
    write_json(
        folder / "cell.json", {"subject": "original", "scenario": "silence", "chunk_ms": CHUNK_MS}
    )
    rng = np.random.default_rng(drive.seed)
    writer = TraceWriter(folder)
    released = wall = 0.0
    for chunks in range(0, int(drive.hours * CHUNKS_PER_HOUR) + 1):
        wall += drive.chunk_seconds(chunks)
        dense = 0 < chunks < 2 * PERIOD_CHUNKS and chunks % 20 == 0
        if chunks % PERIOD_CHUNKS and not dense:
            continue
        segments = int(drive.segments_per_hour * chunks / CHUNKS_PER_HOUR)
        objects = drive.state(chunks, segments)
        held = objects["total"].python_bytes + objects["total"].storage_bytes
        if rng.random() < 0.25:
            released = 0.35 * held * rng.random()
        writer.write_sample(
            Sample(
                chunk=chunks,
                audio_seconds=chunks * CHUNK_MS / 1000,
                wall_seconds=wall,
                phase=chunks % PERIOD_CHUNKS,
                segments=segments,
                streams=1,
                objects=objects,
                process={}
                if dense
                else {
                    "heap_bytes": 160 * MIB + 1.02 * held + float(rng.normal(0, 400)),
                    "rss_bytes": drive.rss_start
                    + 1.1 * held
                    - released
                    + float(rng.normal(0, 0.1 * MIB)),
                    "chunk_seconds": drive.chunk_seconds(chunks) * float(rng.lognormal(0, 0.06)),
                },
            )
        )
        if segments:
            writer.write_segments(SegmentEvent(chunk=chunks, segments=((chunks * 600, -1),)))
    writer.close()
    if drive.ending is not None:
        write_end(folder, End(ending=drive.ending, detail=drive.detail))


def metric(
    path: str,
    name: str,
    slope: float,
    *,
    allow: float = 0.0,
    width: float = 0.0,
    **more: object,
) -> MetricResult:
    """A verdict that follows from its own numbers."""
    made = MetricResult(
        path=path,
        metric=name,
        verdict="leak" if slope - width > allow else "flat",
        slope_per_audio_hour=slope,
        low=slope - width,
        high=slope + width,
        budget_per_audio_hour=allow,
        budget=f"{allow / 1024:g} KiB/h" if name.endswith("bytes") else "0 elements/h",
        tier="exact" if path != "process" else "statistical",
        reason="same phase, 8 periods" if path != "process" else "Theil-Sen on floors, 3 processes",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def leaking_metrics() -> tuple[MetricResult, ...]:
    hour = CHUNKS_PER_HOUR
    decibel = DECIBEL_A_CHUNK * hour
    a_chunk = {"rate_per": "chunk"}
    total = (AUDIO_A_CHUNK + SCORES_A_CHUNK) * hour
    return (
        metric("stats.decibel", "elements", decibel, rate=64, **a_chunk, first=12_800, last=64_000),
        metric("stats.decibel", "python_bytes", 32.0 * decibel, rate=2_048, **a_chunk),
        metric("stats.data_buf", "elements", 0),
        metric("stats.data_buf_all", "storage_bytes", AUDIO_A_CHUNK * hour, rate=41_900, **a_chunk),
        metric("stats.data_buf_all", "python_bytes", 0),
        metric("stats.scores", "storage_bytes", SCORES_A_CHUNK * hour, rate=59_500, **a_chunk),
        metric("stats.output_data_buf", "elements", 0),
        metric(
            "total",
            "storage_bytes",
            total,
            explained_by="stats.scores, stats.data_buf_all",
        ),
        metric("process", "heap_bytes", 1.02 * total, width=4 * MIB, allow=64 * 1024),
        metric("process", "rss_bytes", 1.1 * total, width=40 * MIB, allow=1024 * 1024),
        metric(
            "process",
            "chunk_seconds",
            0.186,
            width=0.01,
            gated=False,
            budget_per_audio_hour=None,
            budget="",
        ),
    )


def flat_metrics(segments_per_hour: int = 0) -> tuple[MetricResult, ...]:
    residual = SEGMENT_BYTES * segments_per_hour
    allowed = "upstream keeps one object a segment" if residual else ""
    return (
        metric("stats.decibel", "elements", 0, first=41, last=41),
        metric("stats.decibel", "python_bytes", 0),
        metric("stats.data_buf_all", "storage_bytes", 0, first=27_200, last=27_200),
        metric("stats.scores", "storage_bytes", 0, first=40_672, last=40_672),
        metric(
            "stats.output_data_buf",
            "python_bytes",
            residual,
            allow=1.5 * residual,
            budget="420 B/segment",
            rate=SEGMENT_BYTES if residual else None,
            rate_per="segment" if residual else "",
            allowed=allowed,
        ),
        metric("total", "storage_bytes", 0, allow=residual),
        metric("process", "heap_bytes", 310, width=900, allow=64 * 1024),
        metric("process", "rss_bytes", 12_000, width=150_000, allow=1024 * 1024),
        metric(
            "process",
            "chunk_seconds",
            1e-6,
            width=3e-4,
            gated=False,
            budget_per_audio_hour=None,
            budget="",
        ),
    )


def leaking_cell(scenario: str = "silence", **more: object) -> CellResult:
    made = CellResult(
        id=f"original--{_slug(scenario)}--600ms",
        subject="original",
        scenario=scenario,
        chunk_ms=CHUNK_MS,
        model="embedded",
        expect="leak",
        verdict="leak",
        as_expected=True,
        audio_seconds=1_800.0,
        wall_seconds=66.0,
        segments=0,
        metrics=leaking_metrics(),
        reason="stats.scores grows 59,500 B a chunk, every chunk, over 8 periods",
        endings=("completed",) * 3,
        streams=3,
        warmup_seconds=120.0,
        period_seconds=60.0,
        replicates=3,
        speed=31.0,
        expect_leak_in=("stats.decibel", "stats.data_buf_all"),
        versions={"funasr": "1.3.14"},
        seed=7,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def fixed_cell(subject: str = "fixed", scenario: str = "silence", **more: object) -> CellResult:
    made = CellResult(
        id=f"{subject}--{_slug(scenario)}--600ms",
        subject=subject,
        scenario=scenario,
        chunk_ms=CHUNK_MS,
        model="embedded",
        expect="flat",
        verdict="flat",
        as_expected=True,
        audio_seconds=1_800.0,
        wall_seconds=21.0,
        segments=0,
        metrics=flat_metrics(),
        reason="every path equal at the same phase over 8 periods; heap below 1.2 KiB/h",
        endings=("completed",) * 3,
        streams=3,
        warmup_seconds=120.0,
        period_seconds=60.0,
        replicates=3,
        speed=55.0,
        parity=Parity(reference="original", identical=True, chunks=1_000),
        versions={"funasr": "1.3.15"},
        seed=7,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def error_cell(**more: object) -> CellResult:
    made = fixed_cell(
        "broken.py:VAD",
        verdict="error",
        as_expected=False,
        metrics=(),
        reason="",
        endings=("raised",),
        error="broken.py:VAD raised ValueError on chunk 3: expected 9600 samples",
        replicates=1,
        audio_seconds=1.8,
        parity=None,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def undecided_cell(**more: object) -> CellResult:
    made = fixed_cell(
        "latest",
        "recorded",
        verdict="undecided",
        as_expected=False,
        segments=430,
        speech_seconds=1_260.0,
        metrics=(
            metric("stats.decibel", "elements", 0),
            metric(
                "process",
                "heap_bytes",
                90_000,
                width=70_000,
                allow=64 * 1024,
                verdict="undecided",
                reason="interval holds the budget",
            ),
        ),
        reason="heap 87.9 KiB/h, interval 19.5 to 156 KiB/h holds the budget 64 KiB/h",
        parity=Parity(
            reference="original",
            identical=False,
            chunks=700,
            first_difference={
                "chunk": 12,
                "audio_seconds": 7.2,
                "expected": [[6_600, -1]],
                "got": [],
            },
        ),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def run_result(cells: Sequence[CellResult], **more: object) -> Result:
    verdicts = [cell.verdict for cell in cells]
    made = Result(
        verdict=next((v for v in ("error", "leak", "undecided") if v in verdicts), "flat"),
        cells=tuple(cells),
        command=("leakbench", "run", "--subject", "original", "--subject", "fixed"),
        started="2026-03-01T12:00:00+00:00",
        wall_seconds=95.0,
        audio_seconds=sum(cell.audio_seconds for cell in cells),
        versions={"leakbench": "0.1.0", "numpy": "2.0.0"},
        platform={"machine": "x86_64", "kernel": "Linux 6.1", "libc": "glibc 2.36", "cores": 2},
        settings={"seed": 7, "jobs": 2, "threads": 1, "memory_limit": "4 GiB"},
    )
    return replace(made, **more)  # type: ignore[arg-type]


def drive_of(cell: CellResult, replicate: int) -> Drive:
    """How a replicate of `cell` goes, by what the cell is said to have found."""
    leaks = cell.verdict == "leak" or cell.subject == "original"
    per_process = cell.audio_seconds / 3600 / cell.replicates
    return Drive(
        state=leaking_state if leaks else bounded_state,
        hours=per_process,
        seed=replicate,
        chunk_seconds=slowing_chunks if leaks else (lambda chunks: 0.011),
        segments_per_hour=int(cell.segments / cell.replicates / per_process) if per_process else 0,
        ending=cell.endings[replicate] if replicate < len(cell.endings) else None,
        detail=cell.error,
    )


def write_run(folder: Path, cells: Sequence[CellResult], **more: object) -> Path:
    """Write a whole run: result and traces."""
    folder.mkdir(parents=True, exist_ok=True)
    write_result(folder, run_result(cells, **more))
    for cell in cells:
        for replicate in range(cell.replicates):
            write_replicate(folder / "cells" / cell.id / f"r{replicate}", drive_of(cell, replicate))
    return folder


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text)
