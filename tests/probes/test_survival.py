"""Objects that are built to break a walker."""

import collections
import enum
import gc
import logging
import sys
import threading
import types
import weakref

import pytest

from leakbench.probes.kinds import TypePlans
from leakbench.probes.objects import ObjectProbe, measure_objects


class Holder:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Trap:
    """Raises, and remembers it, whatever of it is looked up or asked."""

    sprung = []  # noqa: RUF012

    def __init__(self):
        object.__setattr__(self, "kept", [n + 0.5 for n in range(100)])

    def _spring(self, *_arguments):
        Trap.sprung.append(sys._getframe(1).f_code.co_name)
        raise RuntimeError("sprung")

    __getattribute__ = __getattr__ = __len__ = __iter__ = __hash__ = __eq__ = __bool__ = _spring
    __sizeof__ = __repr__ = __str__ = __contains__ = __getitem__ = __dir__ = __index__ = _spring
    __class__ = property(_spring)
    value = property(_spring)


class ListTrap(list):
    __len__ = __iter__ = __getitem__ = __sizeof__ = __bool__ = __eq__ = Trap._spring
    __hash__ = Trap._spring


class DictTrap(dict):
    __len__ = __iter__ = __getitem__ = items = values = keys = __sizeof__ = Trap._spring
    __contains__ = __bool__ = Trap._spring


class SetTrap(set):
    __len__ = __iter__ = __sizeof__ = __contains__ = Trap._spring


class DequeTrap(collections.deque):
    __len__ = __iter__ = __sizeof__ = Trap._spring


class UnhashableMeta(type):
    def __hash__(cls):
        raise RuntimeError("no hash")

    def __eq__(cls, other):
        raise RuntimeError("no equality")


class OfUnhashableClass(metaclass=UnhashableMeta):
    pass


class HiddenDict:
    """Its class hides the attribute dict behind a property that raises."""

    def __init__(self):
        self.history = [n + 0.5 for n in range(100)]

    @property
    def __dict__(self):
        raise RuntimeError("hidden")


@pytest.fixture(autouse=True)
def _untouched():
    Trap.sprung.clear()
    yield
    assert Trap.sprung == []


@pytest.mark.parametrize("trap", [ListTrap, DictTrap, SetTrap, DequeTrap])
def test_overridden_methods_of_containers_are_not_called(trap):
    contents = {n: n + 0.5 for n in range(100)} if trap is DictTrap else range(1000, 1100)
    held = trap(contents)
    sizes = measure_objects({"state": Holder(held=held)})
    assert sizes["state.held"].elements == 100
    assert sizes["state.held"].python_bytes > 100 * 32


def test_an_object_whose_every_method_raises_is_walked_and_not_asked():
    sizes = measure_objects({"trap": Trap(), "items": [Trap(), Trap()]})
    assert sizes["trap.kept"].elements == 100
    assert sizes["items[].kept"].elements == 200


def test_a_class_that_cannot_be_hashed_is_walked():
    many = [OfUnhashableClass() for _ in range(100)]
    sizes = measure_objects({"many": many})
    assert sizes["many"].elements == 100
    assert "many[]" in sizes


def test_a_hidden_attribute_dict_is_not_asked_for():
    assert measure_objects({"root": HiddenDict()})["root"].python_bytes > 3200


def test_slots_inherited_unset_shadowed_and_private_are_read():
    class Base:
        __slots__ = ("__private", "shadowed", "unset")

        def __init__(self):
            self.__private = [1.5] * 3
            self.shadowed = [2.5] * 50

    class Below(Base):
        __slots__ = ("shadowed",)

        def __init__(self):
            super().__init__()
            Base.shadowed.__set__(self, [n + 0.5 for n in range(100)])
            self.shadowed = [3.5]

    sizes = measure_objects({"root": Below()})
    assert sizes["root._Base__private"].elements == 3
    assert sizes["root.shadowed"].elements == 1
    assert sizes["root"].python_bytes > 100 * 32


def test_enum_members_have_no_paths():
    class State(enum.Enum):
        BUSY = (1, [2])

    sizes = measure_objects({"root": Holder(state=State.BUSY, others=[State.BUSY])})
    assert set(sizes) == {"root", "root.others", "total"}


def test_cycles_and_containers_that_hold_themselves_end():
    loop = []
    loop.append(loop)
    table = {"loop": loop}
    table["itself"] = table
    node = Holder(table=table)
    node.itself = node
    sizes = measure_objects({"node": node})
    assert sizes["node.table.loop"].elements == 1
    assert "node.itself" not in sizes


def test_a_linked_list_of_a_hundred_thousand_needs_no_recursion():
    head = None
    for n in range(100_000):
        head = (n + 0.5, head)
    assert measure_objects({"head": head})["total"].elements == 200_001
    while head is not None:  # freed link by link
        head = head[1]


def test_a_hundred_thousand_nested_lists_need_no_recursion():
    innermost = []
    nested = innermost
    for _ in range(100_000):
        nested = [nested]
    assert measure_objects({"root": nested})["total"].elements == 100_001
    while nested:
        nested = nested.pop()


def test_millions_of_floats_are_counted_exactly():
    floats = [n + 0.5 for n in range(2_000_000)]
    sizes = measure_objects({"floats": floats})
    assert sizes["floats"].elements == 2_000_000
    assert sizes["floats"].python_bytes == sys.getsizeof(floats) + 24 * 2_000_000


@pytest.mark.parametrize("container", [list, tuple, set, frozenset, collections.deque])
def test_items_nothing_else_holds_are_told_from_shared_ones_in(container):
    held = container(n + 0.5 for n in range(100))
    alone = measure_objects({"held": held})["total"]
    shared = list(held)
    both = measure_objects({"held": held, "shared": shared})["total"]
    assert both.python_bytes == alone.python_bytes + sys.getsizeof(shared)
    assert alone.elements == 101
    assert both.elements == 102


def test_a_dict_changed_by_another_thread_is_walked():
    state = {"table": {}}
    stop = threading.Event()

    def churn():
        n = 0
        while not stop.is_set():
            state["table"][n] = [n]
            state["table"].pop(n - 50, None)
            n += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        probe = ObjectProbe()
        for _ in range(200):
            assert probe.measure(state)["table"].elements <= 52
    finally:
        stop.set()
        thread.join()


def test_weak_references_and_proxies_are_not_followed():
    target = Holder(history=[n + 0.5 for n in range(1000)])
    roots = {"ref": weakref.ref(target), "proxy": weakref.proxy(target)}
    assert measure_objects({"held": Holder(**roots)})["held"].python_bytes < 1000


def test_a_dead_proxy_is_not_asked():
    proxy = weakref.proxy(Holder())
    assert measure_objects({"held": [proxy]})["held"].elements == 1


def test_the_program_is_not_entered():
    def function():
        return None

    def running():
        yield sys._getframe()

    program = [
        sys,
        Holder,
        function,
        function.__code__,
        next(running()),
        logging.getLogger("leakbench.test"),
        threading.current_thread(),
        len,
        Holder.__init__,
        types.MappingProxyType({}),
    ]
    for item in program:
        assert measure_objects({"held": [item]})["held"].python_bytes < 1000, item
    assert measure_objects({"module": sys})["module"].python_bytes == 0


def test_an_exception_does_not_lead_into_its_frames():
    def fail():
        large = [n + 0.5 for n in range(10_000)]
        raise ValueError(len(large))

    with pytest.raises(ValueError, match="10000") as caught:
        fail()
    assert measure_objects({"error": caught.value})["error"].python_bytes < 5000


def test_instances_of_classes_made_by_c_code_are_read_through_the_collector():
    class Queue(collections.deque):
        def __init__(self):
            super().__init__([1.5, 2.5])
            self.extra = [3.5]

    class FailureError(Exception):
        pass

    failure = FailureError([n + 0.5 for n in range(100)])
    sizes = measure_objects({"queue": Queue(), "failure": failure})
    assert sizes["queue.extra"].elements == 1
    assert sizes["failure"].python_bytes > 3200


def test_measuring_leaves_no_references_and_no_cyclic_garbage():
    class Local:
        pass

    local = Local()
    local.items = [Holder(buffer=bytearray(10)), {"key": [1]}]
    died = weakref.ref(local)
    class_died = weakref.ref(Local)
    probe = ObjectProbe()
    gc.collect()
    gc.disable()
    try:
        probe.measure({"local": local})
        assert gc.collect() == 0
        before = sys.getrefcount(local)
        probe.measure({"local": local})
        assert sys.getrefcount(local) == before
    finally:
        gc.enable()
    del local, Local
    gc.collect()
    assert died() is None
    assert class_died() is None


def test_a_plan_is_forgotten_with_its_type():
    plans = TypePlans()
    plans.of(type("Passing", (), {}))
    gc.collect()
    assert len(plans) == 0


def test_measuring_again_and_again_allocates_nothing_that_stays():
    state = Holder(rows=[[n + 0.5] for n in range(50)], table={"a": {"b": [1]}})
    probe = ObjectProbe()
    for _ in range(20):
        probe.measure({"state": state})
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(200):
        probe.measure({"state": state})
    gc.collect()
    assert sys.getallocatedblocks() - before < 50
