"""What a worker and its parent share while it runs: one small memory-mapped file.

The worker stores two numbers a chunk, which costs it well under a microsecond; the parent
reads them for its watchdog and its progress display without ever disturbing the worker. The
parent stores how many chunks the worker may feed: replicates of a cell go from look to look
together, so that none drives hours that the others show to be needless. And it stores whether the
worker may stop, which a signal alone does not tell. While the worker looks it says so: the time
and the memory that takes are not the subject's.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEARTBEAT_FILE: Final = "heartbeat"

_CHUNKS, _AUDIO_SECONDS, _ALLOWANCE, _STOP, _LOOKING = range(5)
"""Places of 8 bytes each; both sides are of one machine."""
_SIZE: Final = 5 * 8


@dataclass(frozen=True, slots=True)
class Beat:
    """How far a worker has come."""

    chunks: int
    """Chunks fed, plus one from the moment driving begins: 0 means still loading."""
    audio_seconds: float
    """Audio fed so far."""


class Heartbeat:
    """The shared file, opened by either side."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        path = folder / HEARTBEAT_FILE
        if create:
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        # Written between any two chunks: by views, which take half as long as packing.
        self._counts = memoryview(self._map).cast("Q")
        self._seconds = memoryview(self._map).cast("d")

    def beat(self, chunks: int, audio_seconds: float) -> None:
        """Tell the other side how far this one is."""
        self._counts[_CHUNKS] = chunks
        self._seconds[_AUDIO_SECONDS] = audio_seconds

    def read(self) -> Beat:
        """Return what the other side told last."""
        return Beat(self._counts[_CHUNKS], self._seconds[_AUDIO_SECONDS])

    def look(self, is_looking: bool) -> None:
        """Say that what follows is a look, no work of the subject's, or that it is over."""
        self._counts[_LOOKING] = is_looking

    @property
    def is_looking(self) -> bool:
        """Whether the worker is looking at the subject just now."""
        return bool(self._counts[_LOOKING])

    def allow(self, chunks: int) -> None:
        """Let the worker feed `chunks` chunks in all."""
        self._counts[_ALLOWANCE] = chunks

    @property
    def allowed_chunks(self) -> int:
        """Chunks that the worker may feed in all."""
        return self._counts[_ALLOWANCE]

    def ask_to_stop(self) -> None:
        """Say that the worker may stop: whoever else sends it a signal has not said so."""
        self._counts[_STOP] = True

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether the parent has said that the worker may stop."""
        return bool(self._counts[_STOP])

    def close(self) -> None:
        """Unmap the file."""
        self._counts.release()
        self._seconds.release()
        self._map.close()
