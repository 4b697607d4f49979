import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakbench.scenario.audio.stimulus import ChunkReader, Stimulus

Make = Callable[..., Stimulus]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a stimulus whose samples count up from 0."""
    folder: Path = tmp_path_factory.mktemp("stimulus")

    def make_stimulus(chunk_samples: int, chunks: int, sample_rate: int = 16000) -> Stimulus:
        path = folder / f"{chunk_samples}x{chunks}.f32"
        np.arange(chunk_samples * chunks, dtype="<f4").tofile(path)
        return Stimulus(
            path=path,
            sample_rate=sample_rate,
            chunk_samples=chunk_samples,
            chunks_per_period=chunks,
            sha256="",
        )

    return make_stimulus


def test_the_period_is_its_chunks(make: Make) -> None:
    assert make(960, 100).period_seconds == 6.0


@given(chunk_samples=st.integers(1, 50), chunks=st.integers(1, 10), reads=st.integers(0, 40))
def test_the_reader_loops_exactly(make: Make, chunk_samples: int, chunks: int, reads: int) -> None:
    with ChunkReader(make(chunk_samples, chunks)) as reader:
        heard = [reader.read() for _ in range(reads)]
    for number, chunk in enumerate(heard):
        start = number % chunks * chunk_samples
        assert chunk.dtype == np.float32
        assert np.array_equal(chunk, np.arange(start, start + chunk_samples))


def test_every_chunk_is_the_callers_to_keep_and_change(make: Make) -> None:
    with ChunkReader(make(4, 1)) as reader:
        first = reader.read()
        first[:] = -1
        second = reader.read()
    assert first.flags.owndata
    assert not np.shares_memory(first, second)
    assert second.tolist() == [0, 1, 2, 3]


def test_reading_ten_thousand_chunks_holds_no_more_memory_than_one(make: Make) -> None:
    with ChunkReader(make(960, 100)) as reader:
        reader.read()
        tracemalloc.start()
        try:
            reader.read()
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(10_000):
                reader.read()
            after, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < 960 * 4
    assert peak - before < 2 * 960 * 4


def test_a_file_cut_short_is_told_not_padded(make: Make) -> None:
    stimulus = make(960, 7)
    with stimulus.path.open("r+b") as file:
        file.truncate(960 * 4 * 6 + 100)
    with ChunkReader(stimulus) as reader:
        for _ in range(6):
            reader.read()
        with pytest.raises(OSError, match=r"960x7\.f32: ends before its period does"):
            reader.read()


def test_the_file_may_be_unlinked_while_it_is_read(make: Make) -> None:
    stimulus = make(8, 3)
    with ChunkReader(stimulus) as reader:
        stimulus.path.unlink()
        assert [reader.read()[0] for _ in range(4)] == [0, 8, 16, 0]
