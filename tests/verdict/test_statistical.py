import numpy as np
import pytest

from leakbench.errors import UsageError
from leakbench.verdict import Series, Verdict, judge_statistical

from .simulated import minutes, replicates


def verdict(series: list[Series], **options: float) -> Verdict:
    return judge_statistical(series, budget_per_hour=1.0, **options).verdict  # type: ignore[arg-type]


def test_noise_is_flat() -> None:
    assert verdict(replicates()) is Verdict.FLAT


def test_growth_of_three_times_the_budget_is_a_leak() -> None:
    found = judge_statistical(replicates(slope=3.0), budget_per_hour=1.0)
    assert found.verdict is Verdict.LEAK
    assert found.slope_per_hour == pytest.approx(3.0, rel=0.02)
    assert found.low is not None
    assert found.high is not None
    assert 1 < found.low < 3 < found.high


def test_growth_of_half_the_budget_is_flat() -> None:
    assert verdict(replicates(slope=0.5)) is Verdict.FLAT


def test_growth_at_the_budget_is_neither() -> None:
    assert verdict(replicates(slope=1.0)) is Verdict.UNDECIDED


def test_much_noise_is_undecided_and_asks_for_more_audio() -> None:
    found = judge_statistical(replicates(samples=60, noise=5.0), budget_per_hour=1.0)
    assert found.verdict is Verdict.UNDECIDED
    assert found.audio_wanted_seconds == 7200


def test_a_plateau_that_has_ended_is_flat() -> None:
    shape = 2.0 * (1 - np.exp(-minutes(240) / 600))
    assert verdict(replicates(shape=shape)) is Verdict.FLAT


def test_growth_that_slows_to_below_the_budget_is_judged_by_its_later_half() -> None:
    shape = 8.0 * (1 - np.exp(-minutes(240) / 1800))
    found = judge_statistical(replicates(shape=shape, slope=0.4), budget_per_hour=1.0)
    assert found.verdict is Verdict.FLAT
    assert found.slope_per_hour == pytest.approx(0.5, abs=0.15)


def test_one_high_step_late_in_every_process_is_not_flat() -> None:
    shape = 20.0 * (minutes(240) > 9000)
    assert verdict(replicates(shape=shape)) is Verdict.UNDECIDED


@pytest.mark.parametrize("hours", [2.0, 4.0])
def test_a_plateau_that_goes_on_is_saturating(hours: float) -> None:
    shape = 5 * hours * (1 - np.exp(-minutes(240) / 3600 / hours))
    assert verdict(replicates(shape=shape)) is Verdict.SATURATING


def test_a_short_look_is_no_leak_while_a_cache_could_fill_so_slowly() -> None:
    leaking = replicates(slope=3.0, samples=60, noise=0.02)
    assert verdict(leaking) is Verdict.LEAK
    assert verdict(leaking, horizon_seconds=8 * 3600.0) is Verdict.UNDECIDED


def test_a_sawtooth_that_nobody_declared_is_flat() -> None:
    shape = minutes(240) / 60 % 4 / 2
    assert verdict(replicates(shape=shape)) is Verdict.FLAT


def test_a_leak_under_a_sawtooth_is_a_leak() -> None:
    shape = minutes(240) / 60 % 4 / 2
    assert verdict(replicates(shape=shape, slope=3.0)) is Verdict.LEAK


def test_a_declared_cycle_longer_than_the_default_is_taken_out() -> None:
    shape = 3.0 * (minutes(480) / 60 % 30 / 30)
    assert verdict(replicates(samples=480, shape=shape), cycle_seconds=1800.0) is Verdict.FLAT


def test_one_step_in_each_process_is_no_leak() -> None:
    rng = np.random.default_rng(3)
    series = [
        (audio, values + 2.0 * (audio > rng.uniform(0, 14400))) for audio, values in replicates()
    ]
    assert verdict(series) in (Verdict.FLAT, Verdict.UNDECIDED)


def test_a_leak_between_steps_of_the_allocator_is_a_leak() -> None:
    rng = np.random.default_rng(4)
    series = []
    for audio, values in replicates(slope=3.0, samples=480):
        steps = (rng.random(480) < 1 / 30) * rng.choice([-1.0, 1.0], 480)
        series.append((audio, values + np.cumsum(steps)))
    assert verdict(series) is Verdict.LEAK


def test_a_leak_in_the_last_third_is_not_flat() -> None:
    late = 3.0 * np.maximum(minutes(240) - 9600, 0) / 3600
    assert verdict(replicates(shape=late)) is not Verdict.FLAT


def test_a_leak_in_one_of_eight_processes_is_not_flat() -> None:
    series = replicates(7) + replicates(1, slope=8.0, seed=1)
    assert verdict(series) is not Verdict.FLAT


def test_fewer_processes_make_a_wider_interval() -> None:
    four, eight = (judge_statistical(replicates(count), budget_per_hour=1.0) for count in (3, 8))
    assert four.high is not None
    assert eight.high is not None
    assert four.high > eight.high


def test_a_look_that_may_err_less_has_a_wider_interval() -> None:
    whole, part = (
        judge_statistical(replicates(), budget_per_hour=1.0, share=share) for share in (1.0, 0.1)
    )
    assert whole.high is not None
    assert part.high is not None
    assert part.high > whole.high


def test_missing_samples_fail_closed() -> None:
    series = replicates()
    audio, values = series[0]
    hole = (audio < 8000) | (audio > 12000)
    series[0] = (audio[hole], values[hole])
    found = judge_statistical(series, budget_per_hour=1.0)
    assert found.verdict is Verdict.UNDECIDED
    assert "missing" in found.reason


def test_scattered_missing_samples_do_no_harm() -> None:
    rng = np.random.default_rng(5)
    series = []
    for audio, values in replicates():
        kept = rng.random(240) > 0.3
        series.append((audio[kept], values[kept]))
    assert verdict(series) is Verdict.FLAT


def test_a_handful_of_samples_is_undecided() -> None:
    assert verdict(replicates(samples=9)) is Verdict.UNDECIDED


def test_ten_minutes_of_a_quiet_heap_on_four_processes_are_enough() -> None:
    noise = 200 / 65536
    series = replicates(4, samples=10, noise=noise)
    assert verdict(series, cycle_seconds=60.0, share=0.5) is Verdict.FLAT


def test_identical_processes_need_no_interval() -> None:
    audio = minutes(60)
    assert verdict([(audio, np.full(60, 5.0))] * 3) is Verdict.FLAT
    assert verdict([(audio, 3 * audio / 3600)] * 3) is Verdict.LEAK


def test_one_process_says_that_it_is_only_advice() -> None:
    found = judge_statistical(replicates(1, noise=0.02), budget_per_hour=1.0)
    assert found.verdict is Verdict.FLAT
    assert found.advisory
    assert "one process, so advisory only" in found.reason


def test_one_process_may_say_leak_where_it_is_overwhelming() -> None:
    assert verdict(replicates(1, slope=20.0, noise=0.02)) is Verdict.LEAK


def test_one_process_with_one_step_is_undecided() -> None:
    shape = 3.0 * (minutes(240) > 9000)
    assert verdict(replicates(1, shape=shape)) is Verdict.UNDECIDED


def test_the_reason_states_interval_budget_audio_and_processes() -> None:
    found = judge_statistical(replicates(slope=3.0), budget_per_hour=1.0)
    assert "growth proved above its budget: 3" in found.reason
    assert "against 1 B/h; 4 h of audio in each of 8 processes" in found.reason


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], "at least one replicate"),
        ([(np.array([1.0, 2.0]), np.array([1.0]))], "one value a time"),
        ([(np.array([1.0, 1.0]), np.array([1.0, 1.0]))], "must be above the one before"),
        ([(np.array([1.0, 2.0]), np.array([1.0, np.inf]))], "must be a finite number"),
        ([(np.ones((2, 2)), np.ones((2, 2)))], "one dimension"),
    ],
)
def test_series_that_cannot_be_used_are_refused(series: list[Series], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        verdict(series)
