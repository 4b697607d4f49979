"""What must not change a verdict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.verdict import Verdict, judge_exact, judge_statistical

from .simulated import replicates

COUNTS = st.lists(st.integers(-5, 50), min_size=1, max_size=30).map(
    lambda steps: np.cumsum(steps).astype(float)
)
LEVELS = st.integers(-1000, 10_000_000).map(float)
SCALES = st.sampled_from([0.25, 0.5, 2.0, 8.0, 1024.0])
SLOPES = st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0])
SEEDS = st.integers(0, 10_000)


@given(values=COUNTS, level=LEVELS)
def test_an_exact_verdict_does_not_depend_on_the_level(values: np.ndarray, level: float) -> None:
    options = {"period_seconds": 60.0, "budget_per_hour": 300.0}
    assert judge_exact(values, **options) == judge_exact(values + level, **options)


@given(values=COUNTS, scale=SCALES)
def test_an_exact_verdict_scales_with_its_budget(values: np.ndarray, scale: float) -> None:
    plain = judge_exact(values, period_seconds=60.0, budget_per_hour=300.0)
    scaled = judge_exact(values * scale, period_seconds=60.0, budget_per_hour=300.0 * scale)
    assert plain.verdict is scaled.verdict


@given(values=COUNTS, more=st.integers(1, 60))
def test_appending_equal_values_never_turns_flat_into_leak(values: np.ndarray, more: int) -> None:
    if judge_exact(values, period_seconds=60.0).verdict is Verdict.FLAT:
        longer = np.concatenate([values, np.full(more, values[-1])])
        assert judge_exact(longer, period_seconds=60.0).verdict is not Verdict.LEAK


@given(rate=st.integers(1, 1000), start=st.integers(0, 1000), periods=st.integers(5, 60))
def test_steady_growth_is_always_a_leak_at_its_rate(rate: int, start: int, periods: int) -> None:
    found = judge_exact([start + rate * n for n in range(periods + 1)], period_seconds=60.0)
    assert found.verdict is Verdict.LEAK
    assert found.rate == rate


@given(values=COUNTS)
def test_the_interval_holds_the_estimate(values: np.ndarray) -> None:
    found = judge_exact(values, period_seconds=60.0)
    if found.slope_per_hour is not None:
        assert found.low is not None
        assert found.high is not None
        assert found.low - 1e-6 <= found.slope_per_hour <= found.high + 1e-6


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, slope=SLOPES, level=LEVELS)
def test_a_statistical_verdict_does_not_depend_on_the_level(
    seed: int, slope: float, level: float
) -> None:
    series = replicates(4, samples=120, slope=slope, seed=seed)
    raised = [(audio, values + level) for audio, values in series]
    plain = judge_statistical(series, budget_per_hour=1.0)
    assert judge_statistical(raised, budget_per_hour=1.0).verdict is plain.verdict


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, slope=SLOPES, scale=SCALES, count=st.sampled_from([1, 2, 4]))
def test_a_statistical_verdict_scales_with_its_budget(
    seed: int, slope: float, scale: float, count: int
) -> None:
    series = replicates(count, samples=120, slope=slope, seed=seed)
    scaled = [(audio, values * scale) for audio, values in series]
    plain = judge_statistical(series, budget_per_hour=1.0)
    assert judge_statistical(scaled, budget_per_hour=scale).verdict is plain.verdict


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, more=st.integers(1, 240), count=st.sampled_from([1, 4]))
def test_appending_flat_data_never_turns_a_flat_series_into_a_leak(
    seed: int, more: int, count: int
) -> None:
    series = replicates(count, samples=120, slope=0.5, seed=seed)
    longer = [
        (
            np.concatenate([audio, audio[-1] + 60.0 * np.arange(1, more + 1)]),
            np.concatenate([values, np.full(more, values[-1])]),
        )
        for audio, values in series
    ]
    if judge_statistical(series, budget_per_hour=1.0).verdict is Verdict.FLAT:
        assert judge_statistical(longer, budget_per_hour=1.0).verdict is not Verdict.LEAK


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, slope=SLOPES)
def test_the_order_of_replicates_does_not_matter(seed: int, slope: float) -> None:
    series = replicates(4, samples=120, slope=slope, seed=seed)
    plain = judge_statistical(series, budget_per_hour=1.0)
    assert judge_statistical(series[::-1], budget_per_hour=1.0).verdict is plain.verdict
