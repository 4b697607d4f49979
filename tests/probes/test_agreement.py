"""Python bytes against pympler.asizeof, on plain Python objects."""

import collections
import dataclasses
import enum
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pympler.asizeof import asizeof

from leakbench.probes.objects import measure_objects


class Colour(enum.Enum):
    RED = 1
    MANY = (1, [2, 3])


class Level(enum.IntEnum):
    LOW = 1


class Plain:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("__private", "first", "second")


class SlottedBelow(Slotted):
    __slots__ = ("third",)


class SlottedAndMore(SlottedBelow):
    pass


@dataclasses.dataclass
class Record:
    number: object = 1
    items: object = None


@dataclasses.dataclass(slots=True, frozen=True)
class SlottedRecord:
    number: object = 1
    items: object = None


Pair = collections.namedtuple("Pair", "left right")


def slotted(cls, **values):
    instance = cls()
    for name, value in values.items():
        setattr(instance, name, value)
    return instance


def cyclic():
    node = Plain(items=[1, 2])
    node.itself = node
    node.items.append(node.items)
    return node


def with_shared_parts():
    part = [1.5, "text", (1, 2)]
    return {"a": part, "b": [part, part], "c": Plain(part=part)}


atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.binary(max_size=40).map(bytearray)
    | st.sampled_from([*Colour, *Level])
)
hashables = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=10)
    | st.tuples(st.integers(), st.text(max_size=3))
)


def nest(inner):
    return (
        st.lists(inner, max_size=6)
        | st.lists(st.floats(), min_size=30, max_size=50)
        | st.lists(st.integers(-10, 1000), min_size=30, max_size=50)
        | st.tuples(inner, inner)
        | st.dictionaries(hashables, inner, max_size=6)
        | st.dictionaries(st.integers(), st.floats(), min_size=30, max_size=40)
        | st.sets(hashables, max_size=40)
        | st.frozensets(hashables, max_size=6)
        | st.builds(Plain, one=inner, two=inner)
        | st.builds(Record, inner, inner)
        | st.builds(SlottedRecord, inner, inner)
        | st.builds(Pair, inner, inner)
        | st.builds(lambda a, b: slotted(SlottedBelow, first=a, third=b), inner, inner)
        | st.builds(lambda a, b: slotted(SlottedAndMore, first=a, other=b), inner, inner)
    )


@settings(deadline=None, max_examples=200)
@given(st.recursive(atoms, nest, max_leaves=30))
def test_any_nested_structure_weighs_what_asizeof_says(structure):
    assert measure_objects({"root": structure})["root"].python_bytes == asizeof(structure)


@settings(deadline=None)
@given(st.lists(st.recursive(atoms, nest, max_leaves=8), max_size=4))
def test_several_roots_together_weigh_what_asizeof_says(structures):
    roots = {f"root_{n}": structure for n, structure in enumerate(structures)}
    sizes = measure_objects(roots)
    # Given an object twice, asizeof counts it twice.
    distinct = {id(structure): structure for structure in structures}.values()
    whole = asizeof(list(distinct)) - asizeof([]) - 8 * len(distinct)
    slack = sys.getsizeof(list(distinct)) - sys.getsizeof([]) - 8 * len(distinct)
    assert sizes["total"].python_bytes == whole - slack


@settings(deadline=None)
@given(st.recursive(atoms, nest, max_leaves=20))
def test_the_same_structure_always_weighs_the_same(structure):
    assert measure_objects({"root": structure}) == measure_objects({"root": structure})


@pytest.mark.parametrize(
    "structure",
    [
        *Colour,
        *Level,
        cyclic(),
        with_shared_parts(),
        Plain(),
        Record(items=[Record()]),
        slotted(Slotted),
        slotted(Slotted, first=[1.5]),
        slotted(SlottedAndMore, first=1, third=[2], free={"key": "value"}),
        [0.5 * n for n in range(5000)],
        list(range(5000)),
        [0] * 5000,
        [None] * 100 + [0.1] * 100 + [0.5 * n for n in range(100)],
        {f"key_{n}": float(n) for n in range(1000)},
        {n: [n] for n in range(1000)},
        {("a", n) for n in range(100)},
        collections.OrderedDict(a=1, b=[2]),
        collections.defaultdict(list, a=[1]),
        bytearray(b"x" * 1000),
        10**100,
        "é" * 100,
    ],
    ids=lambda structure: type(structure).__name__,
)
def test_plain_objects_weigh_what_asizeof_says(structure):
    assert measure_objects({"root": structure})["root"].python_bytes == asizeof(structure)


def test_every_path_weighs_what_asizeof_says_of_its_object():
    root = Plain(table={"rows": [[1.5, 2.5], [3.5]], "names": ("a", "b")}, seen={1, 2, 300})
    sizes = measure_objects({"root": root})
    assert sizes["root.table"].python_bytes == asizeof(root.table)
    assert sizes["root.table.rows"].python_bytes == asizeof(root.table["rows"])
    assert sizes["root.table.rows[]"].python_bytes == asizeof(*root.table["rows"])
    assert sizes["root.table.names"].python_bytes == asizeof(root.table["names"])
    assert sizes["root.seen"].python_bytes == asizeof(root.seen)


def test_items_that_asizeof_does_not_look_at_are_counted():
    class Bag(list):
        pass

    items = [n + 0.5 for n in range(100)]
    for container in (collections.deque(items), Bag(items)):
        weight = measure_objects({"root": container})["root"].python_bytes
        assert weight == asizeof(container) + 100 * 24
