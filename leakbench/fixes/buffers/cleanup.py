"""Periodic cleanup: chunks pile up, and every so often what has been consumed goes."""

from __future__ import annotations

import numpy as np

from leakbench.fixes.buffers.track import Track, Values


class CleanupTrack(Track):
    """Appended arrays in a list, merged and shortened every `every` values.

    Cleanups are due where the absolute index passes a multiple of `every`, so that streams of
    the same audio are cleaned at the same places.

    Parameters
    ----------
    keep
        Values that stay at most when a cleanup is told that they are still needed.
    every
        Values between two cleanups.
    start
        Absolute index of the first value to come.
    """

    def __init__(self, keep: int, every: int, start: int = 0) -> None:
        super().__init__(keep, start)
        self._every = every
        self._cleanups = start // every
        self._pages: list[Values] = []

    def append(self, values: Values, needed_from: int) -> None:
        """Add `values`; when a cleanup is due, drop what lies before `needed_from` first."""
        if self._end // self._every != self._cleanups:
            tail = self.read(max(needed_from, self._end - self._keep))
            self._pages = [tail] if len(tail) else []
            self._start = self._end - len(tail)
            self._cleanups = self._end // self._every
        self._pages.append(np.array(values, dtype=np.float32))
        self._end += len(values)

    def _held_item(self, index: int) -> float:
        first = self._end
        pages = reversed(self._pages)  # the frames asked for are the newest
        while index < first:
            page = next(pages)
            first -= len(page)
        return page.item(index - first)

    def read(self, index: int) -> Values:
        """Return a copy of what is held from `index` on."""
        pages: list[Values] = []
        first = self._end
        for page in reversed(self._pages):
            if first <= index:
                break
            first -= len(page)
            pages.append(page)
        if not pages:
            return np.empty(0, dtype=np.float32)
        pages[-1] = pages[-1][max(index - first, 0) :]
        return np.concatenate(pages[::-1])
