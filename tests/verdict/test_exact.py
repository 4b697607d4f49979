import sys

import numpy as np
import pytest

from leakbench.errors import UsageError
from leakbench.verdict import Judgement, Verdict, judge_exact


def judge(values: list[float], **options: float) -> Judgement:
    return judge_exact(values, period_seconds=60.0, **options)  # type: ignore[arg-type]


def sizes_of_growing_list(periods: int, *, appends: int, item_bytes: int = 0) -> list[float]:
    """What ``sys.getsizeof`` says of a real list, whose capacity grows in ever larger steps."""
    grown: list[None] = []
    sizes = []
    for _ in range(periods):
        grown.extend(None for _ in range(appends))
        sizes.append(float(sys.getsizeof(grown) + item_bytes * len(grown)))
    return sizes


def test_five_equal_periods_are_flat_and_four_are_not_enough() -> None:
    assert judge([41.0] * 6).verdict is Verdict.FLAT
    assert judge([41.0] * 5).verdict is Verdict.UNDECIDED


def test_five_equal_steps_are_a_leak_with_an_exact_rate() -> None:
    found = judge([41.0 + 64 * n for n in range(6)])
    assert found.verdict is Verdict.LEAK
    assert found.rate == 64
    assert found.slope_per_hour == found.low == found.high == 64 * 60
    assert found.rate_per == "period"


def test_four_steps_are_not_yet_a_leak() -> None:
    assert judge([64.0 * n for n in range(5)]).verdict is Verdict.UNDECIDED


def test_nothing_at_all_is_undecided() -> None:
    assert judge([]).verdict is Verdict.UNDECIDED
    assert judge([3.0]).verdict is Verdict.UNDECIDED


def test_a_value_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"values\[1\] must be a finite number"):
        judge([1.0, float("nan"), 2.0])


def test_growth_that_shrinks_is_saturating() -> None:
    filling = [1000 * (1 - 0.8**n) for n in range(8)]
    found = judge(filling)
    assert found.verdict is Verdict.SATURATING
    assert found.verdict.outcome == "undecided"
    assert found.audio_wanted_seconds is not None


def test_logarithmic_growth_is_saturating() -> None:
    assert judge(list(100 * np.log1p(np.arange(30)))).verdict is Verdict.SATURATING


def test_irregular_growth_in_every_period_is_a_leak_with_an_interval() -> None:
    found = judge(list(np.cumsum([9.0, 11, 8, 12, 10, 9, 11, 10, 12, 8])))
    assert found.verdict is Verdict.LEAK
    assert found.rate is None
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 600 < found.high


def test_growth_within_the_budget_is_flat_and_says_so() -> None:
    values = [240.0 * n for n in range(8)]
    assert judge(values, budget_per_hour=400 * 60).verdict is Verdict.FLAT
    assert judge(values, budget_per_hour=200 * 60).verdict is Verdict.LEAK


def test_growth_at_exactly_the_budget_is_within_it() -> None:
    assert judge([0.1 * n for n in range(8)], budget_per_hour=0.1 * 60).verdict is Verdict.FLAT


def test_lumpy_growth_is_within_a_budget_only_if_one_more_lump_would_be() -> None:
    lumpy = [0.0, 100, 100, 100, 200, 210, 310, 320, 330, 430, 430, 440]
    assert judge(lumpy, budget_per_hour=60 * 80).verdict is Verdict.FLAT
    assert judge(lumpy, budget_per_hour=60 * 42).verdict is not Verdict.FLAT


def test_growth_above_a_budget_by_less_than_a_lump_is_undecided() -> None:
    lumpy = [0.0, 30, 40, 60, 80, 85, 130, 140]
    assert judge(lumpy, budget_per_hour=60 * 19.5).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("appends", [1, 3, 10])
def test_an_append_only_list_leaks_although_its_bytes_rise_in_rare_steps(appends: int) -> None:
    found = judge(sizes_of_growing_list(100, appends=appends))
    assert found.verdict is Verdict.LEAK
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 8 * appends * 60 <= found.high


def test_an_append_only_list_is_never_called_flat_on_the_way() -> None:
    sizes = sizes_of_growing_list(300, appends=1)
    verdicts = {judge(sizes[:count]).verdict for count in range(6, 300)}
    assert Verdict.FLAT not in verdicts


def test_a_list_that_owns_its_items_leaks_within_a_few_periods() -> None:
    found = judge(sizes_of_growing_list(8, appends=3, item_bytes=56))
    assert found.verdict is Verdict.LEAK


@pytest.mark.parametrize("offset", range(10))
def test_a_leak_in_every_tenth_period_is_never_flat_once_it_was_seen(offset: int) -> None:
    values = [float((n + offset) // 10) for n in range(60)]
    first_step = 1 + int(np.flatnonzero(np.diff(values))[0])
    verdicts = [judge(values[:count]).verdict for count in range(first_step + 1, 60)]
    assert Verdict.FLAT not in verdicts
    assert verdicts[-1] is Verdict.LEAK


@pytest.mark.parametrize("offset", range(10))
def test_a_leak_in_every_tenth_period_is_never_flat_where_twelve_quiet_ones_are_asked_for(
    offset: int,
) -> None:
    values = [float((n + offset) // 10) for n in range(60)]
    verdicts = {judge(values[:count], quiet_periods=12).verdict for count in range(6, 60)}
    assert Verdict.FLAT not in verdicts


def test_a_regular_leak_in_every_tenth_period_gets_its_exact_rate() -> None:
    assert judge([float(n // 10) for n in range(31)]).rate == pytest.approx(0.1)


def test_a_value_that_repeats_every_third_period_is_flat() -> None:
    assert judge([10.0, 20.0, 30.0] * 4).verdict is Verdict.FLAT


def test_a_cycle_of_three_periods_that_also_grows_is_a_leak() -> None:
    found = judge([10.0 * (n % 3) + 6 * (n // 3) for n in range(15)])
    assert found.verdict is Verdict.LEAK
    assert found.rate == 2


def test_a_cycle_needs_three_rounds() -> None:
    assert judge([10.0, 20.0, 30.0, 10.0, 20.0, 30.0]).verdict is Verdict.UNDECIDED


def test_a_value_that_only_falls_is_flat() -> None:
    assert judge([9.0, 8.0, 7.0, 7.0, 6.0, 6.0]).verdict is Verdict.FLAT


def test_a_leak_that_starts_late_is_found() -> None:
    found = judge([5.0] * 10 + [5.0 + 3 * n for n in range(1, 6)])
    assert found.verdict is Verdict.LEAK
    assert found.slope_per_hour == pytest.approx(180)


def test_one_step_is_undecided_until_a_long_quiet_clears_it() -> None:
    assert judge([5.0] * 3 + [6.0] * 8).verdict is Verdict.UNDECIDED
    assert judge([5.0] * 3 + [6.0] * 27).verdict is Verdict.FLAT


def test_one_step_within_the_slack_is_cleared_sooner() -> None:
    values = [100.0] * 3 + [128.0] * 13
    assert judge(values, slack=64.0).verdict is Verdict.FLAT
    assert judge(values, slack=16.0).verdict is Verdict.UNDECIDED
    assert judge(values[:10], slack=64.0).verdict is Verdict.UNDECIDED


def test_a_small_object_more_or_less_without_an_element_more_is_flat_in_few_periods() -> None:
    # Counters of a detector on real speech: a first look above the rest, and two steps of 32 bytes.
    values = [12_512.0, *[12_424.0] * 3, 12_456.0, *[12_488.0] * 4]
    assert judge(values, slack=64.0, same_elements=True).verdict is Verdict.FLAT
    assert judge(values, slack=64.0).verdict is Verdict.UNDECIDED
    rising = [0.0, 32.0, 0.0, 32.0, 0.0, 64.0, 32.0, 96.0, 64.0]
    assert judge(rising, slack=64.0, same_elements=True).verdict is Verdict.UNDECIDED


def test_two_steps_within_the_slack_are_not_forgiven() -> None:
    values = [100.0] * 3 + [120.0] * 5 + [140.0] * 13
    assert judge(values, slack=64.0).verdict is not Verdict.FLAT


def irregular_teeth(*, leak: float) -> list[float]:
    lengths = [5, 3, 8, 6, 4, 7, 3, 5, 8, 4, 6, 7, 5, 3]
    teeth = np.concatenate([10.0 * np.arange(length) for length in lengths])
    return list(teeth + leak * np.arange(len(teeth)))


def test_an_irregular_sawtooth_is_first_undecided_and_then_flat() -> None:
    teeth = irregular_teeth(leak=0.0)
    assert judge(teeth[:12]).verdict is Verdict.UNDECIDED
    assert judge(teeth).verdict is Verdict.FLAT


def test_an_irregular_sawtooth_on_rising_floors_is_a_leak() -> None:
    found = judge(irregular_teeth(leak=2.0))
    assert found.verdict is Verdict.LEAK
    assert found.slope_per_hour == pytest.approx(120, rel=0.1)


def test_a_climb_within_a_sawtooth_is_no_leak() -> None:
    teeth = [float(n % 8) for n in range(16)] + [0.0, 1.0, 2.0, 3.0, 4.0, 5.5]
    assert judge(teeth).verdict is Verdict.UNDECIDED


def test_a_leak_after_a_fall_early_on_is_found() -> None:
    assert judge([1000.0] + [float(n // 3) for n in range(30)]).verdict is Verdict.LEAK


def test_flat_after_a_fall_early_on_is_flat() -> None:
    assert judge([1000.0, 0.0, 10.0] + [10.0] * 24).verdict is Verdict.FLAT


def test_the_reason_states_estimate_budget_and_audio() -> None:
    reason = judge([64.0 * n for n in range(6)]).reason
    assert reason == "64 B every period: 3.75 KiB/h against 0 B/h; 5 periods, 5 min of audio"


def test_a_step_before_regular_growth_is_no_part_of_its_rate() -> None:
    values = [0.0] * 13 + [264.0 + 24.0 * n for n in range(20)]
    judged = judge(values)
    assert judged.verdict is Verdict.LEAK
    assert judged.rate == 24.0


@pytest.mark.parametrize("step", [1, 2, 8])
def test_an_exact_rate_is_that_of_a_period_however_far_apart_the_looks_are(step: int) -> None:
    found = judge_exact([64.0 * step * n for n in range(8)], period_seconds=60.0 * step, step=step)
    assert (found.verdict, found.rate, found.rate_per) == (Verdict.LEAK, 64, "period")
    assert found.slope_per_hour == 64 * 60
    assert f"{7 * step} periods" in found.reason


@pytest.mark.parametrize("tooth", range(2, 16))
def test_no_beginning_of_a_sawtooth_is_a_leak(tooth: int) -> None:
    # Each tooth a little different, as that of a list is, but for its top.
    values = [336.0 * (n % tooth) + 32 * (n % 3) * ((n + 1) % tooth > 0) for n in range(90)]
    for first in range(tooth):
        for last in range(tooth + 2, 90):
            found = judge(values[first:last], quiet_periods=5)
            assert found.verdict is not Verdict.LEAK, (first, last, found.reason)
