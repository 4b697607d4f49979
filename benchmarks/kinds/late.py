"""Growth that comes late or seldom, or only at some chunks; and what looks like it once."""

import ctypes
import os
import threading

import numpy as np
from base import Kind

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
ONSET_CHUNKS = 400
"""Four minutes of chunks of 600 ms."""
SILENT_BELOW = 1e-3


class Late(Kind):
    def set_up(self):
        self.x["kept"] = []

    def on_chunk(self, samples):
        if self.chunks > ONSET_CHUNKS:
            self.x["kept"].append(self.chunks + 0.5)


class LateNative(Kind):
    def on_segment(self):
        if self.chunks > ONSET_CHUNKS:
            LIBC.malloc(2000)


class LateFiles(Kind):
    def on_segment(self):
        if self.chunks > ONSET_CHUNKS:
            os.open("/dev/null", os.O_RDONLY)


class EveryTenthSegmentNative(Kind):
    def on_segment(self):
        if self.segments % 10 == 0:
            LIBC.malloc(20_000)


class WhileSilentNative(Kind):
    def on_chunk(self, samples):
        if float(np.abs(samples).max()) < SILENT_BELOW:
            LIBC.malloc(1000)


class OnFinalNative(Kind):
    def on_final(self):
        LIBC.malloc(1000)


class Residue(Kind):
    """Cleans up every 50 chunks, and leaves one item more each time."""

    def set_up(self):
        self.x["kept"] = []

    def on_chunk(self, samples):
        self.x["kept"].append(self.chunks + 0.5)
        if self.chunks % 50 == 0:
            del self.x["kept"][self.chunks // 50 :]


# Bounded.


class LazyModel(Kind):
    """Loads a second model after two minutes, once."""

    def on_chunk(self, samples):
        if self.chunks == ONSET_CHUNKS // 2:
            self.x["weights"] = np.ones(500_000, dtype=np.float32)
            self.x["file"] = os.open("/dev/null", os.O_RDONLY)
            threading.Thread(target=threading.Event().wait, daemon=True).start()


class CleanedUp(Kind):
    """Cleans up every 64 chunks, and leaves nothing."""

    def set_up(self):
        self.x["kept"] = []

    def on_chunk(self, samples):
        self.x["kept"].append(self.chunks + 0.5)
        if self.chunks % 64 == 0:
            self.x["kept"].clear()


class Counters(Kind):
    """Two numbers that outgrow a digit of 30 bits on the way."""

    def set_up(self):
        self.x["frames"] = (1 << 30) - 100
        self.x["samples"] = (1 << 30) - 4_000_000

    def on_chunk(self, samples):
        self.x["frames"] += 1
        self.x["samples"] += len(samples)
