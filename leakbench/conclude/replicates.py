"""What each worker of a cell left on disk."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from leakbench.plan import Cell, replicate_folder
from leakbench.record.trace import (
    Begin,
    End,
    SegmentEvent,
    Trace,
    read_begin,
    read_end,
    read_segments,
    read_trace,
)
from leakbench.verdict.reach import measure_visited


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """Everything one worker left on disk."""

    begin: Begin | None
    trace: Trace
    events: tuple[SegmentEvent, ...]
    end: End | None

    @property
    def chunks(self) -> int:
        """Chunks fed by the last sample."""
        return self.trace.samples[-1].chunk if self.trace.samples else 0

    @property
    def speech_seconds(self) -> float:
        """Audio inside closed segments."""
        if self.begin is None or not self.chunks:
            return 0.0
        return measure_visited(
            self.events,
            first_chunk=0,
            last_chunk=self.chunks,
            chunks_per_period=self.begin.chunks_per_period,
            chunk_seconds=self.begin.chunk_seconds,
            stream_chunks=None,
        ).speech_seconds


def read_replicates(folder: Path, cell: Cell) -> tuple[Replicate, ...]:
    """Return what the workers of `cell` left in a run's folder, as many as were begun."""
    # As many as there are: a run that goes on until it is sure adds to them.
    numbers = itertools.takewhile(
        lambda number: replicate_folder(folder, cell, number).is_dir(), itertools.count()
    )
    return tuple(
        Replicate(
            begin=read_begin(path),
            trace=read_trace(path),
            events=read_segments(path),
            end=read_end(path),
        )
        for path in (replicate_folder(folder, cell, number) for number in numbers)
    )
