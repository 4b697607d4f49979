"""The heap read line by line, without memray: in this process, on lines whose net is known."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from leakbench.explain.census import Driven
from leakbench.explain.heap_lines import HeapLines, can_be_read, find_heap_lines
from leakbench.record.explanation import NativeGrowth
from tests.explain.calling_subjects import (
    Calling,
    Native,
    NativeByAddress,
    NativeKept,
    NativeRarely,
)

STRETCHES = (
    Driven(chunks=100, segments=1, streams=0),
    Driven(chunks=200, segments=2, streams=0),
)
pytestmark = pytest.mark.skipif(
    not can_be_read(), reason="no ledger of the C heap, or something else traces (coverage)"
)


@pytest.fixture(autouse=True)
def _untraced() -> Iterator[None]:
    yield
    assert sys.gettrace() is None


def watch(subject: Calling, leak: float = 1e9) -> tuple[NativeGrowth, ...]:
    lines = HeapLines()
    samples = np.zeros(9600, dtype=np.float32)

    def drive(chunks: int) -> None:
        for _ in range(chunks):
            subject.feed(samples, False)

    seen = []
    for chunks in (20, 100, 200):
        lines.start()
        drive(chunks)
        seen.append(lines.stop())
    return find_heap_lines(
        seen[1],
        seen[2],
        driven=STRETCHES,
        hours=(1 / 60, 2 / 60),
        at_most=leak,
    )


@pytest.mark.parametrize(
    ("subject", "source", "amount"),
    [(Native, 'C.strdup(b"x" * 1999)', 2016), (NativeByAddress, "C.malloc(2000)", 2016)],
)
def test_a_line_that_leaks_is_named_with_what_it_leaves(
    subject: type[Calling], source: str, amount: int
) -> None:
    (growth,) = watch(subject())
    assert growth.line is not None
    assert growth.line.source == source
    # Once in a hundred chunks something else takes or leaves sixteen bytes.
    assert growth.amount == pytest.approx(amount, abs=1)
    assert growth.per == "chunk"


def test_a_line_that_leaks_below_one_that_frees_what_it_allocates_is_the_one_named() -> None:
    (growth,) = watch(NativeRarely())
    assert growth.line is not None
    assert growth.line.function == "NativeRarely.leak"
    # Now and then something else takes or leaves sixteen bytes.
    assert growth.bytes_per_hour == pytest.approx(2016 * 25 * 60, rel=1e-3)


def test_what_one_function_allocates_and_another_frees_is_even() -> None:
    assert watch(NativeKept()) == ()


def test_a_line_that_leaves_more_than_leaks_is_not_the_one() -> None:
    assert watch(Native(), leak=1e6) == ()
