"""Literal samples of a worker that is fed 600 ms a chunk, ten of them a period."""

from collections.abc import Mapping

from leakbench.record.trace import ObjectSize, Sample

CHUNK_SECONDS = 0.6
PERIOD = 10


def sample(
    chunk: int,
    *,
    objects: Mapping[str, ObjectSize] | None = None,
    process: Mapping[str, float] | None = None,
    period: int = PERIOD,
) -> Sample:
    """A look after `chunk` chunks, with a segment closed in each period of so many chunks."""
    return Sample(
        chunk=chunk,
        audio_seconds=chunk * CHUNK_SECONDS,
        wall_seconds=chunk * 0.01,
        phase=chunk % period,
        segments=chunk // period,
        streams=1,
        objects=objects or {},
        process=process or {},
    )
