import pytest

from leakbench.verdict import project, time_to_limit

MIB = 2.0**20


def test_memory_grows_by_slope_times_hours() -> None:
    day, week, month = project(100 * MIB, slope_per_hour=MIB, low=0.5 * MIB, high=2 * MIB)
    assert day.expected == 124 * MIB
    assert week.low == (100 + 84) * MIB
    assert month.high == (100 + 1440) * MIB


def test_memory_does_not_fall_below_zero() -> None:
    assert project(1.0, slope_per_hour=-1.0)[0].expected == 0


def test_a_limit_is_met_after_what_is_left_over_the_slope() -> None:
    found = time_to_limit(500 * MIB, 512 * MIB, slope_per_hour=6 * MIB, low=4 * MIB, high=12 * MIB)
    assert found.soonest_seconds == pytest.approx(3600)
    assert found.expected_seconds == pytest.approx(7200)
    assert found.latest_seconds == pytest.approx(10800)


def test_a_limit_is_never_met_without_growth_and_is_met_when_passed() -> None:
    assert time_to_limit(1.0, 2.0, slope_per_hour=0.0).expected_seconds is None
    # So slow that no number says when.
    assert time_to_limit(1.0, 2.0, slope_per_hour=5e-324).expected_seconds is None
    assert time_to_limit(3.0, 2.0, slope_per_hour=-1.0).expected_seconds == 0.0
