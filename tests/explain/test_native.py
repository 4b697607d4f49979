"""The heap against the objects, on literal traces."""

import pytest

from leakbench.explain.native import HeapGrowth, measure_heap_growth
from leakbench.runner.requests import periods_before_growth
from leakbench.trace import TOTAL_PATH, Begin, ObjectSize, Sample, Trace

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


def begin() -> Begin:
    return Begin(
        sample_rate=16000,
        chunk_seconds=HOUR,
        chunks_per_period=1,
        phase=0,
        warmup_chunks=2,
        stimulus_sha256="",
        pid=1,
    )


def test_growth_from_the_beginning_is_traced_from_the_beginning() -> None:
    trace = trace_of([0.0] * 8, [1, 2, 3, 4, 5, 6, 7, 8])
    assert periods_before_growth(trace, begin(), [TOTAL_PATH]) == 0


@pytest.mark.parametrize(
    "sizes", [[5, 5, 5, 5, 5, 5, 5, 5, 6, 7, 8, 9], [5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 7]]
)
def test_late_and_rare_growth_is_waited_for_up_to_two_periods_before(sizes: list[int]) -> None:
    trace = trace_of([0.0] * len(sizes), sizes)
    assert periods_before_growth(trace, begin(), [TOTAL_PATH]) == 6


def test_nothing_is_waited_for_where_no_path_is_known_to_leak() -> None:
    assert periods_before_growth(trace_of([0.0] * 8, [5] * 8), begin(), []) == 0
