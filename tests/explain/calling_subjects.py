"""Detectors whose leak is allocated by a line of a library, or by C."""

import ctypes
from collections import deque
from collections.abc import Mapping
from typing import Any

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments


class Calling(EnergyVad):
    """Keeps what a line of numpy makes, of every chunk."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Any] = []
        self.chunks = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.chunks += 1
        self.keep(samples)
        return super().feed(samples, is_final)

    def keep(self, samples: Samples) -> None:
        # Another line that calls the same line of numpy, and keeps nothing.
        self.level = samples[:100].mean()
        self.log.append(samples.mean())

    def roots(self) -> Mapping[str, object]:
        return {"log": self.log}


class FromTwoLines(Calling):
    """Keeps as much of either of two lines."""

    def keep(self, samples: Samples) -> None:
        self.log.append(samples[:50].mean())
        self.log.append(samples.mean())


C = ctypes.CDLL(None)
C.malloc.restype = C.strdup.restype = ctypes.c_void_p
C.malloc.argtypes = (ctypes.c_size_t,)
C.free.argtypes = (ctypes.c_void_p,)


class Native(Calling):
    """Copies text in C, and never frees it."""

    def keep(self, samples: Samples) -> None:
        C.strdup(b"x" * 1999)


class NativeByAddress(Calling):
    """Calls ``malloc`` by its address, which no table of functions leads to."""

    def keep(self, samples: Samples) -> None:
        C.malloc(2000)


class NativeRarely(Calling):
    """Leaks in each fourth chunk, below a line that frees all it allocates."""

    def keep(self, samples: Samples) -> None:
        held = C.malloc(5000)
        if self.chunks % 4 == 0:
            self.leak()
        C.free(held)

    def leak(self) -> None:
        C.strdup(b"x" * 1999)


class NativeKept(Calling):
    """Keeps the last three pieces, each allocated at one line and freed at another."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: deque[int] = deque()

    def keep(self, samples: Samples) -> None:
        self.pieces.append(C.strdup(b"x" * 1999))
        if len(self.pieces) > 3:
            self.drop()

    def drop(self) -> None:
        C.free(self.pieces.popleft())


class Slower(Calling):
    """Goes through all that came before, at one line."""

    def keep(self, samples: Samples) -> None:
        self.level = float(self.chunks)
        self.total = sum(range(self.chunks * 2000))
