"""What a worker and its parent share while it runs: one small memory-mapped file.

The worker stores two numbers a chunk, which costs it well under a microsecond; the parent
reads them for its watchdog and its progress display without ever disturbing the worker. The
parent stores how many chunks the worker may feed: replicates of a cell go from look to look
together, so that none drives hours that the others show to be needless. And it stores whether the
worker may stop, which a signal alone does not tell.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEARTBEAT_FILE: Final = "heartbeat"

_BEAT: Final = struct.Struct("<Qd")
_ALLOWANCE: Final = struct.Struct("<Q")
_STOP: Final = struct.Struct("<?")
_STOP_AT: Final = _BEAT.size + _ALLOWANCE.size
_SIZE: Final = _STOP_AT + _STOP.size


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

    def beat(self, chunks: int, audio_seconds: float) -> None:
        """Tell the other side how far this one is."""
        _BEAT.pack_into(self._map, 0, chunks, audio_seconds)

    def read(self) -> Beat:
        """Return what the other side told last."""
        return Beat(*_BEAT.unpack_from(self._map))

    def allow(self, chunks: int) -> None:
        """Let the worker feed `chunks` chunks in all."""
        _ALLOWANCE.pack_into(self._map, _BEAT.size, chunks)

    @property
    def allowed_chunks(self) -> int:
        """Chunks that the worker may feed in all."""
        allowed: int = _ALLOWANCE.unpack_from(self._map, _BEAT.size)[0]
        return allowed

    def ask_to_stop(self) -> None:
        """Say that the worker may stop: whoever else sends it a signal has not said so."""
        _STOP.pack_into(self._map, _STOP_AT, True)

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether the parent has said that the worker may stop."""
        asked: bool = _STOP.unpack_from(self._map, _STOP_AT)[0]
        return asked

    def close(self) -> None:
        """Unmap the file."""
        self._map.close()
