"""A rendered period on disk, read chunk after chunk for ever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from leakbench.subject import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """Exactly one period of audio, as a file."""

    path: Path
    """Raw little-endian float32 mono."""
    sample_rate: int
    """Hz."""
    chunk_samples: int
    """Samples of a chunk."""
    chunks_per_period: int
    """Chunks in the file."""
    sha256: str
    """Of the file: equal stimuli are equal audio."""

    @property
    def period_seconds(self) -> float:
        """Length of the period."""
        return self.chunks_per_period * self.chunk_samples / self.sample_rate


class ChunkReader:
    """Reads a stimulus chunk by chunk and begins again at its end; holds one chunk at a time."""

    def __init__(self, stimulus: Stimulus) -> None:
        self._chunk_samples = stimulus.chunk_samples
        self._chunks_per_period = stimulus.chunks_per_period
        self._chunk = 0
        # Unbuffered: a buffer would be one more object whose size moves with the position.
        self._file = stimulus.path.open("rb", buffering=0)

    @property
    def descriptor(self) -> int:
        """What is open for it."""
        return self._file.fileno()

    def read(self) -> Samples:
        """Return the next chunk, float32 of shape (chunk_samples,), fresh and the caller's to keep.

        Raises
        ------
        OSError
            When the file is shorter than the stimulus says.
        """
        if self._chunk == self._chunks_per_period:
            self.rewind()
        samples = np.empty(self._chunk_samples, dtype="<f4")
        if self._file.readinto(samples.data.cast("B")) != samples.nbytes:
            raise OSError(f"{self._file.name}: ends before its period does")
        self._chunk += 1
        return samples

    def rewind(self) -> None:
        """Go back to the beginning of the period."""
        self._file.seek(0)
        self._chunk = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> ChunkReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
