"""Times of chunks: the median by the clock, the least period by the processor."""

import pytest

from leakbench.worker.feedtimes import FeedTimes


def test_nothing_is_said_of_no_chunks() -> None:
    assert FeedTimes(chunks_per_period=2, kept_periods=4).take() == {}


def test_the_clocks_time_is_the_median_of_the_latest_chunks() -> None:
    times = FeedTimes(chunks_per_period=3, kept_periods=1)
    for seconds in (9.0, 1.0, 5.0, 3.0):
        times.add(seconds, 0.0)
    assert times.take()["chunk_seconds"] == 3.0
    times.add(7.0, 0.0)
    assert times.take() == {"chunk_seconds": 7.0}


def test_processor_time_is_the_least_of_whole_periods_counted_back() -> None:
    times = FeedTimes(chunks_per_period=2, kept_periods=4)
    # Speech costs 3, silence 1; the neighbours cost 4 in the second period.
    for seconds in (0.1, 3.0, 1.0, 7.0, 1.0, 3.0, 1.5):
        times.add(0.0, seconds)
    assert times.take()["cpu_seconds"] == pytest.approx(2.0)


def test_only_the_latest_periods_count_however_many_there_were() -> None:
    times = FeedTimes(chunks_per_period=2, kept_periods=2)
    for period in range(9):
        for _ in range(2):
            times.add(0.0, 1.0 + period)
    assert times.take()["cpu_seconds"] == pytest.approx(8.0)


def test_less_than_a_period_has_no_processor_time() -> None:
    times = FeedTimes(chunks_per_period=2, kept_periods=4)
    times.add(0.0, 3.0)
    assert "cpu_seconds" not in times.take()
    times.add(0.0, 1.0)
    times.add(0.0, 2.0)
    assert times.take()["cpu_seconds"] == pytest.approx(1.5)
    assert "cpu_seconds" not in times.take()
