"""Bounded runs of numbers, addressed by an index that only ever grows."""

from leakbench.fixes.buffers.cleanup import CleanupTrack
from leakbench.fixes.buffers.history import HistoryFile
from leakbench.fixes.buffers.pool import BlockPool, PooledTrack
from leakbench.fixes.buffers.ring import RingTrack
from leakbench.fixes.buffers.track import Track, Values
from leakbench.fixes.buffers.window import WindowTrack

__all__ = [
    "BlockPool",
    "CleanupTrack",
    "HistoryFile",
    "PooledTrack",
    "RingTrack",
    "Track",
    "Values",
    "WindowTrack",
]
