"""Growth of the heap that no object explains, from the trace of the measured run. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from leakbench.metrics import PROCESS_PATH, TOTAL_PATH
from leakbench.record.explanation import Growth, Opened
from leakbench.record.trace import Trace
from leakbench.units import SECONDS_PER_HOUR

ALLOCATOR_OVERHEAD: Final = 3.0
"""Bytes of the heap for a byte of an object, at most. CPython rounds 24 up to 32 and malloc adds
16 to a piece; most of all, an instance's attributes are in an array of 30 places that no size
tells of: FunASR's segments were seen to take 2.6 times what their sizes say."""
NATIVE_AT_LEAST: Final = 16 * 1024
"""Bytes an audio-hour below which growth of the heap says nothing: a run of minutes repeats
to a few hundred bytes."""
LOOKS_AT_LEAST: Final = 8
"""Half of them count; with fewer the warm-up of caches is all there is to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapGrowth:
    """How fast the heap and what the roots reach grew, in bytes an audio-hour."""

    heap: float
    objects: float

    def native(self, outside: float) -> float | None:
        """Return what neither the roots nor `outside`, bytes an hour, explain.

        None where the allocators' overhead could be all of it.
        """
        explained = self.objects + outside
        rest = self.heap - explained
        if self.heap <= ALLOCATOR_OVERHEAD * explained + NATIVE_AT_LEAST:
            return None
        return rest


def has_memory_of_no_size(growths: Iterable[Growth], opened: Iterable[Opened]) -> bool:
    """Whether something grows that weighs more than any size tells of.

    A node of autograd's graph is an object of C++, and so is what it keeps beside tensors. A thread
    has a stack, which is mapped, and memory of its own in Python and in C.
    """
    has_graph = any(growth.kind == "graph" for growth in growths)
    return has_graph or any(of.metric == "threads" for of in opened)


def measure_heap_growth(trace: Trace) -> HeapGrowth | None:
    """Return the growth over the second half of a replicate; None with too few looks.

    The median of the slopes of all pairs of looks (Theil 1950, Sen 1968): a step of the
    allocator is no slope.
    """
    heap = trace.column(PROCESS_PATH, "heap_bytes")
    python = trace.column(TOTAL_PATH, "python_bytes")
    storage = trace.column(TOTAL_PATH, "storage_bytes")
    if len(heap) < LOOKS_AT_LEAST:
        return None
    objects = dict(
        zip(python.audio_seconds.tolist(), (python.values + storage.values).tolist(), strict=True)
    )
    half = heap.since(float(heap.audio_seconds[-1]) / 2)
    rows = [
        (seconds, value, objects[seconds])
        for seconds, value in zip(half.audio_seconds.tolist(), half.values.tolist(), strict=True)
        if seconds in objects
    ]
    if len(rows) < 2:
        return None
    times, heaps, sizes = np.array(rows).T
    return HeapGrowth(heap=_slope(times, heaps), objects=_slope(times, sizes))


def _slope(seconds: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> float:
    first, second = np.triu_indices(len(seconds), k=1)
    slopes = (values[second] - values[first]) / (seconds[second] - seconds[first])
    return float(np.median(slopes)) * SECONDS_PER_HOUR
