"""One cell while it runs: its replicates, how far they may go, and whether it is decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leakbench.conclude import Look, look_at_cell
from leakbench.errors import OutputError
from leakbench.plan import Cell, Plan, cell_folder, replicate_folder
from leakbench.plan.variables import values_of
from leakbench.record.decision import write_decision
from leakbench.record.trace import Begin, TraceTail, read_begin
from leakbench.runner.observer import Observer
from leakbench.runner.process import WorkerProcess
from leakbench.runner.requests import explain_request, replicate_request
from leakbench.verdict.looks import FIRST_LOOK_SECONDS

LOOK_GROWTH: Final = 1.1
"""A cell is judged again when it has a tenth more audio: the cost of judging then grows with the
logarithm of the run, not with its length. Samples grow ever rarer and do not tell."""
REPLICATES_AT_MOST: Final = 16
"""Until sure: by then the interval is a quarter as wide as with two processes' slopes."""


@dataclass(slots=True)
class _Replicate:
    number: int
    folder: Path
    process: WorkerProcess
    tail: TraceTail
    allowed_seconds: float = 0.0
    has_ended: bool = False

    @property
    def is_waiting(self) -> bool:
        return not self.has_ended and self.process.is_waiting

    @property
    def is_over(self) -> bool:
        """Whether it will measure no more."""
        return self.has_ended or self.process.has_measured


class CellRun:
    """Drives one cell's replicates from look to look.

    A single process goes on until it is decided or has driven all its audio. Several go
    together: each drives up to the next look and waits there, so that none drives hours that
    the others show to be needless.
    """

    def __init__(self, plan: Plan, folder: Path, cell: Cell, observer: Observer) -> None:
        self._plan = plan
        self._folder = folder
        self._cell = cell
        self._observer = observer
        self._replicates: list[_Replicate] = []
        self._wanted = cell.replicates
        self._target_seconds = 0.0
        self._begin: Begin | None = None
        self._audio_at_last_look = 0.0
        self._is_done = False
        self._has_asked = False
        """Whether the first worker knows what to explain."""

    @property
    def active(self) -> int:
        """Workers that are loading, driving or explaining."""
        return sum(
            not (r.has_ended or r.is_waiting or (r.is_over and not self._is_done))
            for r in self._replicates
        )

    @property
    def has_ended(self) -> bool:
        """Whether every worker has ended and no other will be started."""
        return self._is_done and all(replicate.has_ended for replicate in self._replicates)

    def poll(self) -> None:
        """Take note of what the workers did, judge it, and stop them once it is decided."""
        for replicate in self._replicates:
            if not replicate.has_ended:
                self._poll(replicate)
        if not self._is_done:
            self._look()
        if not self._is_done and self._all_reached_target():
            self._go_further()
        if self._is_done:
            for replicate in self._replicates:
                if replicate.has_ended:
                    continue
                if replicate.process.has_measured:
                    replicate.process.dismiss()
                else:
                    replicate.process.stop()

    def give_work(self) -> bool:
        """Start one more worker or let one go on, and return whether there was one."""
        if self._is_done:
            return False
        if len(self._replicates) < self._wanted:
            self._start(len(self._replicates))
            return True
        for replicate in self._replicates:
            if replicate.is_waiting and 0 < replicate.allowed_seconds < self._target_seconds:
                self._allow(replicate)
                return True
        return False

    def abort(self) -> None:
        """End every worker now."""
        for replicate in self._replicates:
            if not replicate.has_ended:
                end = replicate.process.abort()
                replicate.has_ended = True
                self._observer.ended(self._cell, replicate.number, end)

    def _start(self, number: int) -> None:
        cell = self._cell
        folder = replicate_folder(self._folder, cell, number)
        request = replicate_request(self._plan, self._folder, cell, number)
        process = WorkerProcess(
            folder, cell.subject, request, self._plan.limits, values_of(self._plan.variables)
        )
        self._replicates.append(_Replicate(number, folder, process, TraceTail(folder)))
        self._observer.started(cell, number)

    def _poll(self, replicate: _Replicate) -> None:
        end = replicate.process.poll()
        self._observer.advanced(self._cell, replicate.number, replicate.process.progress)
        if end is not None:
            replicate.has_ended = True
            # One replicate that failed makes the others' figures worthless.
            self._is_done = self._is_done or end.ending not in ("completed", "stopped")
            self._observer.ended(self._cell, replicate.number, end)
        elif replicate.is_waiting and not replicate.allowed_seconds:
            # Loaded: what it found says how far the first look is.
            self._begin = self._begin or read_begin(replicate.folder)
            self._target_seconds = self._target_seconds or self._first_target()
            self._allow(replicate)

    def _first_target(self) -> float:
        if self._cell.replicates == 1 or self._begin is None:
            return math.inf
        # A verdict is due only once there is a look at the process beyond it. The next one may be
        # twice the interval away (a power of two of periods), or a tenth of the audio so far.
        interval = max(2 * self._plan.process_interval_seconds, FIRST_LOOK_SECONDS / 10)
        margin = interval + self._begin.period_seconds
        to_first_look = self._begin.warmup_seconds + FIRST_LOOK_SECONDS + margin
        return max(self._cell.at_least_seconds, to_first_look)

    def _allow(self, replicate: _Replicate) -> None:
        replicate.allowed_seconds = self._target_seconds
        replicate.process.allow(self._target_seconds)

    def _all_reached_target(self) -> bool:
        return len(self._replicates) == self._wanted and all(
            replicate.is_over
            or (replicate.is_waiting and replicate.allowed_seconds == self._target_seconds)
            for replicate in self._replicates
        )

    def _go_further(self) -> None:
        if any(not replicate.is_over for replicate in self._replicates):
            further = 2 * self._target_seconds
            self._target_seconds = further if further < self._cell.audio_seconds else math.inf
        elif self._plan.until_sure and self._wanted < REPLICATES_AT_MOST:
            self._wanted += 1
        else:
            self._is_done = True

    def _look(self) -> None:
        try:
            news = [replicate.tail.poll() for replicate in self._replicates]
        except OutputError:
            # Somebody wrote into the trace: nothing more comes of this cell, which will say so.
            self._is_done = True
            return
        audio_seconds = sum(replicate.tail.audio_seconds for replicate in self._replicates)
        reached = self._all_reached_target()
        if self._begin is None or not (any(news) or reached):
            return
        if audio_seconds < LOOK_GROWTH * self._audio_at_last_look and not reached:
            return
        self._audio_at_last_look = audio_seconds
        look = look_at_cell(
            self._plan,
            self._cell,
            self._begin,
            [replicate.tail.trace for replicate in self._replicates],
            replicates=self._wanted,
        )
        self._observer.looked(self._cell, look)
        self._is_done = look.decided
        if look.decided:
            counts = [len(replicate.tail) for replicate in self._replicates]
            write_decision(cell_folder(self._folder, self._cell), counts)
        if look.outcome == "leak" and self._plan.explains(self._cell):
            # As soon as it is known: a worker that is to drive on may come to its end before the
            # next look. When it is decided, more is known of what to explain.
            if look.decided or not self._has_asked:
                self._ask_to_explain(self._begin, look)
            self._has_asked = True

    def _ask_to_explain(self, begin: Begin, look: Look) -> None:
        """Let the first worker explain, its subject loaded and leaking as it is."""
        first = self._replicates[0]
        # A traced run has a tracer of its own already.
        if not first.has_ended and not self._plan.traced_frames:
            first.process.ask_to_explain(
                explain_request(
                    self._plan, self._folder, self._cell, begin, first.tail.trace, look.metrics
                )
            )
