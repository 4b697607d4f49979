"""Which line makes the autograd graph that a tensor keeps; only where torch is loaded."""

from __future__ import annotations

import sys
from typing import Final

from leakbench.explain.census import Driven
from leakbench.explain.graphs import NodeStacks, find_graphs, is_saved
from leakbench.explain.heapwalk import HeapWalk
from leakbench.explain.locating import Locator
from leakbench.explain.search import without_repeats
from leakbench.metrics import GRAPH_NAME
from leakbench.worker.stages.stage import Findings, Setup, unexplained_bytes

_PERIODS: Final = 2
"""Driven with stacks noted. One would do; the second is for what is new in every other."""


def may_keep_graphs(setup: Setup, findings: Findings) -> bool:
    """Whether a graph is known to grow, or may be what memory grows by that nothing explains."""
    if "torch" not in sys.modules:
        return False
    is_known = any(path.endswith(f".{GRAPH_NAME}") for path in setup.request.explain_leaking)
    return is_known or unexplained_bytes(setup, findings) is not None


class GraphStage:
    """Drives whole periods with every node noting its stack."""

    def __init__(self, setup: Setup, findings: Findings) -> None:
        self._setup = setup
        self._findings = findings
        self._stacks: NodeStacks | None = None
        self._from = Driven(chunks=0, segments=0, streams=0)
        self._until = 0

    def after_chunk(self, driven: Driven) -> bool:
        """Begin at a phase point, and look some periods later."""
        if self._stacks is None:
            if self._setup.is_at_phase(driven.chunks):
                self._stacks = NodeStacks()
                self._from = driven
                self._until = driven.chunks + _PERIODS * self._setup.chunks_per_period
            return False
        if driven.chunks < self._until:
            return False
        self._stacks.stop()
        between = driven - self._from
        walk = HeapWalk()
        walk.reach([self._setup.subject], known=set())
        ours = (self, self.__dict__, walk)
        graphs = find_graphs(
            Locator(self._setup.subject, walk, ours),
            leaking=self._setup.request.explain_leaking,
            driven=between,
            hours=self._setup.hours_of(between.chunks),
        )
        others = [g for g in self._findings.growths if not (graphs and is_saved(g))]
        self._findings.growths = tuple(without_repeats((*graphs, *others)))
        return True
