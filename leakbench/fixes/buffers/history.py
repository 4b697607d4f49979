"""A whole history on disk, read back at any index, with a few pages of it in memory."""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from leakbench.fixes.buffers.track import out_of_track

WINDOW_BYTES: Final = 16 * mmap.ALLOCATIONGRANULARITY
"""Bytes mapped for writing at a time, 64 KiB: 2.7 minutes of 100 frames a second, 4 bytes each."""
READ_VALUES: Final = 256
"""Values read at a time when single values are asked for in order."""


class HistoryFile:
    """An append-only run of numbers in a memory-mapped file.

    Only the part being written is mapped, so what is resident stays flat while the file
    grows by one item a value. The file has no name: it is gone when this object is.

    Parameters
    ----------
    folder
        Where the file is made; None takes the system's temporary folder.
    dtype
        float32 (4 bytes a value) or float64.
    """

    def __init__(self, folder: Path | None = None, dtype: npt.DTypeLike = np.float32) -> None:
        self._dtype = np.dtype(dtype)
        # It lives as long as the history, which no block can span.
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._values = 0
        self._window: mmap.mmap | None = None
        self._window_start = 0
        self._read = np.zeros(READ_VALUES, dtype=self._dtype)
        self._read_start = self._read_end = 0

    @property
    def end(self) -> int:
        """Values ever appended."""
        return self._values

    def append(self, values: npt.ArrayLike) -> None:
        """Write `values`, shape (n,), after the last."""
        data = np.ascontiguousarray(values, dtype=self._dtype).tobytes()
        position = self._values * self._dtype.itemsize
        while data:
            window = self._window_at(position)
            at = position - self._window_start
            part = data[: WINDOW_BYTES - at]
            window[at : at + len(part)] = part
            position += len(part)
            data = data[len(part) :]
        self._values = position // self._dtype.itemsize

    def item(self, index: int) -> float:
        """Return the value at `index`; IndexError outside of 0 to `end` - 1."""
        if not self._read_start <= index < self._read_end:
            if not 0 <= index < self._values:
                raise out_of_track(index, 0, self._values)
            values = self.read(index, index + READ_VALUES)
            self._read[: len(values)] = values
            self._read_start, self._read_end = index, index + len(values)
        return float(self._read[index - self._read_start])

    def read(self, start: int = 0, stop: int | None = None) -> npt.NDArray[np.floating]:
        """Return a copy of the values from `start` to before `stop`, shape (stop - start,)."""
        stop = self._values if stop is None else min(stop, self._values)
        if stop <= start:
            return np.empty(0, dtype=self._dtype)
        size = self._dtype.itemsize
        aligned = start * size // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        with mmap.mmap(
            self._file.fileno(), stop * size - aligned, access=mmap.ACCESS_READ, offset=aligned
        ) as mapped:
            return np.frombuffer(mapped[start * size - aligned :], dtype=self._dtype).copy()

    def close(self) -> None:
        """Unmap and delete the file; nothing can be read afterwards."""
        if self._window is not None:
            self._window.close()
            self._window = None
        self._file.close()

    def _window_at(self, position: int) -> mmap.mmap:
        start = position // WINDOW_BYTES * WINDOW_BYTES
        if self._window is None or start != self._window_start:
            if self._window is not None:
                self._window.close()
            self._file.truncate(start + WINDOW_BYTES)
            self._window = mmap.mmap(self._file.fileno(), WINDOW_BYTES, offset=start)
            self._window_start = start
        return self._window

    def __del__(self) -> None:
        # A stream is dropped, not closed; without this its file would warn as unclosed.
        if hasattr(self, "_window"):
            self.close()
