"""A heap that wobbles with the objects in it is judged by what it holds beyond them."""

import dataclasses

import numpy as np
import numpy.typing as npt

from leakbench.record.trace import Column, ObjectSize, Sample, Trace
from leakbench.verdict import Judgement, Verdict
from leakbench.verdict.banded import judge_banded
from leakbench.verdict.beyond import judge_apart, split_off_objects

PERIOD = 6.0
KIB = 1024.0
LOOKS = 200

Array = npt.NDArray[np.float64]


def judge(column: Column) -> Judgement:
    return judge_banded(column.values, period_seconds=PERIOD, budget_per_hour=16 * KIB, noise=400.0)


def trace(heap: Array, objects: Array) -> Trace:
    return Trace(
        tuple(
            Sample(
                chunk=10 * n,
                phase=0,
                audio_seconds=PERIOD * n,
                wall_seconds=0.1 * n,
                segments=0,
                streams=1,
                objects={"total": ObjectSize(5, int(nbytes), 0)},
                process={"heap_bytes": float(whole)},
            )
            for n, (whole, nbytes) in enumerate(zip(heap, objects, strict=True))
        )
    )


def judged(beyond: Array, objects: Array) -> tuple[Judgement, Judgement | None]:
    """What is said of the heap as a whole, and by its parts."""
    found = trace(1e8 + beyond + objects, objects)
    heap = found.column("process", "heap_bytes")
    return judge(heap), judge_apart(*split_off_objects(heap, found), judge)


def test_parts_add_up_to_the_heap() -> None:
    found = trace(np.array([100.0, 130.0]), np.array([40.0, 60.0]))
    beyond, objects = split_off_objects(found.column("process", "heap_bytes"), found)
    assert list(beyond.values) == [60.0, 70.0]
    assert list(objects.values) == [40.0, 60.0]


def test_a_look_without_objects_is_left_out() -> None:
    looks = trace(np.array([100.0, 130.0, 150.0]), np.array([40.0, 60.0, 60.0])).samples
    found = Trace((looks[0], dataclasses.replace(looks[1], objects={}), looks[2]))
    beyond, _ = split_off_objects(found.column("process", "heap_bytes"), found)
    assert list(beyond.values) == [60.0, 90.0]


def test_steps_under_a_wobble_of_objects_are_flat_by_parts() -> None:
    rng = np.random.default_rng(3)
    steps = np.repeat([0.0, 400.0, 800.0, 1100.0], LOOKS // 4)
    objects = rng.integers(0, 4000, LOOKS).astype(float)
    whole, by_parts = judged(steps, objects)
    assert whole.verdict is Verdict.UNDECIDED
    assert by_parts is not None
    assert by_parts.verdict is Verdict.FLAT
    assert by_parts.high is not None
    assert by_parts.high <= 16 * KIB
    assert "the objects wobble by 3." in by_parts.reason


def test_a_leak_beyond_the_objects_is_not_flat_by_parts() -> None:
    rng = np.random.default_rng(3)
    leak = 2 * 16 * KIB * PERIOD / 3600 * np.arange(LOOKS)
    assert judged(leak, rng.integers(0, 4000, LOOKS).astype(float))[1] is None


def test_objects_that_grow_are_not_taken_off_the_heap() -> None:
    growing = 2 * 16 * KIB * PERIOD / 3600 * np.arange(LOOKS)
    assert judged(np.zeros(LOOKS), growing)[1] is None


def test_two_halves_of_a_budget_are_more_than_it_with_their_bounds() -> None:
    half = 0.51 * 16 * KIB * PERIOD / 3600 * np.arange(LOOKS)
    assert judged(half, half)[1] is None
