"""At which lines a chunk spends its processor time; only where each costs more than the last."""

from __future__ import annotations

from typing import Final

from leakbench.explain.busy import BusyLines
from leakbench.explain.census import Driven
from leakbench.worker.stages.stage import Findings, Setup

_SAMPLES: Final = 200
"""Enough for a line with half of the time to show with 43 to 57 % of them, 95 of 100 times."""
_SECONDS_AT_LEAST: Final = 1.0
"""Time to sample for, for cells that were decided in less."""


class BusyStage:
    """Samples whole periods, until there are enough samples."""

    def __init__(self, setup: Setup, findings: Findings) -> None:
        self._setup = setup
        self._findings = findings
        self._lines = BusyLines()
        self._began_seconds: float | None = None

    def after_chunk(self, driven: Driven) -> bool:
        """Begin at a phase point; look at each of those that follow."""
        if not self._setup.is_at_phase(driven.chunks):
            return False
        now = self._setup.seconds_since_begun()
        if self._began_seconds is None:
            self._began_seconds = now
            self._lines.start()
            return False
        time_allowed = max(self._setup.request.explain_seconds, _SECONDS_AT_LEAST)
        if self._lines.samples < _SAMPLES and now - self._began_seconds < time_allowed:
            return False
        self._lines.stop()
        self._findings.busy = self._lines.lines()
        return True
