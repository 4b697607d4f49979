"""Ways to hold on to memory, leaky and bounded: what a detector must tell apart.

Each class is one way, called after every chunk with what the chunk held. ``held`` is what
it keeps where the object probe can see it; ways whose memory no root reaches leave it empty.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np

from leakbench.subject import Samples, Segments, Subject

_CHUNKS_BEFORE_LATE: Final = 400
_CACHE_ITEMS: Final = 48
_CLEANUP_CHUNKS: Final = 64
_KIB: Final = 1024


class Retention(Protocol):
    """One way of holding on to memory."""

    held: Any
    """What is held, for the probe to reach; None where no root reaches it."""

    def after_chunk(self, subject: Subject, samples: Samples, segments: Segments) -> None:
        """Hold on to something of the chunk just fed."""

    def after_start(self, subject: Subject) -> None:
        """Hold on to something of the stream just begun."""


class _Base:
    """Counts chunks, closed segments and audio, so a way to retain reads as one line."""

    held: Any = None

    def __init__(self) -> None:
        self.chunks = 0
        self.segments = 0
        self.minutes = 0
        self._audio_seconds = 0.0

    def after_start(self, subject: Subject) -> None:
        """Hold on to nothing, unless a way says otherwise."""

    def after_chunk(self, subject: Subject, samples: Samples, segments: Segments) -> None:
        """Count, and call the hooks of what happened."""
        self.chunks += 1
        self._on_chunk(subject, samples)
        for _start, end in segments:
            if end != -1:
                self.segments += 1
                self._on_segment(samples)
        self._audio_seconds += len(samples) / subject.sample_rate
        while self._audio_seconds >= 60 * (self.minutes + 1):
            self.minutes += 1
            self._on_minute(samples)

    def _on_chunk(self, subject: Subject, samples: Samples) -> None: ...

    def _on_segment(self, samples: Samples) -> None: ...

    def _on_minute(self, samples: Samples) -> None: ...


class FloatPerChunk(_Base):
    """One float more a chunk: the smallest leak of Python objects."""

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        self.held.append(float(self.chunks) + 0.5)


class ObjectPerSegment(_Base):
    """One small dict more a segment."""

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def _on_segment(self, samples: Samples) -> None:
        self.held.append({"segment": self.segments + 0.5})


class ObjectPerTenthSegment(ObjectPerSegment):
    """One small dict more every tenth segment: flat for nine periods in ten."""

    def _on_segment(self, samples: Samples) -> None:
        if self.segments % 10 == 0:
            super()._on_segment(samples)


class ObjectPerStream(_Base):
    """One small dict more a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def after_start(self, subject: Subject) -> None:
        """Hold on to one small dict."""
        self.held.append({"stream": len(self.held) + 0.5})


class StoragePerMinute(_Base):
    """1 KiB more of array storage a minute of audio; invisible to ``sys.getsizeof``."""

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def _on_minute(self, samples: Samples) -> None:
        self.held.append(np.zeros(_KIB, dtype=np.uint8))


class PinnedView(_Base):
    """A view of one sample a chunk, each keeping the whole chunk's storage alive."""

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        self.held.append(samples[:1])


class NativePerMinute(_Base):
    """1 KiB of ``malloc`` a minute that no Python object knows of."""

    def __init__(self) -> None:
        super().__init__()
        self._malloc = ctypes.CDLL(None).malloc
        self._malloc.restype = ctypes.c_void_p
        self._malloc.argtypes = [ctypes.c_size_t]

    def _on_minute(self, samples: Samples) -> None:
        self._malloc(_KIB)


class CyclePerChunk(_Base):
    """A reference cycle a chunk, kept alive by a list."""

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        one: list[object] = []
        one.append([one])
        self.held.append(one)


class KeyPerChunk(_Base):
    """A dict with a new key a chunk."""

    def __init__(self) -> None:
        super().__init__()
        self.held = {}

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        self.held[f"chunk {self.chunks}"] = None


class OutsideRoots(_Base):
    """A float more a chunk, on an object that no root reaches."""

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        owner: Any = getattr(subject, "model", subject)
        if not hasattr(owner, "chunk_history"):
            owner.chunk_history = []
        owner.chunk_history.append(float(self.chunks) + 0.5)


class WhileSilent(_Base):
    """A float more a chunk, but only while the chunk is silent."""

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        if float(np.max(np.abs(samples))) < 1e-3:
            self.held.append(float(self.chunks) + 0.5)


class LateLeak(FloatPerChunk):
    """Bounded for 400 chunks, then a float more a chunk."""

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        if self.chunks > _CHUNKS_BEFORE_LATE:
            super()._on_chunk(subject, samples)


class FillingCache(_Base):
    """Bounded: a cache that fills up to 48 items and then replaces the oldest."""

    def __init__(self) -> None:
        super().__init__()
        self.held = {}

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        self.held[self.chunks % _CACHE_ITEMS] = float(self.chunks) + 0.5


class PeriodicCleanup(FloatPerChunk):
    """Bounded: a float more a chunk, all dropped every 64 chunks."""

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        super()._on_chunk(subject, samples)
        if self.chunks % _CLEANUP_CHUNKS == 0:
            self.held.clear()


class LastChunk(_Base):
    """Bounded: the last chunk's audio and nothing else."""

    def _on_chunk(self, subject: Subject, samples: Samples) -> None:
        self.held = samples


LEAKS: Final[Mapping[str, Callable[[], Retention]]] = {
    "float-per-chunk": FloatPerChunk,
    "object-per-segment": ObjectPerSegment,
    "object-per-tenth-segment": ObjectPerTenthSegment,
    "object-per-stream": ObjectPerStream,
    "storage-per-minute": StoragePerMinute,
    "pinned-view": PinnedView,
    "native-per-minute": NativePerMinute,
    "cycle-per-chunk": CyclePerChunk,
    "key-per-chunk": KeyPerChunk,
    "outside-roots": OutsideRoots,
    "while-silent": WhileSilent,
    "late-leak": LateLeak,
}
"""What must be found, by name."""

BOUNDED: Final[Mapping[str, Callable[[], Retention]]] = {
    "filling-cache": FillingCache,
    "periodic-cleanup": PeriodicCleanup,
    "last-chunk": LastChunk,
}
"""What must not raise an alarm, by name."""
