"""A second, short drive of a leaking cell that says who holds and who allocates what grows.

It comes after everything has been measured, for it traces, which changes every figure of the
process. :mod:`leakbench.worker.stages` has what it does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from leakbench.explain.busy import can_sample
from leakbench.explain.census import Driven
from leakbench.explain.heap_lines import can_be_read
from leakbench.explain.native_stacks import find_memray
from leakbench.worker.driver import Counts
from leakbench.worker.stages.busy import BusyStage
from leakbench.worker.stages.callers import CallersStage, wanted_callers
from leakbench.worker.stages.census import CensusStage
from leakbench.worker.stages.graph import GraphStage, may_keep_graphs
from leakbench.worker.stages.native import HeapLinesStage, NativeStage
from leakbench.worker.stages.stage import Findings, Setup, Stage, unexplained_bytes


class Explainer:
    """Looks at a subject between chunks, as a sampler does, until it can explain.

    Parameters
    ----------
    folder
        Where ``findings.json`` goes, written again after each stage.
    setup
        What is explained.
    """

    def __init__(self, folder: Path, setup: Setup) -> None:
        self._processor_began = time.process_time()
        self._folder = folder
        self._setup = setup
        self._findings = Findings()
        self._stages = self._all_stages()
        self._stage: Stage | None = next(self._stages)

    @property
    def is_done(self) -> bool:
        """Whether all is found that can be."""
        return self._stage is None

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Go on: an explaining worker runs alone."""

    def after_chunk(self, counts: Counts, wall_seconds: float, cpu_seconds: float) -> None:
        """Let the stage look, and go to the next one once it has found all that it can."""
        driven = Driven(chunks=counts.chunks, segments=counts.segments, streams=counts.streams)
        while self._stage is not None and self._stage.after_chunk(driven):
            # Let go of it first: it holds on to what it has seen.
            self._stage = None
            self._write()
            self._stage = next(self._stages, None)

    def _all_stages(self) -> Iterator[Stage]:
        yield CensusStage(self._setup, self._findings)
        if wanted := wanted_callers(self._findings):
            yield CallersStage(self._setup, self._findings, wanted)
        if may_keep_graphs(self._setup, self._findings):
            yield GraphStage(self._setup, self._findings)
        if unexplained_bytes(self._setup, self._findings) is not None:
            if can_be_read():
                yield HeapLinesStage(self._setup, self._findings)
            if (memray := find_memray()) is not None:
                yield NativeStage(self._setup, self._findings, memray, self._folder)
            else:
                self._findings.no_memray_in = sys.executable
                self._write()
        if "cpu_seconds" in self._setup.request.explain_process and can_sample():
            yield BusyStage(self._setup, self._findings)

    def _write(self) -> None:
        self._findings.write(
            self._folder,
            wall_seconds=self._setup.seconds_since_begun(),
            processor_seconds=time.process_time() - self._processor_began,
        )
