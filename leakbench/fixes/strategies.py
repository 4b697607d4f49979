"""The four strategies and their options: which buffer a stream's frames are held in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from leakbench.errors import ConfigError
from leakbench.fixes.buffers import (
    BlockPool,
    CleanupTrack,
    HistoryFile,
    PooledTrack,
    RingTrack,
    Track,
    WindowTrack,
)

Alignment: TypeAlias = Literal["original", "aligned"]
"""Which decibel a frame is judged by, where a threshold looks at it: ``docs/fixes.md``."""

CLEANUP_FRAMES: Final = 120
"""Frames between two periodic cleanups, 1.2 s: two chunks of 600 ms, 77 KB of audio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy(ABC):
    """How the frames of a stream are held; subclasses say in which buffer."""

    alignment: Alignment = "original"
    """``original``: decisions as in the release; ``aligned``: as in 1.3.15 and later."""
    capacity: int | None = None
    """Frames held besides those of a chunk; None for what the configuration requires."""

    def __post_init__(self) -> None:
        if self.alignment not in get_args(Alignment):
            choices = " or ".join(get_args(Alignment))
            raise ConfigError(f"alignment must be {choices}, got {self.alignment!r}")
        if self.capacity is not None:
            _require_positive("capacity", self.capacity)

    @abstractmethod
    def make_track(self, *, keep: int, unit: int, start: int) -> Track:
        """Return a buffer for `unit` values a frame.

        Parameters
        ----------
        keep
            Values to hold besides those of one append.
        unit
            Values a frame.
        start
            Absolute index of the first value to come.
        """

    def make_history(self) -> HistoryFile | None:
        """Return the file that every frame's decibel is kept in, where that is asked for."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RingBuffer(Strategy):
    """Fixed capacity, the oldest overwritten."""

    def make_track(self, *, keep: int, unit: int, start: int) -> Track:
        """Return a ring."""
        return RingTrack(keep, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidingWindow(Strategy):
    """The last frames kept, the rest dropped each chunk."""

    def make_track(self, *, keep: int, unit: int, start: int) -> Track:
        """Return a window."""
        return WindowTrack(keep, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicCleanup(Strategy):
    """Every so many frames what has been consumed goes."""

    every: int = CLEANUP_FRAMES
    """Frames between two cleanups."""

    def __post_init__(self) -> None:
        # Dataclasses with slots are new classes, which super() without arguments misses.
        Strategy.__post_init__(self)
        _require_positive("every", self.every)

    def make_track(self, *, keep: int, unit: int, start: int) -> Track:
        """Return a track that is cleaned every `every` frames."""
        return CleanupTrack(keep, self.every * unit, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPool(Strategy):
    """Blocks allocated once, shared by the streams of a model."""

    keep_history: bool = False
    """Keep every frame's decibel in a memory-mapped file, 4 bytes a frame."""
    history_folder: Path | None = None
    """Where that file is made; None for the system's temporary folder."""
    pool: BlockPool = field(default_factory=BlockPool)
    """The blocks; give one pool to several models and they share it."""

    def make_track(self, *, keep: int, unit: int, start: int) -> Track:
        """Return a track in a block of the pool."""
        return PooledTrack(self.pool, keep, start)

    def make_history(self) -> HistoryFile | None:
        """Return a new history where `keep_history` is set."""
        return HistoryFile(self.history_folder) if self.keep_history else None


STRATEGIES: Final[Mapping[str, type[Strategy]]] = {
    "ring-buffer": RingBuffer,
    "sliding-window": SlidingWindow,
    "periodic-cleanup": PeriodicCleanup,
    "memory-pool": MemoryPool,
}


def make_strategy(name: str, options: Mapping[str, object]) -> Strategy:
    """Return the strategy `name` with `options`.

    Raises
    ------
    ConfigError
        When an option is not one of the strategy's, or its value cannot be.
    """
    kind = STRATEGIES[name]
    known = [f.name for f in fields(kind)]
    for option in options:
        if option not in known:
            raise ConfigError(f"{name}: option must be one of {', '.join(known)}; got {option!r}")
    return kind(**options)  # type: ignore[arg-type]


def _require_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name} must be a whole number of frames, 1 or more; got {value!r}")
