"""Lines of a list that grew, with its own memory traced in whole, in part or too small to tell."""

import inspect
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from leakbench.explain.census import Grown
from leakbench.explain.lines import growth_by_line, lines_of_container, traced_by_line
from leakbench.explain.tensor_origins import TensorOrigins

ITEM_BYTES = sys.getsizeof("1000")


@pytest.fixture(autouse=True)
def _stop_tracing() -> Iterator[None]:
    yield
    tracemalloc.stop()


def grow(kept: list[str], count: int) -> None:
    for number in range(1000, 1000 + count):
        kept.append(str(number))  # noqa: PERF401 - one by one, as a subject does


def growth(kept: list[str], count: int) -> dict[int, float]:
    """Return what each line, counted from that of ``def grow``, let a list grow by."""
    before = traced_by_line()
    items, nbytes = len(kept), sys.getsizeof(kept)
    grow(kept, count)
    grown = Grown(
        holder=kept, before=items, after=len(kept), own_bytes=sys.getsizeof(kept) - nbytes
    )
    lines = lines_of_container(grown, growth_by_line(before, traced_by_line()), TensorOrigins())
    first = inspect.getsourcelines(grow)[1]
    return {line - first: amount for ((_, line),), amount in lines.items()}


@pytest.mark.parametrize("from_the_beginning", [True, False])
def test_memory_of_its_own_is_that_of_the_line_that_appends(from_the_beginning: bool) -> None:
    kept: list[str] = []
    if from_the_beginning:
        tracemalloc.start()
    grow(kept, 1500)
    if not from_the_beginning:
        tracemalloc.start()
    had = sys.getsizeof(kept)
    assert growth(kept, 300) == {2: 300 * ITEM_BYTES + sys.getsizeof(kept) - had}


def test_a_little_of_it_is_told_of_no_line() -> None:
    kept: list[str] = []
    tracemalloc.start()
    grow(kept, 100)
    assert growth(kept, 20) == {2: 20 * ITEM_BYTES}
