"""The history on disk: whole, exact, and hardly in memory."""

import mmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.fixes.buffers import HistoryFile
from leakbench.fixes.buffers.history import WINDOW_BYTES


@given(
    sizes=st.lists(st.integers(0, 9000), max_size=12),
    cuts=st.lists(st.tuples(st.integers(0, 40000), st.integers(0, 9000)), max_size=5),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(max_examples=40, deadline=None)
def test_everything_appended_is_read_back(sizes, cuts, dtype):
    history = HistoryFile(dtype=dtype)
    everything = np.arange(sum(sizes), dtype=dtype) / 3
    position = 0
    for size in sizes:
        history.append(everything[position : position + size])
        position += size
        assert history.end == position
    assert history.read().tolist() == everything.tolist()
    for start, size in cuts:
        assert (
            history.read(start, start + size).tolist() == everything[start : start + size].tolist()
        )
    for index in range(0, len(everything), 997):
        assert history.item(index) == everything[index]
    history.close()


def test_an_item_appended_after_one_was_read_is_found():
    history = HistoryFile()
    for number in range(3000):
        history.append([number])
        assert history.item(number) == number
    history.close()


def test_only_one_window_is_mapped_however_long_the_history():
    history = HistoryFile()
    for _ in range(20):
        history.append(np.zeros(WINDOW_BYTES // 4))
    mapped = [each for each in vars(history).values() if isinstance(each, mmap.mmap)]
    assert [len(each) for each in mapped] == [WINDOW_BYTES]
    assert history.end * 4 == 20 * WINDOW_BYTES
    history.close()


def test_the_file_leaves_nothing_behind(tmp_path):
    history = HistoryFile(tmp_path)
    history.append([1.0, 2.0])
    del history
    assert list(tmp_path.iterdir()) == []


def test_an_index_outside_of_it_is_an_error():
    history = HistoryFile()
    history.append([1.0])
    for index in (-1, 1):
        with pytest.raises(IndexError, match="outside of what is held"):
            history.item(index)
    history.close()
