"""What the walker finds, under which path, and what it weighs."""

import collections
import functools
import io
import json
import queue
import subprocess
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest

from leakbench.probes.objects import (
    DEPTH_AT_MOST,
    PATHS_AT_MOST,
    ObjectProbe,
    measure_objects,
)
from leakbench.probes.reached import NAMES_AT_MOST


class Holder:
    """Anything with attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def test_a_growing_list_grows_under_its_own_path_and_all_above():
    state = Holder(decibel=[], flat=[0.5])
    probe = ObjectProbe()
    before = probe.measure({"stats": state})
    state.decibel.extend(0.25 * n for n in range(64))
    after = probe.measure({"stats": state})
    assert after["stats.decibel"].elements == before["stats.decibel"].elements + 64
    for path in ("stats.decibel", "stats", "total"):
        assert after[path].python_bytes >= before[path].python_bytes + 64 * (24 + 8)
    assert after["stats.flat"] == before["stats.flat"]


def test_a_bounded_structure_measures_the_same_every_time():
    ring = collections.deque(maxlen=100)
    probe = ObjectProbe()
    figures = []
    for chunk in range(500):
        ring.append(chunk + 0.5)
        if chunk % 100 == 99:
            figures.append(probe.measure({"ring": ring}))
    assert all(figure == figures[0] for figure in figures)


def test_paths_join_attributes_and_identifier_keys_with_dots():
    roots = {
        "stats": Holder(decibel=[1.5], output_data_buf=[Holder(buffer=[])]),
        "encoder": {"cache_layer_0": [1]},
        "frontend": {"waveforms": bytearray(8)},
        "by_id": {7: [1], "not an identifier": [2]},
    }
    assert set(measure_objects(roots)) == {
        "stats",
        "stats.decibel",
        "stats.output_data_buf",
        "stats.output_data_buf[]",
        "stats.output_data_buf[].buffer",
        "encoder",
        "encoder.cache_layer_0",
        "frontend",
        "frontend.waveforms",
        "by_id",
        "by_id[*]",
        "total",
    }


def test_scalars_are_counted_in_what_holds_them():
    sizes = measure_objects({"stats": Holder(count=10**9, name="a name", ratio=0.1, none=None)})
    assert set(sizes) == {"stats", "total"}
    assert sizes["stats"].elements == 4


def test_a_dict_with_many_keys_is_one_path():
    sizes = measure_objects({"sessions": {f"session_{n}": [n] for n in range(1000)}})
    assert set(sizes) == {"sessions", "sessions[*]", "total"}
    assert sizes["sessions"].elements == 1000


def test_a_dict_with_ever_new_keys_stays_a_few_paths_and_grows_on_its_own():
    sessions = {}
    probe = ObjectProbe()
    seen = set()
    lengths = []
    for n in range(500):
        sessions[f"session_{n}"] = [n + 0.5]
        sizes = probe.measure({"sessions": sessions})
        seen.update(sizes)
        lengths.append(sizes["sessions"].elements)
    assert lengths == list(range(1, 501))
    assert len(seen) <= NAMES_AT_MOST + 3


def test_a_dict_whose_only_key_is_ever_new_stays_a_few_paths():
    probe = ObjectProbe()
    seen = set()
    for n in range(500):
        seen.update(probe.measure({"sessions": {f"session_{n}": [n + 0.5]}}))
    assert len(seen) <= NAMES_AT_MOST + 3


def test_names_of_a_record_are_kept_while_it_grows_into_a_map():
    state = {"history": []}
    probe = ObjectProbe()
    probe.measure({"state": state})
    for n in range(200):
        state[f"key_{n}"] = [n]
    state["history"].append(1.5)
    sizes = probe.measure({"state": state})
    assert sizes["state.history"].elements == 1
    assert "state[*]" in sizes


def test_a_map_stays_a_map_when_it_shrinks():
    probe = ObjectProbe()
    probe.measure({"map": {f"key_{n}": [n] for n in range(100)}})
    assert set(probe.measure({"map": {"key_0": [0]}})) == {"map", "map[*]", "total"}


def test_paths_are_bounded_in_depth_and_number():
    def branch(depth):
        return {f"b{n}": branch(depth - 1) for n in range(3)} if depth else [1]

    sizes = measure_objects({"tree": branch(7)})
    assert len(sizes) <= PATHS_AT_MOST + 2
    assert max(path.count(".") for path in sizes) < DEPTH_AT_MOST


def test_what_lies_below_the_deepest_path_is_still_counted():
    def nested(depth, leaf):
        return {"down": nested(depth - 1, leaf)} if depth else leaf

    leaf = []
    probe = ObjectProbe()
    before = probe.measure({"root": nested(20, leaf)})
    leaf.extend(n + 0.5 for n in range(100))
    after = probe.measure({"root": nested(20, leaf)})
    deepest = max(after, key=len)
    assert after[deepest].python_bytes > before[deepest].python_bytes + 2400


def test_an_object_met_twice_is_counted_once_in_each_path_that_reaches_it():
    shared = [n + 0.5 for n in range(100)]
    sizes = measure_objects({"a": Holder(x=shared), "b": Holder(y=shared)})
    assert sizes["a.x"] == sizes["b.y"]
    weight = sizes["a.x"].python_bytes
    assert sizes["total"].python_bytes < 2 * weight + 1000
    assert sizes["a"].python_bytes > weight < sizes["b"].python_bytes


def test_items_shared_by_two_lists_are_counted_once_in_all():
    first = [n + 0.5 for n in range(1000)]
    sizes = measure_objects({"first": first, "second": list(first)})
    assert sizes["first"].python_bytes >= 1000 * 32
    assert sizes["second"].python_bytes >= 1000 * 32
    lists = sys.getsizeof(first) + sys.getsizeof(list(first))
    assert sizes["total"].python_bytes == 1000 * 24 + lists
    assert sizes["total"].elements == 1002


def test_two_named_attributes_of_one_object_both_keep_their_path():
    buffer = bytearray(100)
    sizes = measure_objects({"stats": Holder(data_buf=buffer, data_buf_all=buffer)})
    assert sizes["stats.data_buf"] == sizes["stats.data_buf_all"]


def test_a_reference_back_does_not_make_a_child_weigh_as_much_as_its_parent():
    parent = Holder(history=[n + 0.5 for n in range(1000)])
    parent.child = Holder(owner=parent)
    sizes = measure_objects({"parent": parent})
    assert sizes["parent.child"].python_bytes < 1000
    assert "parent.child.owner" not in sizes


def test_total_counts_distinct_objects():
    assert measure_objects({"list": [1.5, 2.5, 1000]})["total"].elements == 4
    assert measure_objects({"list": [n + 0.5 for n in range(500)]})["total"].elements == 501


def test_growth_hidden_in_closures_partials_and_bound_methods_is_seen():
    history, memo, log = [], [], []

    def remember(item):
        history.append(item)

    roots = {
        "closure": Holder(callback=remember),
        "partial": Holder(callback=functools.partial(print, memo)),
        "method": Holder(callback=log.append),
        "default": Holder(callback=lambda item, kept=log: kept.append(item)),
    }
    probe = ObjectProbe()
    before = probe.measure(roots)
    for kept in (history, memo, log):
        kept.extend(n + 0.5 for n in range(100))
    after = probe.measure(roots)
    for root in roots:
        assert after[root].python_bytes >= before[root].python_bytes + 100 * 32, root
    assert after["closure.callback.history"].elements == 100


def test_growth_in_containers_of_unknown_types_is_seen():
    waiting = queue.SimpleQueue()
    cached = functools.lru_cache(maxsize=None)(lambda n: [n])
    alive = [Holder() for _ in range(50)]
    weak = weakref.WeakValueDictionary()
    roots = {
        "queue": waiting,
        "cache": cached,
        "ordered": collections.OrderedDict(),
        "weak": weak,
        "plain_queue": queue.Queue(),
        "chain": collections.ChainMap({}),
    }
    probe = ObjectProbe()
    before = probe.measure(roots)
    for n in range(50):
        waiting.put([n])
        cached(n)
        roots["ordered"][n] = [n]
        weak[n] = alive[n]
        roots["plain_queue"].put([n])
        roots["chain"][n] = [n]
    after = probe.measure(roots)
    for root in roots:
        assert after[root].python_bytes > before[root].python_bytes + 50 * 8, root


def test_a_generator_is_not_advanced_and_its_locals_are_seen():
    started = []

    def count():
        kept = [n + 0.5 for n in range(1000)]
        started.append(len(kept))
        yield 1
        yield 2

    generator = count()
    assert next(generator) == 1
    sizes = measure_objects({"stream": Holder(generator=generator)})
    assert sizes["stream"].python_bytes > 32_000
    assert next(generator) == 2
    assert started == [1000]


def test_attributes_of_a_namespace_have_names():
    assert "state.seen" in measure_objects({"state": SimpleNamespace(seen=[1])})


def test_growth_in_the_attributes_of_an_instance_shows_in_its_elements():
    state = Holder()
    probe = ObjectProbe()
    lengths = []
    for n in range(100):
        setattr(state, f"attribute_{n}", n)
        lengths.append(probe.measure({"state": state})["state"].elements)
    assert lengths == list(range(1, 101))


def test_a_root_that_is_called_total_does_not_hide_the_total():
    sizes = measure_objects({"total": [1.5] * 10, "other": [2.5]})
    assert sizes["roots.total"].elements == 10
    assert sizes["total"].elements == 4


def test_no_roots_measure_nothing():
    assert measure_objects({})["total"].python_bytes == 0


def test_measuring_needs_no_torch_and_imports_none():
    program = (
        "import sys, json; from leakbench.probes import objects, process, traced;"
        "objects.measure_objects({'a': [[1], {'b': 2}]});"
        "process.ProcessProbe().measure();"
        "print(json.dumps([name for name in sys.modules if name.split('.')[0] == 'torch']))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout
    assert json.loads(printed) == []


@pytest.mark.parametrize(("stream", "piece"), [(io.BytesIO(), b"audio"), (io.StringIO(), "said ")])
def test_what_was_written_into_a_stream_in_memory_is_weighed(stream, piece):
    before = measure_objects({"x": {"log": stream}})["x.log"]
    stream.write(piece * 10_000)
    after = measure_objects({"x": {"log": stream}})["x.log"]
    assert after.elements - before.elements == pytest.approx(50_000, rel=0.2)
    assert after.python_bytes - before.python_bytes >= 50_000
    stream.close()
    assert measure_objects({"x": {"log": stream}})["x"].elements == 1
