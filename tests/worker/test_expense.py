"""What looking costs, and how far apart looks must be."""

import pytest

from leakbench.worker.expense import COSTLY_SECONDS, LOOKS_AT_LEAST, Expense


def weighed(*seconds: float, periods: int = 10_000) -> Expense:
    expense = Expense(periods)
    for each in seconds:
        expense.add(each, each)
    return expense


def test_one_or_two_long_looks_are_not_dear_and_three_are() -> None:
    assert not weighed(9.0, 9.0).is_dear
    assert weighed(9.0, 9.0, COSTLY_SECONDS).is_dear
    assert not weighed(9.0, 9.0, 9.0, COSTLY_SECONDS / 2).is_dear


@pytest.mark.parametrize(
    ("cost", "period", "stride"), [(0.1, 1.0, 1), (0.1, 0.5, 2), (0.3, 1.0, 4), (1.0, 1.0, 16)]
)
def test_looks_take_a_tenth_of_the_time_of_driving(cost: float, period: float, stride: int) -> None:
    expense = weighed(cost, cost, cost)
    assert expense.stride(wall_seconds=3 * cost + 20 * period, periods=20) == stride


@pytest.mark.parametrize("periods", [1, 31, 64, 300, 1000])
def test_there_are_always_enough_looks_for_a_verdict(periods: int) -> None:
    stride = weighed(60.0, 60.0, 60.0, periods=periods).stride(wall_seconds=181.0, periods=10)
    assert stride == 1 or periods / stride >= LOOKS_AT_LEAST
    assert stride & (stride - 1) == 0
