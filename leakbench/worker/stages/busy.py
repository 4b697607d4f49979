"""At which lines a chunk spends its processor time; only where each costs more than the last."""

from __future__ import annotations

from typing import Final

from leakbench.explain.busy import BusyLines
from leakbench.explain.census import Driven
from leakbench.worker.stages.stage import Findings, Setup

_SAMPLES: Final = 200
"""Enough for a line with half of the time to show with 43 to 57 % of them, 95 of 100 times."""
_PERIODS_AT_MOST: Final = 10


class BusyStage:
    """Samples whole periods, until there are enough samples."""

    def __init__(self, setup: Setup, findings: Findings) -> None:
        self._setup = setup
        self._findings = findings
        self._lines = BusyLines()
        self._periods = -1

    def after_chunk(self, driven: Driven) -> bool:
        """Begin at a phase point; look at each of those that follow."""
        if not self._setup.is_at_phase(driven.chunks):
            return False
        self._periods += 1
        if self._periods == 0:
            self._lines.start()
            return False
        if self._lines.samples < _SAMPLES and self._periods < _PERIODS_AT_MOST:
            return False
        self._lines.stop()
        self._findings.busy = self._lines.lines()
        return True
