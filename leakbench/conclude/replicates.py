"""What each worker of a cell left on disk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, takewhile, zip_longest
from pathlib import Path

from leakbench.plan import Cell, cell_folder, replicate_folder
from leakbench.record.decision import read_decision
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
    """All that was measured."""
    judged: Trace
    """What of it the verdict rests on: what was there when the cell was decided."""
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
    numbers = takewhile(lambda number: replicate_folder(folder, cell, number).is_dir(), count())
    decided = read_decision(cell_folder(folder, cell)) or ()
    replicates = []
    for number, samples in zip_longest(numbers, decided):
        if number is None:
            break
        path = replicate_folder(folder, cell, number)
        trace = read_trace(path)
        replicates.append(
            Replicate(
                begin=read_begin(path),
                trace=trace,
                judged=Trace(trace.samples[:samples]),
                events=read_segments(path),
                end=read_end(path),
            )
        )
    return tuple(replicates)
