"""One process, exact but for its wobble: what leaks under it is caught, what wobbles is not."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from leakbench.errors import UsageError
from leakbench.verdict import Judgement, Verdict
from leakbench.verdict.banded import judge_banded

KIB = 1024.0
PERIOD = 6.0
AN_HOUR = 600
"""Periods."""

Array = npt.NDArray[np.float64]


def judge(values: npt.ArrayLike, **options: float) -> Judgement:
    settings = {"period_seconds": PERIOD, "budget_per_hour": 16 * KIB, "noise": 400.0}
    return judge_banded(values, **{**settings, **options})  # type: ignore[arg-type]


def slack(count: int, seed: int = 0) -> Array:
    """What glibc leaves of a settled heap: some hundred bytes, without drift."""
    return 64.0 * np.random.default_rng(seed).integers(-3, 4, count)


def test_a_settled_heap_is_flat_within_minutes_and_tighter_the_longer_it_runs() -> None:
    short, long = judge(slack(40)), judge(slack(300))
    assert short.verdict is long.verdict is Verdict.FLAT
    assert short.high is not None
    assert long.high is not None
    assert short.high < 16 * KIB
    assert long.high < 1.2 * KIB
    assert short.tier == "banded"


def test_a_heap_that_repeats_to_the_byte_is_flat_by_the_noise_to_reckon_with() -> None:
    found = judge([5000.0] * 25)
    assert found.verdict is Verdict.FLAT
    assert found.high == pytest.approx(400 * 6 / 25 / 24 * AN_HOUR)


def test_two_looks_say_nothing() -> None:
    found = judge([0.0, 0.0])
    assert found.verdict is Verdict.UNDECIDED
    assert "2 of at least 3 looks" in found.reason


def test_a_short_record_is_undecided_until_its_wobble_fits_the_budget() -> None:
    found = judge([0.0, 100.0, -50.0, 0.0])
    assert found.verdict is Verdict.UNDECIDED
    assert found.audio_wanted_seconds is not None
    assert 4 * PERIOD < found.audio_wanted_seconds <= 16 * PERIOD


def test_growth_in_every_period_is_a_leak_with_its_rate() -> None:
    found = judge(2016.0 * np.arange(30) + slack(30))
    assert found.verdict is Verdict.LEAK
    assert found.slope_per_hour == pytest.approx(2016 * AN_HOUR, rel=0.01)
    assert found.low is not None
    assert found.low > 16 * KIB


def test_a_kibibyte_a_minute_is_found_under_the_wobble() -> None:
    values = 1040.0 * (np.arange(100) // 10) + slack(100)
    needed = next(n for n in range(5, 101) if judge(values[:n]).verdict is Verdict.LEAK)
    assert needed * PERIOD < 5 * 60
    found = judge(values)
    assert found.slope_per_hour == pytest.approx(104 * AN_HOUR, rel=0.02)


def test_a_leak_wants_more_audio_until_its_rate_is_known() -> None:
    small = judge(150.0 * np.arange(21) + slack(21))
    large = judge(1e5 * np.arange(21) + slack(21))
    assert small.verdict is large.verdict is Verdict.LEAK
    assert small.audio_wanted_seconds is not None
    assert large.audio_wanted_seconds is None


def test_what_fills_up_is_saturating_and_never_a_leak() -> None:
    values = 1e6 * (1 - np.exp(-np.arange(200) / 40)) + slack(200)
    said = {judge(values[:n]).verdict for n in range(5, 201)}
    assert Verdict.LEAK not in said
    assert Verdict.SATURATING in said


def test_one_step_is_no_leak() -> None:
    values = 50_000.0 * (np.arange(400) >= 100) + slack(400)
    assert Verdict.LEAK not in {judge(values[:n]).verdict for n in range(5, 401, 5)}
    assert judge(values).verdict is Verdict.FLAT


def test_a_leak_after_a_large_fall_early_on_is_found() -> None:
    values = np.concatenate([[2e6] * 10, 2016.0 * np.arange(60)]) + slack(70)
    assert judge(values).verdict is Verdict.LEAK


def test_a_leak_that_begins_late_is_not_flat() -> None:
    values = 2016.0 * np.maximum(np.arange(120) - 90, 0) + slack(120)
    assert judge(values).verdict is not Verdict.FLAT


def test_a_leak_at_half_the_budget_is_within_it_and_one_at_twice_is_not() -> None:
    rate = 16 * KIB / AN_HOUR
    assert judge(rate / 2 * np.arange(200) + slack(200)).verdict is Verdict.FLAT
    assert judge(rate * 2 * np.arange(200) + slack(200)).verdict is Verdict.LEAK


RANDOM_LENGTH: Callable[[int], Array] = lambda seed: (  # noqa: E731
    np.random.default_rng(seed).integers(10, 800, 200).astype(np.float64)
)


@pytest.mark.parametrize("seed", range(10))
def test_a_list_of_random_length_is_flat_in_minutes(seed: int) -> None:
    values = RANDOM_LENGTH(seed)
    said = [
        judge(values[:n], budget_per_hour=0, noise=0, horizon_seconds=1200).verdict
        for n in range(6, 201)
    ]
    assert Verdict.LEAK not in said
    assert Verdict.FLAT in said[:114]  # within 12 minutes


@pytest.mark.parametrize("seed", range(10))
def test_a_leak_under_a_list_of_random_length_is_found(seed: int) -> None:
    values = RANDOM_LENGTH(seed) + 20.0 * np.arange(200)  # two elements a chunk
    said = [
        judge(values[:n], budget_per_hour=0, noise=0, horizon_seconds=1200).verdict
        for n in range(6, 201)
    ]
    assert Verdict.FLAT not in said
    assert said[-1] is Verdict.LEAK


def test_a_wobble_of_one_small_object_is_flat() -> None:
    values = 11_512.0 - 32.0 * (np.random.default_rng(4).random(100) < 0.3)
    assert judge(values, budget_per_hour=0, noise=0, horizon_seconds=600).verdict is Verdict.FLAT


def test_what_may_hide_in_a_wobble_is_told() -> None:
    found = judge(RANDOM_LENGTH(0), budget_per_hour=0, noise=0, horizon_seconds=1200)
    assert "wobbles by" in found.reason
    assert found.high is not None
    # No more than the band over the whole run.
    assert 0 < found.high * 1200 / 3600 <= 790


def test_a_value_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(UsageError, match="must be a finite number"):
        judge([1.0, float("nan"), 2.0])


def test_the_first_periods_of_growth_that_is_allowed_are_no_leak() -> None:
    # Six looks at the heap of a fixed release that may keep 400 bytes a segment, and keeps 385.
    allowed = 16 * KIB + 400.0 * AN_HOUR
    early = [1552.0, 2024.0, 2504.0, 2984.0, 3464.0, 3944.0]
    assert judge(early, budget_per_hour=allowed).verdict is not Verdict.LEAK
    kept = [*early, *(3944.0 + 385.0 * np.arange(1, 40))]
    assert judge(kept, budget_per_hour=allowed).verdict is Verdict.FLAT
    twice = [*early, *(3944.0 + 800.0 * np.arange(1, 10))]
    assert judge(twice, budget_per_hour=allowed).verdict is Verdict.LEAK


def test_the_rate_of_a_leak_that_begins_late_is_that_since_it_began() -> None:
    quiet, holes = np.zeros(40), np.repeat([2016.0, 4032.0, 6048.0], [1, 1, 14])
    leak = 6048.0 + 2016.0 * np.arange(1, 120)
    exact = judge(np.concatenate([quiet, holes, leak]))
    assert exact.verdict is Verdict.LEAK
    assert exact.slope_per_hour == pytest.approx(2016.0 * AN_HOUR)
    wobbling = np.concatenate([quiet, leak]) + slack(159)
    found = judge(wobbling)
    assert found.verdict is Verdict.LEAK
    assert found.slope_per_hour == pytest.approx(2016.0 * AN_HOUR, rel=0.02)


def test_a_sawtooth_of_several_periods_is_flat_when_it_has_repeated() -> None:
    teeth = np.tile(np.arange(10) * 40.0 * KIB, 5)
    assert judge(teeth).verdict is Verdict.FLAT
    assert judge(teeth[:25]).verdict is Verdict.UNDECIDED


def test_one_step_at_the_first_look_is_no_growth_in_few_long_periods() -> None:
    # A heap on a recording of 72 s, phase by phase.
    heap = [0.0, 1792.0, 1792.0, 1728.0, 1760.0, 1792.0, 1776.0, 1824.0, 1792.0]
    assert judge(heap, period_seconds=72.0).verdict is Verdict.FLAT
    steps = 1792.0 * np.arange(9)
    assert judge(steps, period_seconds=72.0).verdict is Verdict.LEAK


@pytest.mark.parametrize("step", [1, 2, 8])
def test_the_rate_is_that_of_a_period_however_far_apart_the_looks_are(step: int) -> None:
    found = judge(40 * KIB * step * np.arange(30), period_seconds=step * PERIOD, step=step)
    assert found.verdict is Verdict.LEAK
    assert found.rate == 40 * KIB
    assert found.slope_per_hour == pytest.approx(40 * KIB * AN_HOUR)
    every = "every period" if step == 1 else f"every {step} periods"
    assert every in found.reason
