import numpy as np
import pytest

from leakbench.record.trace import Column
from leakbench.verdict.attribution import attribute, select_dense

CHUNKS = 10


def dense(
    values: list[float], *, closes: tuple[int, ...] = (), starts: tuple[int, ...] = ()
) -> Column:
    """Values after every chunk; chunks of the period in `closes` close a segment."""
    chunks = np.arange(len(values))
    within = chunks % CHUNKS
    later = chunks > 0
    return Column(
        chunks * 0.6,
        np.array(values, dtype=np.float64),
        within.astype(np.int64),
        np.cumsum(np.isin(within, closes) & later).astype(np.int64),
        np.cumsum(np.isin(within, starts) & later).astype(np.int64),
    )


def stairs(at: tuple[int, ...], step: float, periods: int = 2) -> list[float]:
    chunks = np.arange(periods * CHUNKS + 1)
    return list(np.cumsum(np.isin(chunks % CHUNKS, at) & (chunks > 0)) * step)


def test_growth_in_every_chunk_comes_with_the_chunk() -> None:
    column = dense([64.0 * n for n in range(21)])
    assert attribute(column, 640.0, chunks_per_period=CHUNKS) == (64.0, "chunk")


def test_growth_where_segments_close_comes_with_the_segment() -> None:
    column = dense(stairs((3, 8), 240.0), closes=(3, 8))
    found = attribute(column, 480.0, chunks_per_period=CHUNKS, segments_per_period=2.0)
    assert found == (240.0, "segment")


def test_growth_where_segments_open_comes_with_the_segment_too() -> None:
    column = dense(stairs((1, 6), 240.0), closes=(3, 8))
    found = attribute(column, 480.0, chunks_per_period=CHUNKS, segments_per_period=2.0)
    assert found == (240.0, "segment")


def test_growth_where_streams_start_comes_with_the_stream() -> None:
    column = dense(stairs((1,), 100.0), closes=(5,), starts=(1,))
    found = attribute(
        column, 100.0, chunks_per_period=CHUNKS, segments_per_period=1.0, streams_per_period=1.0
    )
    assert found == (100.0, "stream")


def test_growth_in_half_of_the_chunks_comes_with_none_of_them() -> None:
    column = dense(stairs((1, 2, 3, 4, 5), 10.0), closes=(8,))
    found = attribute(column, 50.0, chunks_per_period=CHUNKS, segments_per_period=1.0)
    assert found == (50.0, "period")


def test_growth_that_falls_back_within_the_period_is_left_to_the_period() -> None:
    values = [float(n % CHUNKS + n // CHUNKS) for n in range(21)]
    assert attribute(dense(values), 1.0, chunks_per_period=CHUNKS)[1] == "period"


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_dense_samples_say_nothing(count: int) -> None:
    column = dense([float(n) for n in range(count)])
    assert attribute(column, 10.0, chunks_per_period=CHUNKS) == (10.0, "period")


def test_the_dense_stretch_is_found_among_sparse_samples() -> None:
    audio = np.concatenate([[6.0, 12.0], 18.0 + 0.6 * np.arange(21), [36.0, 42.0]])
    zeros = np.zeros(len(audio), dtype=np.int64)
    column = Column(audio, audio, zeros, zeros, zeros)
    found = select_dense(column, chunk_seconds=0.6)
    assert len(found) == 21
    assert found.audio_seconds[0] == 18.0
