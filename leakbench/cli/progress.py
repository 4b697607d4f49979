"""Shows a run while it goes on: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from leakbench.cli.terminal import Terminal
from leakbench.conclude import Look
from leakbench.plan import Cell
from leakbench.record.trace import End
from leakbench.report.rows import shorten
from leakbench.runner.process import Progress as WorkerProgress
from leakbench.text import printable
from leakbench.units import format_bytes, format_duration

PLAIN_SECONDS: Final = 10.0
"""Between two plain lines of one worker: enough to see life in a CI log, not to fill it."""
_NAME_AT_MOST: Final = 60
"""Columns of a bar's name: the bar, its figures and the clock need some too."""


def watch(console: Terminal) -> BarsObserver | PlainObserver:
    """Return the observer that suits where `console` writes."""
    return BarsObserver(console) if console.is_terminal else PlainObserver(console)


class BarsObserver(AbstractContextManager["BarsObserver"]):
    """A bar for each worker: audio driven, speed against real time, resident memory."""

    def __init__(self, console: Terminal) -> None:
        self._progress = Progress(
            SpinnerColumn(console.spinner),
            _text("description"),
            BarColumn(bar_width=24),
            _text("fields[audio]"),
            _text("fields[speed]"),
            _text("fields[rss]"),
            _text("fields[news]"),
            TimeElapsedColumn(),
            console=console,
        )
        self._console = console
        self._tasks: dict[tuple[str, int], TaskID] = {}

    def __enter__(self) -> BarsObserver:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def started(self, cell: Cell, replicate: int) -> None:
        """Add a bar."""
        self._tasks[cell.id, replicate] = self._progress.add_task(
            shorten(printable(describe(cell, replicate)), _NAME_AT_MOST),
            total=cell.audio_seconds,
            audio="loading",
            speed="",
            rss="",
            news="",
        )

    def advanced(self, cell: Cell, replicate: int, progress: WorkerProgress) -> None:
        """Move a bar."""
        if progress.audio_seconds:
            self._progress.update(
                self._tasks[cell.id, replicate],
                completed=progress.audio_seconds,
                audio=f"{format_duration(progress.audio_seconds)} audio",
                speed=speed_text(progress),
                rss=f"{format_bytes(progress.rss_bytes)} RSS",
            )

    def looked(self, cell: Cell, look: Look) -> None:
        """Say beside the bars what the figures look like so far."""
        for (cell_id, _replicate), task in self._tasks.items():
            if cell_id == cell.id:
                self._progress.update(task, news=look.outcome if look.decided else "")

    def ended(self, cell: Cell, replicate: int, end: End) -> None:
        """Replace the bar with a line."""
        task = self._tasks.pop((cell.id, replicate))
        self._progress.remove_task(task)
        self._console.say(ended_text(cell, replicate, end))


def _text(field: str) -> TextColumn:
    return TextColumn(f"{{task.{field}}}", markup=False)


@dataclass(frozen=True, slots=True)
class _Said:
    """The last thing a log was told of a worker."""

    at: float
    audio_seconds: float


class PlainObserver(AbstractContextManager["PlainObserver"]):
    """A line when a worker starts and ends, and one now and then in between."""

    def __init__(self, console: Terminal) -> None:
        self._console = console
        self._said: dict[tuple[str, int], _Said] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def started(self, cell: Cell, replicate: int) -> None:
        """Say that a worker was started."""
        self._said[cell.id, replicate] = _Said(time.monotonic(), 0.0)
        self._console.say(f"{describe(cell, replicate)}: started")

    def advanced(self, cell: Cell, replicate: int, progress: WorkerProgress) -> None:
        """Say how far a worker is, if it was not said lately."""
        now = time.monotonic()
        said = self._said[cell.id, replicate]
        # One that waits for its fellows has nothing to say.
        if progress.audio_seconds > said.audio_seconds and now - said.at >= PLAIN_SECONDS:
            self._said[cell.id, replicate] = _Said(now, progress.audio_seconds)
            self._console.say(
                f"{describe(cell, replicate)}: {format_duration(progress.audio_seconds)} audio, "
                f"{speed_text(progress)}, {format_bytes(progress.rss_bytes)} RSS"
            )

    def looked(self, cell: Cell, look: Look) -> None:
        """Say what was decided: a leak is explained before the run ends."""
        if look.decided:
            self._console.say(decided_text(cell, look))

    def ended(self, cell: Cell, replicate: int, end: End) -> None:
        """Say how a worker ended."""
        self._console.say(ended_text(cell, replicate, end))


def describe(cell: Cell, replicate: int) -> str:
    """Return a short name of a replicate."""
    number = f" #{replicate + 1}" if cell.replicates > 1 else ""
    return f"{cell.subject.spec} x {cell.scenario.name} {cell.chunk_ms} ms{number}"


def decided_text(cell: Cell, look: Look) -> str:
    """Return a line that says what is known of a cell, and where it leaks."""
    where = f", in {', '.join(look.leaking)}" if look.outcome == "leak" and look.leaking else ""
    return f"{cell.subject.spec} x {cell.scenario.name} {cell.chunk_ms} ms: {look.outcome}{where}"


def ended_text(cell: Cell, replicate: int, end: End) -> str:
    """Return a line that says how a replicate ended."""
    detail = f": {end.detail}" if end.detail else ""
    return f"{describe(cell, replicate)}: {end.ending.replace('_', ' ')}{detail}"


def speed_text(progress: WorkerProgress) -> str:
    """Return the speed against real time."""
    if progress.wall_seconds <= 0:
        return ""
    return f"{progress.audio_seconds / progress.wall_seconds:,.0f}x real time"
