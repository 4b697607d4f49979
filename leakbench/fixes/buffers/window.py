"""Sliding window: the last values kept, the rest dropped at every append."""

from __future__ import annotations

import numpy as np

from leakbench.fixes.buffers.track import Track, Values


class WindowTrack(Track):
    """The last `keep` values before the newest append, in an array made anew each time."""

    def __init__(self, keep: int, start: int = 0) -> None:
        super().__init__(keep, start)
        self._window: Values = np.empty(0, dtype=np.float32)

    def append(self, values: Values, needed_from: int) -> None:
        """Keep the last values and `values`; `needed_from` is not asked, the window decides."""
        kept = self._window[max(len(self._window) - self._keep, 0) :]
        self._window = np.concatenate((kept, values))
        self._end += len(values)
        self._start = self._end - len(self._window)

    def _held_item(self, index: int) -> float:
        return self._window.item(index - self._start)

    def read(self, index: int) -> Values:
        """Return a copy of what is held from `index` on."""
        return self._window[max(index - self._start, 0) :].copy()
