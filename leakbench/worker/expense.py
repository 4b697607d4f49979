"""What looking costs beside driving, and how far apart looks must be to stay cheap."""

from __future__ import annotations

import math
from array import array
from typing import Final

COSTLY_SECONDS: Final = 0.05
"""Of processor time. A look that takes less is never too dear: a light subject is driven for
minutes of audio in the time of a few looks."""
SHARE: Final = 0.1
"""Of the time of driving that looks may take."""
LOOKS_AT_LEAST: Final = 32
"""In all that is driven, whatever they cost: a verdict needs 20, after warm-up."""


class Expense:
    """Weighs looks against driving.

    Parameters
    ----------
    periods
        To be driven in all.
    """

    def __init__(self, periods: int) -> None:
        self._rarest = max(periods // LOOKS_AT_LEAST, 1)
        # In arrays: numbers are objects. The least of three, as one look may meet a disturbance.
        self._latest = array("d", [0.0, 0.0, 0.0])
        self._looked = array("d", [0.0])

    def add(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Take note of a look."""
        self._latest[0], self._latest[1] = self._latest[1], self._latest[2]
        self._latest[2] = cpu_seconds
        self._looked[0] += wall_seconds

    @property
    def is_dear(self) -> bool:
        """Whether the latest looks took long enough to be spared."""
        return min(self._latest) >= COSTLY_SECONDS

    def stride(self, wall_seconds: float, periods: float) -> int:
        """Return how many periods must lie between two looks, at least; a power of two.

        Parameters
        ----------
        wall_seconds
            Since driving began, looks included.
        periods
            Driven in that time.
        """
        driven = max(wall_seconds - self._looked[0], 0.0) / max(periods, 1.0)
        wanted = self._rarest if driven <= 0.0 else min(self._latest) / (SHARE * driven)
        # The widest power of two that leaves as many looks as there must be.
        widest = 1 << (self._rarest.bit_length() - 1)
        return min(1 << max(math.ceil(wanted) - 1, 0).bit_length(), widest)
