"""Whether anything has begun to grow from one look to the next."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import Final

from leakbench.metrics import process_metrics
from leakbench.record.trace import ObjectSize

RESTING_LOOKS: Final = 8
"""Looks without growth after which growth is news again. What only grows is looked at more closely
once, when it begins. What falls in between as well is hard to judge, and is news at each rise."""
CLIMBS: Final = 3
"""Looks in a row that must each be above the one before: a wobble rarely goes up so often."""


class Movement:
    """Compares each look at one phase of the period with the one before.

    What it keeps is that look's figures, however many looks there are.
    """

    def __init__(self) -> None:
        # Of times nothing is said: they never repeat.
        self._metrics = [m for m in process_metrics() if m.tier in ("exact", "banded")]
        self._last = array("d", [math.nan]) * len(self._metrics)
        self._climbs_from = array("d", self._last)
        self._climbs = array("q", [0]) * len(self._metrics)
        self._rested = array("q", [RESTING_LOOKS]) * len(self._metrics)
        self._objects: Mapping[str, ObjectSize] = {}
        self._rests: dict[str, int] = {}
        """Looks since a path grew, unless it fell or rested since."""

    def has_begun(self, objects: Mapping[str, ObjectSize], process: Mapping[str, float]) -> bool:
        """Take note of a look, and return whether a figure has begun to grow by more than noise.

        Parameters
        ----------
        objects
            What was found now; any growth of it counts.
        process
            Likewise, as far as it was looked at.
        """
        begun = self._objects_begun(objects)
        for row, metric in enumerate(self._metrics):
            if (value := process.get(metric.name)) is None:
                continue
            last = self._last[row]
            if value - last > metric.noise:
                begun = begun or self._rested[row] >= RESTING_LOOKS
                self._rested[row] = 0
            else:
                self._rested[row] += RESTING_LOOKS if last - value > metric.noise else 1
            if value > last:
                self._climbs[row] += 1
            else:
                self._climbs[row] = 0
                self._climbs_from[row] = value
            self._last[row] = value
        return begun

    def _objects_begun(self, objects: Mapping[str, ObjectSize]) -> bool:
        known, begun = self._objects, False
        self._objects = objects
        for path, size in objects.items():
            rested, before = self._rests.get(path, RESTING_LOOKS), known.get(path)
            if known and _exceeds(size, before):
                begun = begun or rested >= RESTING_LOOKS
                self._rests[path] = 0
            elif before is not None and _exceeds(before, size):
                self._rests[path] = RESTING_LOOKS
            else:
                # No further: a small number is no object of its own.
                self._rests[path] = min(rested + 1, RESTING_LOOKS)
        return begun

    @property
    def is_climbing(self) -> bool:
        """Whether a metric of the process was higher at each of the last looks than before.

        By more than twice its noise in all: a wobble may rise from its least to its most. What
        grows by less from look to look adds up to that once looks are further apart.
        """
        return any(
            self._climbs[row] >= CLIMBS
            and self._last[row] - self._climbs_from[row] > 2 * metric.noise
            for row, metric in enumerate(self._metrics)
        )

    def forget(self) -> None:
        """Begin anew, as far as the process goes: nothing is known to be above anything."""
        for row in range(len(self._metrics)):
            self._last[row] = math.nan
            self._climbs[row] = 0
            self._rested[row] = RESTING_LOOKS
        self._rests.clear()


def _exceeds(size: ObjectSize, before: ObjectSize | None) -> bool:
    return before is None or (
        size.elements > before.elements
        or size.python_bytes > before.python_bytes
        or size.storage_bytes > before.storage_bytes
    )
