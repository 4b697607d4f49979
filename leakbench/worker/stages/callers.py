"""Whose line called the library's line that allocates; only where such a line was found."""

from __future__ import annotations

import dataclasses
from collections.abc import Set
from typing import Final

from leakbench.explain.callers import CallerTracing, lines_without_caller, name_callers
from leakbench.explain.census import Driven
from leakbench.explain.places import Line
from leakbench.explain.search import without_repeats
from leakbench.worker.stages.stage import Findings, Setup

_PERIODS_AT_LEAST: Final = 2
"""What is held from one chunk to the next weighs as much as one period's growth."""


def wanted_callers(findings: Findings) -> set[Line]:
    """Return the lines of libraries that growth was put down to."""
    return {
        line for growth in findings.growths for line in lines_without_caller(growth.allocations)
    }


class CallersStage:
    """Drives on until something of each wanted line's has stayed, and its caller is known."""

    def __init__(self, setup: Setup, findings: Findings, wanted: Set[Line]) -> None:
        self._setup = setup
        self._findings = findings
        self._wanted = wanted
        self._tracing = CallerTracing(wanted)
        self._began_seconds = setup.seconds_since_begun()
        self._periods = -1
        """Whole ones; the first of them begins at the first phase point."""

    def after_chunk(self, driven: Driven) -> bool:
        """Look at each whole period."""
        if not self._setup.is_at_phase(driven.chunks):
            return False
        self._periods += 1
        if self._periods < _PERIODS_AT_LEAST:
            return False
        callers = self._tracing.callers()
        spent = self._setup.seconds_since_begun() - self._began_seconds
        if self._wanted - callers.keys() and spent < self._setup.request.explain_seconds:
            return False
        self._tracing.stop()
        named = (
            dataclasses.replace(growth, allocations=name_callers(growth.allocations, callers))
            for growth in self._findings.growths
        )
        # By the subject's own lines more of it may turn out to be the same leak.
        self._findings.growths = tuple(without_repeats(named))
        return True
