"""Sliding window: the last values kept, the rest dropped at every append."""

from __future__ import annotations

import numpy as np

from leakbench.fixes.buffers.track import Values, out_of_track


class WindowTrack:
    """The last `keep` values before the newest append, in an array made anew each time.

    Parameters
    ----------
    keep
        Values to hold besides those of one append.
    start
        Absolute index of the first value to come.
    """

    def __init__(self, keep: int, start: int = 0) -> None:
        self._keep = keep
        self._window: Values = np.empty(0, dtype=np.float32)
        self._end = start

    @property
    def start(self) -> int:
        """Absolute index of the oldest value held."""
        return self._end - len(self._window)

    @property
    def end(self) -> int:
        """Absolute index after the newest value."""
        return self._end

    def append(self, values: Values, needed_from: int) -> None:
        """Keep the last values and `values`; `needed_from` is not asked, the window decides."""
        kept = self._window[max(len(self._window) - self._keep, 0) :]
        self._window = np.concatenate((kept, values))
        self._end += len(values)

    def item(self, index: int) -> float:
        """Return the value at an absolute index; IndexError where it was dropped."""
        if not self.start <= index < self._end:
            raise out_of_track(index, self.start, self._end)
        return self._window.item(index - self.start)

    def read(self, index: int) -> Values:
        """Return a copy of what is held from `index` on."""
        return self._window[max(index - self.start, 0) :].copy()

    def reserve(self, keep: int) -> None:
        """Hold at least `keep` values from now on."""
        self._keep = max(self._keep, keep)
