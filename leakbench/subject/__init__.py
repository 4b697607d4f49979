"""What can be driven: the protocol, and how a spec string finds an implementation.

A subject is a streaming model behind five methods. leakbench knows nothing else of it, so
FunASR's VAD is one implementation among others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]
"""Mono audio in [-1, 1], shape (n,)."""

Segments: TypeAlias = Sequence[Sequence[int]]
"""``[start_ms, end_ms]`` pairs; -1 stands for an end not yet known or already told."""


@runtime_checkable
class Subject(Protocol):
    """A streaming model under test."""

    sample_rate: int
    """Hz; the audio fed is generated at or resampled to this rate."""

    def start(self) -> None:
        """Begin a stream. Called once before the first chunk and again for each further stream."""

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        """Take the next chunk and return the segments it opened or closed.

        Parameters
        ----------
        samples
            float32 mono in [-1, 1], shape (n,); a fresh array each time, the subject's to keep.
        is_final
            True for the last chunk of a stream.

        Returns
        -------
        ``[[start_ms, end_ms], ...]``: a segment that opens reads ``[start, -1]``, one that
        closes ``[-1, end]``, one that does both ``[start, end]``; empty where nothing happened
        or the model finds no segments.
        """

    def roots(self) -> Mapping[str, object]:
        """Return the objects to measure, by the name their paths begin with."""

    def close(self) -> None:
        """Release everything. Called once, last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedSubject:
    """A subject spec, made ready to run: what a worker needs to build it."""

    spec: str
    """As the user wrote it; names the cell in every report."""
    factory: str
    """``module:NAME`` or ``path/to/file.py:NAME``, called in the worker."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments for the factory; JSON values. Empty for a user's own subject."""
    python: str
    """The interpreter that runs the worker."""
    path: tuple[Path, ...] = ()
    """Folders put first on the worker's import path."""
    named_paths: tuple[str, ...] = ()
    """Object paths to report whether they grow or not: what people look for first."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Distribution name to version, for the report."""
