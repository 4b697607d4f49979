"""From where on a leaking cell is driven once more, on literal traces."""

import pytest

from leakbench.runner.requests import grows_every_period, periods_before_growth
from leakbench.trace import TOTAL_PATH
from tests.hourly import begin, trace_of


def test_growth_from_the_beginning_is_traced_from_the_beginning() -> None:
    trace = trace_of([0.0] * 8, [1, 2, 3, 4, 5, 6, 7, 8])
    assert periods_before_growth(trace, begin(), [TOTAL_PATH]) == 0


@pytest.mark.parametrize(
    "sizes", [[5, 5, 5, 5, 5, 5, 5, 5, 6, 7, 8, 9], [5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 7]]
)
def test_late_and_rare_growth_is_waited_for_up_to_two_periods_before(sizes: list[int]) -> None:
    trace = trace_of([0.0] * len(sizes), sizes)
    assert periods_before_growth(trace, begin(), [TOTAL_PATH]) == 6


def test_nothing_is_waited_for_where_no_path_is_known_to_leak() -> None:
    assert periods_before_growth(trace_of([0.0] * 8, [5] * 8), begin(), []) == 0


@pytest.mark.parametrize(
    ("sizes", "steady"),
    [
        ([5, 5, 5, 6, 7, 8], True),
        ([5, 6, 7, 8, 8, 9], False),
        ([1, 1, 1, 2, 2, 2], False),
    ],
)
def test_only_what_grows_in_each_of_the_last_periods_is_explained_as_it_is(
    sizes: list[int], steady: bool
) -> None:
    trace = trace_of([0.0] * len(sizes), sizes)
    assert grows_every_period(trace, begin(), [TOTAL_PATH]) is steady


def test_growth_that_no_path_shows_is_explained_as_it_is() -> None:
    assert grows_every_period(trace_of([0.0] * 4, [5] * 4), begin(), [])
