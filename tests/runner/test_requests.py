"""How often a leaking path grows, on literal traces."""

import dataclasses

import pytest

from leakbench.metrics import TOTAL_PATH
from leakbench.record.trace import Sample, Trace
from leakbench.runner.requests import growth_gaps, periods_apart
from tests.hourly import begin, trace_of


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
    for chunks in range(1, 40):
        found = dataclasses.replace(begin(), chunk_seconds=0.6, chunks_per_period=chunks, phase=0)
        samples = [
            Sample(
                chunk=(found.warmup_chunks // chunks + n + 1) * chunks,
                audio_seconds=(found.warmup_chunks // chunks + n + 1) * chunks * 0.6,
                wall_seconds=float(n),
                phase=0,
                segments=0,
                streams=0,
                process={"heap_bytes": 1e8 + 20_016.0 * (n // 10)},
                objects={},
            )
            for n in range(100)
        ]
        assert periods_apart(Trace(tuple(samples)), found, ["heap_bytes"]) == 10
