"""The heap against the objects, on literal traces."""

import pytest

from leakbench.explain.native import HeapGrowth, measure_heap_growth
from tests.hourly import trace_of


def test_the_slopes_are_those_of_the_second_half() -> None:
    growth = measure_heap_growth(
        trace_of(
            [0, 5e6, 8e6, 9e6, *(9e6 + 100 * n for n in range(5))], [0, 0, 0, 0, *range(0, 50, 10)]
        )
    )
    assert growth == HeapGrowth(heap=100.0, objects=10.0)


def test_too_few_looks_say_nothing() -> None:
    assert measure_heap_growth(trace_of([0, 1, 2], [0, 1, 2])) is None


@pytest.mark.parametrize(
    ("heap", "objects", "outside", "native"),
    [
        (1e6, 0.0, 0.0, 1e6),
        (1e6, 2e5, 1e5, 7e5),
        (1e6, 7e5, 0.0, None),
        (1e4, 0.0, 0.0, None),
        (-1e6, 0.0, 0.0, None),
    ],
)
def test_native_is_what_objects_and_the_allocators_overhead_leave(
    heap: float, objects: float, outside: float, native: float | None
) -> None:
    assert HeapGrowth(heap=heap, objects=objects).native(outside) == native
