"""What every buffer offers: the newest part of an endless run of float32 values."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float32]
"""Shape (n,)."""


class Track(Protocol):
    """The newest values of a run, each at the absolute index it was appended at.

    ``keep`` values before the newest append are always held, fewer only while the run is
    shorter or has been told that they are not needed.
    """

    @property
    def start(self) -> int:
        """Absolute index of the oldest value held."""

    @property
    def end(self) -> int:
        """Absolute index after the newest value."""

    def append(self, values: Values, needed_from: int) -> None:
        """Add `values`; what lies before the absolute index `needed_from` may go."""

    def item(self, index: int) -> float:
        """Return the value at an absolute index; IndexError where it is not held."""

    def read(self, index: int) -> Values:
        """Return a copy of what is held from `index` on, contiguous, safe to keep."""

    def reserve(self, keep: int) -> None:
        """Hold at least `keep` values from now on."""


def out_of_track(index: int, start: int, end: int) -> IndexError:
    """Return the error of an index that is not held."""
    return IndexError(f"index {index} is outside of what is held, {start} to {end - 1}")
