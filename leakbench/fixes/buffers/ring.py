"""Ring buffer: fixed memory, absolute index, the oldest value overwritten."""

from __future__ import annotations

import numpy as np

from leakbench.fixes.buffers.track import Track, Values


class RingTrack(Track):
    """A run of values in a ring allocated once."""

    def __init__(self, keep: int, start: int = 0) -> None:
        super().__init__(keep, start)
        self._ring: Values = np.zeros(0, dtype=np.float32)

    def append(self, values: Values, needed_from: int) -> None:
        """Write `values` over the oldest; `needed_from` is not asked, capacity decides.

        The ring is allocated at the first append, when the size of a chunk is known, and
        again only for a larger one.
        """
        size = len(values)
        if self._keep + size > len(self._ring):
            self._allocate(self._keep + size)
        capacity = len(self._ring)
        at = self._end % capacity if capacity else 0
        head = min(size, capacity - at)
        self._ring[at : at + head] = values[:head]
        self._ring[: size - head] = values[head:]
        self._end += size
        self._start = max(self._start, self._end - capacity)

    def _held_item(self, index: int) -> float:
        return self._ring.item(index % len(self._ring))

    def read(self, index: int) -> Values:
        """Return a copy of what is held from `index` on, in order."""
        first = max(index, self._start)
        if first >= self._end:
            return np.empty(0, dtype=np.float32)
        capacity = len(self._ring)
        at, size = first % capacity, self._end - first
        if at + size <= capacity:
            return self._ring[at : at + size].copy()
        return np.concatenate((self._ring[at:], self._ring[: at + size - capacity]))

    def _allocate(self, capacity: int) -> None:
        held = self.read(self._start)
        self._ring = np.zeros(capacity, dtype=np.float32)
        indices = np.arange(self._start, self._end) % capacity
        self._ring[indices] = held
