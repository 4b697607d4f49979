"""Which lines allocate, as tracemalloc sees it."""

import tracemalloc
from pathlib import Path

import pytest

from leakbench.errors import RunError
from leakbench.probes import objects
from leakbench.probes.objects import ObjectProbe
from leakbench.probes.traced import Tracing, top_growth


@pytest.fixture
def tracing():
    if tracemalloc.is_tracing():
        pytest.skip("tracemalloc is tracing this test run")
    tracing = Tracing()
    yield tracing
    tracing.stop()


def leak(kept):
    kept.append(bytearray(10_000))  # the line to be named


def test_the_line_that_leaks_comes_first_with_its_bytes(tracing):
    kept = []
    leak(kept)
    before = tracing.snapshot()
    for _ in range(50):
        leak(kept)
    top = top_growth(before, tracing.snapshot())[0]
    assert top.file == __file__
    assert top.source == "kept.append(bytearray(10_000))  # the line to be named"
    assert top.bytes == pytest.approx(500_000, rel=0.02)
    assert top.count == pytest.approx(100, abs=2)


def test_a_bounded_line_is_not_named(tracing):
    ring = []
    for _ in range(5):
        leak(ring)
    before = tracing.snapshot()
    for _ in range(50):
        leak(ring)
        del ring[0]
    assert all(
        "the line to be named" not in top.source for top in top_growth(before, tracing.snapshot())
    )


def test_traced_bytes_follow_what_is_held(tracing):
    before = tracing.traced_bytes()
    kept = bytearray(1_000_000)
    assert tracing.traced_bytes() - before == pytest.approx(len(kept), rel=0.01)
    del kept
    assert tracing.traced_bytes() - before < 10_000


def test_the_harness_is_not_named(tracing):
    before = tracing.snapshot()
    probe = ObjectProbe()
    sizes = [probe.measure({"root": {"a": [1], "b": [2]}}) for _ in range(100)]
    assert len(sizes) == 100
    harness = Path(objects.__file__).parent
    grown = top_growth(before, tracing.snapshot(), limit=1000)
    assert not [top for top in grown if Path(top.file).is_relative_to(harness)]


def test_the_longest_list_is_as_long_as_asked(tracing):
    before = tracing.snapshot()
    one, two, three = bytearray(100), bytearray(200), bytearray(300)
    assert len(one) + len(two) + len(three) == 600
    extra = bytearray(400)
    grown = top_growth(before, tracing.snapshot(), limit=1)
    assert len(grown) == 1
    assert len(extra) == 400


def test_tracing_twice_is_refused(tracing):
    with pytest.raises(RunError, match="already tracing"):
        Tracing()
