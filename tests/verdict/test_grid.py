import numpy as np
import pytest

from leakbench.record.trace import Column
from leakbench.verdict.grid import even_grid

PERIOD = 6.0


def looks(periods: list[int], first: int = 3) -> Column:
    audio = PERIOD * (np.array(periods, dtype=np.float64) + first)
    zeros = np.zeros(len(periods), dtype=np.int64)
    return Column(audio, np.array(periods, dtype=np.float64), zeros, zeros, zeros)


def thinned(last: int) -> list[int]:
    """Every period to the twentieth, every second to the fortieth, and so on."""
    found = []
    for period in range(last + 1):
        step = 1
        while period >= 20 * step:
            step *= 2
        if period % step == 0:
            found.append(period)
    return found


def test_every_period_is_an_even_grid() -> None:
    grid, step = even_grid(looks(list(range(12))), PERIOD)
    assert (len(grid), step) == (12, 1)


@pytest.mark.parametrize(("last", "step"), [(19, 1), (30, 2), (70, 4), (150, 8), (600, 32)])
def test_looks_that_thin_out_are_taken_where_none_is_missing(last: int, step: int) -> None:
    grid, found = even_grid(looks(thinned(last)), PERIOD)
    assert found == step
    assert np.all(np.diff(grid.values) == step)
    assert grid.values[0] == 0
    assert last - grid.values[-1] < step
    assert len(grid) >= min(last, 15)


def test_a_stretch_looked_at_densely_again_changes_nothing() -> None:
    dense = sorted({*thinned(150), *range(90, 111)})
    grid, step = even_grid(looks(dense), PERIOD)
    assert step == 8
    assert np.all(np.diff(grid.values) == 8)


def test_looks_missing_at_random_are_all_taken() -> None:
    grid, step = even_grid(looks([0, 1, 3, 4, 5, 7, 11, 12, 13]), PERIOD)
    assert (len(grid), step) == (9, 1)


def test_one_look_is_a_grid() -> None:
    assert even_grid(looks([0]), PERIOD)[1] == 1
