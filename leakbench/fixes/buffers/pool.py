"""Memory pool: blocks allocated once, lent to streams, taken back and lent again."""

from __future__ import annotations

import weakref
from collections import defaultdict

import numpy as np

from leakbench.fixes.buffers.track import Track, Values


class BlockPool:
    """Free float32 blocks by size.

    It grows to the most blocks ever lent at the same time, and no further. Taking and giving
    are single list operations, so threads may share a pool.
    """

    def __init__(self) -> None:
        self._free: defaultdict[int, list[Values]] = defaultdict(list)
        self.allocated = 0
        """Blocks ever allocated."""

    def take(self, size: int) -> Values:
        """Lend a block of `size` values, whose content is whatever it held last."""
        try:
            return self._free[size].pop()
        except IndexError:
            self.allocated += 1
            return np.zeros(size, dtype=np.float32)

    def give(self, block: Values) -> None:
        """Take a block back."""
        self._free[len(block)].append(block)

    @property
    def free_blocks(self) -> int:
        """Blocks not lent at the moment."""
        return sum(map(len, self._free.values()))


class PooledTrack(Track):
    """A run of values in one block of a pool.

    In a full block what is still needed moves to its front; a block that is too small is
    exchanged for a larger one. When the track is no longer referenced its block goes back.

    Parameters
    ----------
    pool
        Where blocks come from.
    keep
        Values to hold besides those of one append.
    start
        Absolute index of the first value to come.
    """

    def __init__(self, pool: BlockPool, keep: int, start: int = 0) -> None:
        super().__init__(keep, start)
        self._pool = pool
        self._lent: list[Values] = []
        weakref.finalize(self, _give_back, pool, self._lent)

    def append(self, values: Values, needed_from: int) -> None:
        """Add `values`; in a full block, move what lies from `needed_from` on to its front."""
        size = len(values)
        if not self._lent or self._end - self._start + size > len(self._lent[0]):
            self._make_room(size, needed_from)
        at = self._end - self._start
        self._lent[0][at : at + size] = values
        self._end += size

    def _held_item(self, index: int) -> float:
        return self._lent[0].item(index - self._start)

    def read(self, index: int) -> Values:
        """Return a copy of what is held from `index` on; blocks themselves never leave."""
        if not self._lent:
            return np.empty(0, dtype=np.float32)
        first = max(index - self._start, 0)
        return self._lent[0][first : self._end - self._start].copy()

    def _make_room(self, size: int, needed_from: int) -> None:
        first = min(max(needed_from, self._end - self._keep, self._start), self._end)
        held = self.read(first)
        if not self._lent or self._keep + size > len(self._lent[0]):
            # Powers of two, so that streams of chunks of about a size can use each other's.
            block = self._pool.take(1 << (self._keep + size - 1).bit_length())
            if self._lent:
                self._pool.give(self._lent.pop())
            self._lent.append(block)
        self._lent[0][: len(held)] = held
        self._start = first


def _give_back(pool: BlockPool, lent: list[Values]) -> None:
    for block in lent:
        pool.give(block)
