import numpy as np
import pytest

from leakbench.verdict.wobble import estimate_growth, fit_line, largest_fall, smooth_steps


def test_the_largest_fall_is_from_any_earlier_height() -> None:
    assert largest_fall(np.array([0.0, 5.0, 3.0, 4.0, 1.0, 9.0])) == 4.0
    assert largest_fall(np.array([1.0, 2.0, 2.0, 3.0])) == 0.0


def test_moves_within_the_band_are_no_steps() -> None:
    values = np.array([0.0, 2.0, 1.0, 100.0, 101.0, 99.0, 102.0])
    assert smooth_steps(values, 3.0).tolist() == [1.0, 1.0, 1.0, 100.5, 100.5, 100.5, 100.5]


def test_a_line_is_fitted_with_the_error_of_independent_noise() -> None:
    rng = np.random.default_rng(0)
    rates = np.array(
        [fit_line(3.0 * np.arange(100) + rng.normal(size=100)).rate for _ in range(400)]
    )
    errors = [fit_line(rng.normal(size=100)).error for _ in range(400)]
    assert rates.mean() == pytest.approx(3.0, abs=1e-3)
    # A little too wide, never too narrow.
    assert 1.0 < np.median(errors) / rates.std() < 1.6


def test_values_that_follow_their_neighbours_make_the_error_wider() -> None:
    rng = np.random.default_rng(1)

    def walk() -> np.ndarray:
        values = np.zeros(200)
        for index in range(1, 200):
            values[index] = 0.8 * values[index - 1] + rng.normal()
        return values

    lines = [fit_line(walk()) for _ in range(300)]
    covered = np.mean([abs(line.rate) < 2.6 * line.error for line in lines])
    assert covered > 0.97


def test_steady_growth_under_noise_is_estimated_by_a_line() -> None:
    rng = np.random.default_rng(2)
    values = 400.0 * np.arange(30) + rng.uniform(-100, 100, 30)
    growth = estimate_growth(values, largest_fall(values))
    assert growth.rate == pytest.approx(400, rel=0.02)
    assert growth.low < 400 < growth.high


def test_growth_in_steps_is_counted_over_whole_pauses() -> None:
    rng = np.random.default_rng(3)
    # 1,040 bytes every ten periods; the record ends in the middle of a pause.
    values = 1040.0 * (np.arange(57) // 10) + rng.uniform(-100, 100, 57)
    growth = estimate_growth(values, largest_fall(values))
    assert growth.rate == pytest.approx(104, rel=0.02)
    assert growth.low < 104 < growth.high
