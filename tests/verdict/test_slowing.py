import numpy as np
import pytest

from leakbench.verdict import Judgement, Verdict
from leakbench.verdict.slowing import judge_slowing


def judge(costs: np.ndarray, **options: float) -> Judgement:
    return judge_slowing(costs, 6.0 * np.arange(len(costs)), **options)


def busy(count: int, seed: int) -> np.ndarray:
    """A chunk of 7 ms beside a neighbour that now and then costs up to half as much again."""
    rng = np.random.default_rng(seed)
    return 0.007 * (1 + 0.5 * rng.random(count) ** 2 + 0.1 * np.sin(np.arange(count) / 20))


def test_a_chunk_that_costs_more_each_time_is_a_leak() -> None:
    costs = busy(40, 0) * (1 + np.arange(40) / 20)
    found = judge(costs)
    assert found.verdict is Verdict.LEAK
    assert "each chunk costs more than the last" in found.reason
    assert found.slope_per_hour is not None
    assert found.slope_per_hour > 0


def test_a_busy_neighbour_is_no_leak() -> None:
    said = [judge(busy(40, seed)).verdict for seed in range(300)]
    assert Verdict.LEAK not in said
    assert said.count(Verdict.FLAT) >= 297


def test_a_machine_that_is_busy_from_the_middle_on_is_no_leak() -> None:
    costs = np.where(np.arange(40) < 20, 0.007, 0.014) * (1 + busy(40, 1))
    assert judge(costs).verdict is Verdict.FLAT


def test_growth_that_a_neighbour_interrupts_is_not_flat() -> None:
    costs = 0.007 * (1 + np.arange(40) / 20)
    costs[14:21] *= 1.5  # the third block, above the fourth
    assert judge(costs).verdict is Verdict.UNDECIDED


def test_growth_within_its_budget_is_flat() -> None:
    costs = 0.007 * (1 + np.arange(40) / 20)
    assert judge(costs, budget_per_hour=1.0).verdict is Verdict.FLAT
    assert judge(costs, budget_per_hour=0.1).verdict is Verdict.LEAK


def test_a_slight_rise_in_every_block_is_not_decided() -> None:
    assert judge(0.007 * (1 + np.arange(40) / 100)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_few_looks_say_nothing(count: int) -> None:
    assert judge(np.full(count, 0.007)).verdict is Verdict.UNDECIDED


def test_a_short_run_may_be_flat_and_never_leaks() -> None:
    assert judge(np.full(6, 0.007)).verdict is Verdict.FLAT
    assert judge(0.007 * np.arange(1, 9)).verdict is Verdict.UNDECIDED
