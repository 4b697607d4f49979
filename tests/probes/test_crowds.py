"""Looked at together or one by one: the same figures, for the same objects."""

import tracemalloc
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakbench.probes import contents
from leakbench.probes.objects import ObjectProbe, measure_objects

ONE_BY_ONE, TOGETHER = 10**9, 2


class Plain:
    def __init__(self, one: object, two: object = None) -> None:
        self.one = one
        if two is not None:
            self.two = two


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self, one: object, two: object) -> None:
        self.one = one
        if two is not None:
            self.two = two


class Both(Slotted):
    pass


class Named(list[object]):
    """A container with attributes."""


KEPT = [[1.5], (2.5, "kept"), {"start": 3.5}, Plain("kept"), Slotted(1, 2), "text" * 100, 2**3000]
"""Something else refers to these as well."""


def nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=8)
        | st.lists(inner, max_size=8).map(tuple)
        | st.lists(inner, max_size=8).map(deque)
        | st.lists(inner, max_size=4).map(Named)
        | st.lists(inner, min_size=1, max_size=4).map(lambda items: items * 2)
        | st.lists(st.tuples(st.floats(), st.integers(300)), max_size=8)
        | st.sets(st.tuples(st.floats(allow_nan=False), st.integers(300)), max_size=8)
        | st.lists(st.fixed_dictionaries({"start": inner, "end of it": inner}), max_size=8)
        | st.dictionaries(st.integers() | st.tuples(st.integers(300)), inner, max_size=8)
        | st.dictionaries(st.text(max_size=3), inner, max_size=50)
        | st.lists(st.dictionaries(st.sampled_from(["a", "b"]), inner), max_size=5)
        | st.lists(st.builds(Plain, inner, st.none() | inner), max_size=5)
        | st.lists(st.builds(Slotted, inner, st.none() | inner), max_size=5)
        | st.lists(st.builds(Both, inner, st.none() | inner), max_size=5)
    )


ATOMS = st.floats() | st.integers() | st.none() | st.text(max_size=4) | st.sampled_from(KEPT)
LARGE = st.integers(300, 400).map(lambda size: "x" * size)


@given(st.recursive(ATOMS | LARGE, nest, max_leaves=60))
def test_together_weighs_what_one_by_one_weighs(structure: Any) -> None:
    roots = {"root": structure, "again": [structure], "kept": KEPT}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "CROWD_AT_LEAST", ONE_BY_ONE)
        apart = measure_objects(roots)
        patch.setattr(contents, "CROWD_AT_LEAST", TOGETHER)
        assert measure_objects(roots) == apart


def test_a_walk_takes_a_fifth_of_what_it_weighs() -> None:
    state = [[float(n)] for n in range(100_000)]
    probe = ObjectProbe()
    probe.measure({"one": [1.5]})
    tracemalloc.start()
    try:
        weight = probe.measure({"root": state})["total"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert weight.elements == 200_001
    assert peak < weight.python_bytes / 5
