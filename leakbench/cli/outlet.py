"""Where the command line writes: whatever becomes of the reader, a verdict stays what it is."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


class Outlet(io.TextIOBase):
    """A stream that never fails: characters it cannot encode are escaped, a closed reader is none.

    Parameters
    ----------
    stream
        Where text goes for as long as that can be written to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    # Typed as attributes, and made as properties that cannot be set.
    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of what is written."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """How what cannot be encoded is written."""
        return self._stream.errors

    @property
    def buffer(self) -> object:
        """What bytes may be written to."""
        return self._stream.buffer

    def isatty(self) -> bool:
        """Whether a terminal reads it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Whether text may be written: always."""
        return True

    def write(self, text: str) -> int:
        """Write `text`, or nothing where nobody can read it."""
        try:
            return self._stream.write(text)
        except OSError:
            self._close_quietly()
            return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            self._stream.flush()
        except OSError:
            self._close_quietly()

    def _close_quietly(self) -> None:
        # The interpreter flushes once more when it exits: into nothing, and without a word.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._stream.fileno())
        os.close(nothing)


def open_outlets() -> None:
    """Have everything that is printed from now on go through outlets."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Outlet):
            setattr(sys, name, Outlet(stream))
