"""The heap against the objects, on literal traces."""

import pytest

from leakbench.explain.native import HeapGrowth, measure_heap_growth
from leakbench.explain.running import quiet_periods
from leakbench.trace import TOTAL_PATH, ObjectSize, Sample, Trace

HOUR = 3600.0


def trace_of(heaps: list[float], objects: list[int]) -> Trace:
    return Trace(
        tuple(
            Sample(
                chunk=index,
                audio_seconds=index * HOUR,
                wall_seconds=0.0,
                phase=0,
                segments=0,
                streams=1,
                objects={TOTAL_PATH: ObjectSize(size, size, 0)},
                process={"heap_bytes": heap},
            )
            for index, (heap, size) in enumerate(zip(heaps, objects, strict=True))
        )
    )


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
        (1e6, 4e5, 1e5, 5e5),
        (1e6, 7e5, 0.0, None),
        (1e4, 0.0, 0.0, None),
        (-1e6, 0.0, 0.0, None),
    ],
)
def test_native_is_what_objects_and_the_allocators_overhead_leave(
    heap: float, objects: float, outside: float, native: float | None
) -> None:
    assert HeapGrowth(heap=heap, objects=objects).native(outside) == native


def test_growth_from_the_beginning_has_no_quiet_before_it() -> None:
    assert quiet_periods(trace_of([0.0] * 8, [1, 2, 3, 4, 5, 6, 7, 8]), 0) == 0


def test_a_late_leak_is_waited_for_up_to_shortly_before_it_begins() -> None:
    assert quiet_periods(trace_of([0.0] * 12, [5, 5, 5, 5, 5, 5, 5, 5, 6, 7, 8, 9]), 0) == 5


def test_what_never_grows_is_not_waited_for() -> None:
    assert quiet_periods(trace_of([0.0] * 8, [5] * 8), 0) == 0
