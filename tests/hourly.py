"""Traces of a process whose every chunk is a period and takes an hour."""

from leakbench.metrics import TOTAL_PATH
from leakbench.record.trace import Begin, ObjectSize, Sample, Trace

HOUR = 3600.0


def trace_of(heaps: list[float], objects: list[int]) -> Trace:
    return Trace(
        tuple(
            Sample(
                chunk=index,
                audio_seconds=index * HOUR,
                wall_seconds=0.0,
                phase=0,
                segments=0,
                streams=1,
                objects={TOTAL_PATH: ObjectSize(size, size, 0)},
                process={"heap_bytes": heap},
            )
            for index, (heap, size) in enumerate(zip(heaps, objects, strict=True))
        )
    )


def begin() -> Begin:
    return Begin(
        sample_rate=16000,
        chunk_seconds=HOUR,
        chunks_per_period=1,
        phase=0,
        warmup_chunks=2,
        stimulus_sha256="",
        pid=1,
    )
