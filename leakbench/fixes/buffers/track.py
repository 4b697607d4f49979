"""What every buffer offers: the newest part of an endless run of float32 values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float32]
"""Shape (n,)."""


class Track(ABC):
    """The newest values of a run, each at the absolute index it was appended at.

    ``keep`` values before the newest append are always held, fewer only while the run is
    shorter or has been told that they are not needed.

    Parameters
    ----------
    keep
        Values to hold besides those of one append.
    start
        Absolute index of the first value to come.
    """

    def __init__(self, keep: int, start: int = 0) -> None:
        self._keep = keep
        self._start = start
        self._end = start

    @property
    def start(self) -> int:
        """Absolute index of the oldest value held."""
        return self._start

    @property
    def end(self) -> int:
        """Absolute index after the newest value."""
        return self._end

    @abstractmethod
    def append(self, values: Values, needed_from: int) -> None:
        """Add `values`; what lies before the absolute index `needed_from` may go."""

    def item(self, index: int) -> float:
        """Return the value at an absolute index; IndexError where it is not held."""
        if not self._start <= index < self._end:
            raise out_of_track(index, self._start, self._end)
        return self._held_item(index)

    @abstractmethod
    def read(self, index: int) -> Values:
        """Return a copy of what is held from `index` on, contiguous, safe to keep."""

    def reserve(self, keep: int) -> None:
        """Hold at least `keep` values from the next append on."""
        self._keep = max(self._keep, keep)

    @abstractmethod
    def _held_item(self, index: int) -> float:
        """Return the value at an absolute index that is held."""


def out_of_track(index: int, start: int, end: int) -> IndexError:
    """Return the error of an index that is not held."""
    return IndexError(f"index {index} is outside of what is held, {start} to {end - 1}")
