"""Subjects that hold on to audio, but not to more and more of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from leakbench.controls import Retaining
from leakbench.subject import Samples, Segments, Subject
from leakbench.subject.loading import load_subject

CACHE_CHUNKS: Final = 60
CLEANUP_CHUNKS: Final = 32


class Keeping:
    """Keeps a copy of each chunk's audio until there are `limit`; then drops one, or all."""

    def __init__(self, limit: int, *, drop_all: bool) -> None:
        self.held: dict[int, Samples] = {}
        self.chunks = 0
        self._limit, self._drop_all = limit, drop_all

    def after_start(self, subject: Subject) -> None:
        """Forget what the last stream left."""
        self.held.clear()
        self.chunks = 0

    def after_chunk(self, subject: Subject, samples: Samples, segments: Segments) -> None:
        """Keep the chunk."""
        self.chunks += 1
        if self._drop_all and len(self.held) == self._limit:
            self.held.clear()
        self.held[self.chunks % self._limit] = samples.copy()


def plateau(factory: str, options: Mapping[str, object]) -> Retaining:
    return Retaining(load_subject(factory, options), Keeping(CACHE_CHUNKS, drop_all=False))


def sawtooth(factory: str, options: Mapping[str, object]) -> Retaining:
    return Retaining(load_subject(factory, options), Keeping(CLEANUP_CHUNKS, drop_all=True))
