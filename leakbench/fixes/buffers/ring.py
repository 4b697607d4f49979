"""Ring buffer: fixed memory, absolute index, the oldest value overwritten."""

from __future__ import annotations

import numpy as np

from leakbench.fixes.buffers.track import Values, out_of_track


class RingTrack:
    """A run of values in a ring allocated once.

    Parameters
    ----------
    keep
        Values to hold besides those of one append.
    start
        Absolute index of the first value to come.
    """

    def __init__(self, keep: int, start: int = 0) -> None:
        self._keep = keep
        self._ring: Values = np.zeros(0, dtype=np.float32)
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

    def item(self, index: int) -> float:
        """Return the value at an absolute index; IndexError where it was overwritten."""
        if not self._start <= index < self._end:
            raise out_of_track(index, self._start, self._end)
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

    def reserve(self, keep: int) -> None:
        """Hold at least `keep` values from now on; takes effect at the next append."""
        self._keep = max(self._keep, keep)

    def _allocate(self, capacity: int) -> None:
        held = self.read(self._start)
        self._ring = np.zeros(capacity, dtype=np.float32)
        indices = np.arange(self._start, self._end) % capacity
        self._ring[indices] = held
