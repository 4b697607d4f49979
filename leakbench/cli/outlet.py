"""Standard output and standard error that cannot fail: what becomes of them changes no verdict."""

from __future__ import annotations

import codecs
import io
import os
import re
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from leakbench.text import defused

_ERRORS: Final = "leakbench.shown"
_IN_ASCII: Final = {"…": "...", "→": "->", "▲": "^", "•": "*", "·": "-"}
"""Our own signs, where the encoding of a terminal or a log has none of them."""
_TRAILING: Final = re.compile(r" +(?=\n)")
"""Tables pad their last column; in a log that is noise."""


class Outlet(io.TextIOBase):
    """A stream whose reader may go away, whose disk may fill and whose encoding may be narrow.

    Whatever happens to it, `write` returns: what cannot be written any more is dropped, what
    cannot be encoded is shown escaped. Nothing that is written starts a command of a build server,
    but what :meth:`write_command` is given.

    Parameters
    ----------
    stream
        What to write to; None where the process was started without one.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._descriptor = _descriptor_of(stream)
        self._is_at_line_start = True
        self.failure: OSError | None = None
        """Why nothing is written any more; None while all is well."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the text, as the stream has it."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write `text`, or as much of it as can be."""
        if not isinstance(text, str):
            raise TypeError(f"text is written here, got {type(text).__name__}")
        self._write(self._without_commands(text))
        return len(text)

    def write_command(self, line: str) -> None:
        """Write a line that a build server is meant to obey."""
        self._write(f"{'' if self._is_at_line_start else chr(10)}{line}\n")
        self._is_at_line_start = True

    def writable(self) -> bool:
        """Whether text may be written: always."""
        return True

    @property
    def buffer(self) -> io.RawIOBase:
        """What takes bytes, as shells ask for when they complete a command."""
        return _Bytes(self._write_bytes)

    def isatty(self) -> bool:
        """Whether somebody may be looking."""
        return self.failure is None and self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor behind the stream, if it has one."""
        if self._descriptor is None:
            raise io.UnsupportedOperation("no descriptor")
        return self._descriptor

    def _without_commands(self, text: str) -> str:
        lines = text.split("\n")
        shown = [lines[0] if not self._is_at_line_start else defused(lines[0])]
        shown += map(defused, lines[1:])
        is_blank = not lines[-1].strip()
        self._is_at_line_start = is_blank and (self._is_at_line_start or len(lines) > 1)
        return "\n".join(shown)

    def _write(self, text: str) -> None:
        if self._stream is None or self.failure is not None:
            return
        if not self._stream.isatty():
            text = _TRAILING.sub("", text)
        self._write_bytes(text.encode(self.encoding, _ERRORS))

    def _write_bytes(self, data: bytes) -> None:
        if self._stream is None or self.failure is not None:
            return
        try:
            if self._descriptor is None:
                self._stream.write(data.decode(self.encoding, "replace"))
                self._stream.flush()
            else:
                _write_all(self._descriptor, data)
        except OSError as error:
            self.failure = error


class _Bytes(io.RawIOBase):
    """The binary side of an outlet."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._write(bytes(data))
        return len(data)


@contextmanager
def own_outlets() -> Iterator[None]:
    """Have :class:`Outlet` for ``sys.stdout`` and ``sys.stderr``, and open what is closed."""
    _open_standard_descriptors()
    before = sys.stdout, sys.stderr
    output, errors = Outlet(before[0]), Outlet(before[1])
    sys.stdout, sys.stderr = output, errors
    try:
        yield
        if output.failure is not None and not isinstance(output.failure, BrokenPipeError):
            errors.write(
                f"leakbench: standard output: {output.failure.strerror}; the rest is not shown\n"
            )
    finally:
        sys.stdout, sys.stderr = before


def _descriptor_of(stream: TextIO | None) -> int | None:
    """Return the descriptor behind `stream`, for writing past its buffer; None without one."""
    if stream is None:
        return None
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError):
        # A stand-in without a descriptor, as test runners have; or nothing can be written to it.
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            # Whoever started us made the pipe non-blocking, and it is full.
            select.select([], [descriptor], [])


def _open_standard_descriptors() -> None:
    """Open what we were started without, lest a file of the run becomes standard output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one


def _show(error: UnicodeError) -> tuple[str, int]:
    """Encode what an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    shown = (_IN_ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in part)
    return "".join(shown), error.end


codecs.register_error(_ERRORS, _show)
