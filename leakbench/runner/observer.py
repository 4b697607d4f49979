"""Who wants to know what happens while a run goes on."""

from __future__ import annotations

from typing import Protocol

from leakbench.conclude import Look
from leakbench.plan import Cell
from leakbench.record.trace import End
from leakbench.runner.process import Progress


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


class SilentObserver:
    """An observer that tells nobody."""

    def started(self, cell: Cell, replicate: int) -> None:
        """Do nothing."""

    def advanced(self, cell: Cell, replicate: int, progress: Progress) -> None:
        """Do nothing."""

    def ended(self, cell: Cell, replicate: int, end: End) -> None:
        """Do nothing."""

    def looked(self, cell: Cell, look: Look) -> None:
        """Do nothing."""
