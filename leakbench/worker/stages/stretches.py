"""Two stretches of the same drive, the second twice as long as the first.

What is kept from one chunk to the next is there at the end of either; what leaks is there twice as
often at the end of the longer one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, Generic, TypeVar

from leakbench.explain.census import Driven
from leakbench.probes.settling import Settling
from leakbench.worker.stages.stage import Findings, Setup

PERIODS_AT_MOST: Final = 10
"""Of the first stretch, unless what grows is known to be rarer: what leaks once a minute does so
once in ten of the shipped scenarios' periods."""
_SECONDS_AT_LEAST: Final = 3.0
"""Time for both stretches, for cells that were decided in less."""

Seen = TypeVar("Seen")


class TwoStretches(ABC, Generic[Seen]):
    """A stage that watches two stretches; a period before them is its warm-up."""

    def __init__(self, setup: Setup, findings: Findings) -> None:
        self._setup = setup
        self._findings = findings
        self._settling = Settling(clears_caches=setup.request.clear_caches)
        self._seen: list[Seen] = []
        self._driven: list[Driven] = []
        self._from: Driven | None = None
        self._from_seconds = 0.0
        self._periods = 0
        """Of the stretch under way."""
        self._is_warm = False

    @abstractmethod
    def start(self) -> None:
        """Begin to watch."""

    @abstractmethod
    def stop(self) -> Seen:
        """Watch no more and return what was seen."""

    @abstractmethod
    def find(
        self,
        first: Seen,
        second: Seen,
        *,
        driven: tuple[Driven, Driven],
        hours: tuple[float, float],
    ) -> None:
        """Add to the findings what two stretches say."""

    def after_chunk(self, driven: Driven) -> bool:
        """Begin a stretch or end it, at a phase point."""
        if not self._setup.is_at_phase(driven.chunks):
            return False
        if self._from is None:
            self._begin(driven)
            return False
        self._periods += 1
        if not self._is_over():
            return False
        self._settling.settle()
        seen = self.stop()
        if self._is_warm:
            self._seen.append(seen)
            self._driven.append(driven - self._from)
        self._is_warm = True
        if len(self._seen) < 2:
            self._begin(driven)
            return False
        hours = [self._setup.hours_of(each.chunks) for each in self._driven]
        self.find(
            self._seen[0],
            self._seen[1],
            driven=(self._driven[0], self._driven[1]),
            hours=(hours[0], hours[1]),
        )
        return True

    def _begin(self, driven: Driven) -> None:
        self._settling.settle()
        self._from = driven
        self._from_seconds = self._setup.seconds_since_begun()
        self._periods = 0
        self.start()

    def _is_over(self) -> bool:
        if not self._is_warm:
            return True
        if self._driven:
            return self._periods >= 2 * (self._driven[0].chunks // self._setup.chunks_per_period)
        # As long as it takes what is rare to come once, and no longer: it then comes as often in
        # any stretch of that length.
        at_least = self._setup.request.explain_apart
        spent = self._setup.seconds_since_begun() - self._from_seconds
        budget = max(self._setup.request.explain_seconds, _SECONDS_AT_LEAST)
        is_late = self._periods >= PERIODS_AT_MOST or spent > budget / 3
        return self._periods >= at_least and is_late
