"""How often a leaking path grows, on literal traces."""

import dataclasses

import pytest

from leakbench.metrics import TOTAL_PATH
from leakbench.record.trace import Trace
from leakbench.runner.requests import growth_gaps, periods_apart
from tests.hourly import begin, trace_of
from tests.samples import CHUNK_SECONDS, sample


@pytest.mark.parametrize(
    ("sizes", "gaps"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], (1, 1)),
        ([5, 5, 5, 5, 5, 6, 7, 8], (1, 1)),
        ([5, 5, 5, 6, 6, 6, 7, 7, 8], (2, 3)),
    ],
)
def test_a_path_that_grows_has_its_fewest_and_most_periods_between(
    sizes: list[int], gaps: tuple[int, int]
) -> None:
    trace = trace_of([0.0] * len(sizes), sizes)
    assert growth_gaps(trace, begin(), [TOTAL_PATH]) == {TOTAL_PATH: gaps}


@pytest.mark.parametrize("sizes", [[5, 5, 5, 5, 5], [5, 5, 5, 6, 6]])
def test_one_growth_or_none_says_nothing_of_how_often_it_comes(sizes: list[int]) -> None:
    trace = trace_of([0.0] * len(sizes), sizes)
    assert growth_gaps(trace, begin(), [TOTAL_PATH]) == {}


def test_what_grows_during_the_warm_up_only_is_left_out() -> None:
    trace = trace_of([0.0] * 6, [1, 2, 3, 3, 3, 3])
    assert growth_gaps(trace, begin(), [TOTAL_PATH]) == {}


def test_what_grows_every_tenth_period_of_any_length_is_ten_periods_apart() -> None:
    for period in range(1, 40):
        found = dataclasses.replace(
            begin(), chunk_seconds=CHUNK_SECONDS, chunks_per_period=period, warmup_chunks=2 * period
        )
        samples = [
            sample(
                (3 + n) * period, period=period, process={"heap_bytes": 1e8 + 20_016.0 * (n // 10)}
            )
            for n in range(100)
        ]
        assert periods_apart(Trace(tuple(samples)), found, ["heap_bytes"]) == 10
