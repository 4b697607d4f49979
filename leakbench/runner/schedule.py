"""Which worker runs when, and when a cell is done."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from leakbench.conclusion import Look, look_at_cell
from leakbench.plan import Cell, Plan, replicate_folder, scenario_copy
from leakbench.runner.process import Progress, WorkerProcess
from leakbench.trace import End, TraceTail, read_begin
from leakbench.worker.request import WorkerRequest

POLL_SECONDS: Final = 0.1
"""Short beside any chunk budget, long beside what a poll costs."""
LOOK_GROWTH: Final = 1.1
"""A cell is judged again when it has a tenth more samples: the cost of judging then grows
with the logarithm of the run, not with its length."""


class Observer(Protocol):
    """Told what happens while a run goes on."""

    def started(self, cell: Cell, replicate: int) -> None:
        """Take note that a worker was started."""

    def advanced(self, cell: Cell, replicate: int, progress: Progress) -> None:
        """Take note of how far a worker is; called at every poll."""

    def ended(self, cell: Cell, replicate: int, end: End) -> None:
        """Take note of how a worker ended."""

    def looked(self, cell: Cell, look: Look) -> None:
        """Take note of a new look at a cell's figures."""


@dataclass(slots=True)
class _Replicate:
    cell: Cell
    number: int
    process: WorkerProcess
    tail: TraceTail


@dataclass(slots=True)
class _CellState:
    """What is known of a cell while it runs."""

    cell: Cell
    tails: list[TraceTail] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    samples_at_last_look: int = 0
    decided: bool = False
    failed: bool = False

    @property
    def is_done(self) -> bool:
        return self.decided or self.failed


def run_plan(plan: Plan, folder: Path, observer: Observer) -> None:
    """Drive every cell of `plan`, at most `plan.jobs` workers at a time.

    Samples are on disk as they are taken; nothing is returned because everything that
    follows is read from `folder`.

    Raises
    ------
    KeyboardInterrupt
        After every child was ended and what it had written was kept.
    """
    states = {cell.id: _CellState(cell) for cell in plan.cells}
    waiting = deque(
        (cell, replicate) for cell in plan.cells for replicate in range(cell.replicates)
    )
    running: list[_Replicate] = []
    try:
        while waiting or running:
            while waiting and len(running) < plan.jobs:
                cell, number = waiting.popleft()
                if not states[cell.id].is_done:
                    running.append(_start(plan, folder, cell, number, states[cell.id]))
                    observer.started(cell, number)
            for replicate in running.copy():
                _poll(replicate, running, states[replicate.cell.id], observer)
            for state in states.values():
                if not state.is_done:
                    _look(plan, state, observer)
            for replicate in running:
                if states[replicate.cell.id].is_done:
                    replicate.process.stop()
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        for replicate in running:
            observer.ended(replicate.cell, replicate.number, replicate.process.abort())
        raise


def _start(plan: Plan, folder: Path, cell: Cell, number: int, state: _CellState) -> _Replicate:
    cell_folder = replicate_folder(folder, cell, number)
    process = WorkerProcess(
        cell_folder,
        cell.subject,
        WorkerRequest(
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
        ),
        plan.limits,
    )
    tail = TraceTail(cell_folder)
    state.tails.append(tail)
    state.folders.append(cell_folder)
    return _Replicate(cell, number, process, tail)


def _poll(
    replicate: _Replicate, running: list[_Replicate], state: _CellState, observer: Observer
) -> None:
    end = replicate.process.poll()
    observer.advanced(replicate.cell, replicate.number, replicate.process.progress)
    if end is None:
        return
    running.remove(replicate)
    # One replicate that failed makes the others' figures worthless: do not wait for them.
    state.failed = state.failed or end.ending not in ("completed", "stopped")
    observer.ended(replicate.cell, replicate.number, end)


def _look(plan: Plan, state: _CellState, observer: Observer) -> None:
    news = [tail.poll() for tail in state.tails]
    if not any(news):
        return
    samples = sum(len(tail.trace.samples) for tail in state.tails)
    if samples < LOOK_GROWTH * state.samples_at_last_look:
        return
    begin = read_begin(state.folders[0])
    if begin is None:
        return
    state.samples_at_last_look = samples
    look = look_at_cell(plan, state.cell, begin, [tail.trace for tail in state.tails])
    observer.looked(state.cell, look)
    state.decided = look.decided
