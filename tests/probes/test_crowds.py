"""Looked at together or one by one: the same figures, for the same objects."""

import threading
import tracemalloc
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pympler.asizeof import asizeof

from leakbench.probes import contents, crowds
from leakbench.probes.objects import ObjectProbe, measure_objects
from leakbench.probes.reached import NAMES_AT_MOST
from leakbench.record.trace import ObjectSize

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


class Lying:
    """Says of itself what is not so."""

    def __init__(self, one: object) -> None:
        self.one = one

    def __sizeof__(self) -> int:
        raise RuntimeError("nobody asks")


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
        | st.lists(st.builds(Lying, inner), max_size=5)
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


@pytest.mark.parametrize("at_least", [ONE_BY_ONE, TOGETHER])
def test_a_record_that_becomes_a_map_keeps_the_names_it_has(
    monkeypatch: pytest.MonkeyPatch, at_least: int
) -> None:
    monkeypatch.setattr(contents, "CROWD_AT_LEAST", at_least)
    probe = ObjectProbe()
    sessions: dict[str, object] = {f"known{n}": [float(n)] for n in range(NAMES_AT_MOST)}
    probe.measure({"sessions": sessions})
    sessions.update({f"later{n}": [[float(n)]] for n in range(100)})
    found = probe.measure({"sessions": sessions})
    assert found["sessions.known7"] == ObjectSize(1, asizeof([7.0]), 0)
    assert found["sessions[*]"] == ObjectSize(100, 100 * asizeof([[7.0]]), 0)
    assert found["sessions[*][]"] == ObjectSize(100, 100 * asizeof([7.0]), 0)
    assert found["total"].elements == 1 + 2 * NAMES_AT_MOST + 3 * 100 + len(sessions)


def test_only_what_is_shared_is_told_apart_in_a_map_that_was_a_record() -> None:
    sessions: dict[str, object] = {"known": [0.5]}
    probe = ObjectProbe()
    probe.measure({"sessions": sessions})
    sessions.update({f"later{n}": [float(n)] for n in range(20_000)})
    tracemalloc.start()
    try:
        weight = probe.measure({"sessions": sessions})["total"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < weight.python_bytes / 2


def test_what_weighs_itself_is_not_asked() -> None:
    def weigh(count: int) -> int:
        return measure_objects({"root": [Lying(float(n)) for n in range(count)]})[
            "root[]"
        ].python_bytes

    # Of which 500 and 1,000 are weighed one by one, and 2,000 together.
    assert weigh(2000) - weigh(1000) == 2 * (weigh(1000) - weigh(500))


class Changing(dict[str, object]):
    """A dict that another thread is always changing."""


def test_what_changes_all_the_time_is_still_walked() -> None:
    state = [Changing({f"{n}": [0.5], "name": [1.5]}) for n in range(2000)]
    stop = threading.Event()

    def change() -> None:
        n = 0
        while not stop.is_set():
            state[n % 2000][f"new{n}"] = [2.5]
            state[(n - 7) % 2000].pop(f"new{n - 7}", None)
            n += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        weights = [ObjectProbe().measure({"root": state})["total"] for _ in range(5)]
    finally:
        stop.set()
        thread.join()
    assert min(weight.elements for weight in weights) > 2000


def test_what_raises_when_it_is_opened_does_not_end_the_walk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raising(*_: object) -> object:
        raise RuntimeError("never again")

    monkeypatch.setattr(crowds, "_open_dicts", raising)
    found = measure_objects({"root": [Plain(float(n)) for n in range(2000)], "other": [1.5]})
    assert found["other"].elements == 1
    assert found["root"].elements == 2000
