"""Times of chunks: the median by the clock, the least period by the processor."""

import pytest

from leakbench.worker.feedtimes import FeedTimes


def test_nothing_is_said_of_no_chunks() -> None:
    assert FeedTimes(chunks_per_period=2, kept=4).take() == {}


def test_the_clocks_time_is_the_median_of_the_latest_chunks() -> None:
    times = FeedTimes(chunks_per_period=99, kept=3)
    for seconds in (9.0, 1.0, 5.0, 3.0):
        times.add(seconds, 0.0)
    assert times.take() == {"chunk_seconds": 3.0}
    times.add(7.0, 0.0)
    assert times.take() == {"chunk_seconds": 7.0}


def test_processor_time_is_the_least_of_whole_periods() -> None:
    times = FeedTimes(chunks_per_period=2, kept=4)
    # Speech costs 3, silence 1; the neighbours cost 4 in the second period.
    for seconds in (3.0, 1.0, 7.0, 1.0, 3.0, 1.5, 0.1):
        times.add(0.0, seconds)
    assert times.take()["cpu_seconds"] == pytest.approx(2.0)


def test_a_period_that_was_begun_before_a_look_is_whole_after_it() -> None:
    times = FeedTimes(chunks_per_period=2, kept=4)
    times.add(0.0, 3.0)
    assert "cpu_seconds" not in times.take()
    times.add(0.0, 1.0)
    assert times.take()["cpu_seconds"] == pytest.approx(2.0)
    assert "cpu_seconds" not in times.take()
