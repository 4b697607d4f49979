"""One object opened: its own bytes, and what it holds under which name."""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import Any, Final, TypeAlias

from leakbench.metrics import GRAPH_NAME
from leakbench.probes import storage
from leakbench.probes.autograd import graph_of
from leakbench.probes.crowds import CROWD_AT_LEAST, fold, snapshot
from leakbench.probes.kinds import Kind, TypePlan, TypePlans
from leakbench.probes.reached import ANY_KEY, NAMELESS, NAMES_AT_MOST, Crowd, Reached

Held: TypeAlias = Crowd | Iterable[tuple[Any, Any]]
"""Pairs of a name, or the key of a dict, and an object; or many objects at once."""

_getattribute = object.__getattribute__


def open_object(obj: Any, plan: TypePlan, reached: Reached) -> tuple[int, list[Held]]:
    """Count `obj` into `reached`.

    The items of a large container of atoms are counted with it; everything else that `obj`
    holds is returned.

    Returns
    -------
    Its elements (items, attributes, array elements or bytes) and what it holds.
    """
    key = id(obj)
    kind = plan.kind
    elements = 0
    held: list[Held] = []
    parts: Sequence[Any] = ()
    reached.bytes[key] = plan.size(obj)
    if plan.has_dict or plan.slots:
        elements += _open_attributes(obj, plan, reached, held)
    if kind is Kind.ITEMS:
        elements += plan.length(obj)
        passes = partial(plan.iterate, obj)
        if not fold(passes, plan.length(obj), (key,), reached):
            items = snapshot(passes)
            crowded = len(items) >= CROWD_AT_LEAST
            held.append(Crowd(NAMELESS, items, (key,)) if crowded else zip(repeat(NAMELESS), items))
    elif kind is Kind.MAPPING:
        elements += dict.__len__(obj)
        _open_dict(obj, reached, held)
    elif kind is Kind.BYTES:
        elements += plan.length(obj)
    elif kind is Kind.ATOM:
        elements += length_of_atom(obj)
    elif kind is Kind.STREAM:
        elements += open_stream(obj, key, reached)
    elif kind is Kind.TENSOR:
        count, parts = storage.open_tensor(obj, reached.extents)
        elements += count
        _open_tensor_attributes(obj, reached, held)
        if (graph := graph_of(obj)) is not None:
            held.append([(GRAPH_NAME, graph)])
    elif kind is Kind.GRAPH:
        # Neither the handle nor what it leads to is a Python object of the subject's.
        reached.bytes[key] = 0
        reached.graphs.append(obj)
    elif kind is Kind.NDARRAY:
        reached.bytes[key] -= storage.sized_content_bytes(obj)
        count, parts = storage.open_array(obj, reached.extents)
        elements += count
    elif kind is Kind.FUNCTION:
        elements += _open_function(obj, reached, held)
    elif kind is Kind.MEMORYVIEW:
        count, parts = storage.open_memoryview(obj, reached.extents)
        elements += count
    elif kind is Kind.MMAP:
        elements += storage.open_mmap(obj, reached.extents)
    elif kind is Kind.CDATA:
        elements += storage.open_cdata(obj, reached.extents)
        parts = gc.get_referents(obj)
    elif kind is Kind.TORCH_STORAGE:
        elements += storage.open_torch_storage(obj, reached.extents)
    if plan.referents:
        others = _other_referents(obj, reached, held)
        if kind is Kind.OPAQUE:
            elements += len(others)
        held.append(zip(repeat(NAMELESS), others))
    if parts:
        held.append(zip(repeat(NAMELESS), parts))
    return elements, held


def length_of_atom(atom: Any) -> int:
    """Return the characters of a string or the bytes of a whole number, 0 of anything else."""
    if type(atom) is str:
        return len(atom)
    return (atom.bit_length() + 7) // 8 if type(atom) is int else 0


def open_stream(stream: Any, key: int, reached: Reached) -> int:
    """Weigh what was written into a stream in memory, and return its length."""
    written = length_of_stream(stream)
    if not isinstance(stream, io.BytesIO):
        # A byte a character at least. A BytesIO tells its buffer by its size.
        reached.bytes[key] += written + 7 & -8
    return written


def length_of_stream(stream: io.BytesIO | io.StringIO) -> int:
    """Return how much was written into a stream in memory; 0 where it is closed.

    A BytesIO tells its buffer by its size. A StringIO does not as long as it is only written to:
    where it stands is what was written then.
    """
    try:
        if isinstance(stream, io.BytesIO):
            return sys.getsizeof(stream) - _EMPTY_STREAM_BYTES
        return io.StringIO.tell(stream)
    except ValueError:
        return 0


_EMPTY_STREAM_BYTES: Final = sys.getsizeof(io.BytesIO())


def has_content(obj: Any, plan: TypePlan, plans: TypePlans) -> bool:
    """Whether `obj` deserves a path of its own: a plain function or a lock holds nothing."""
    if plan.kind is Kind.FUNCTION:
        return obj.__closure__ is not None
    if plan.kind is Kind.OPAQUE:
        kinds = (plans.of(type(held)).kind for held in gc.get_referents(obj))
        return any(kind is not Kind.ATOM and kind is not Kind.EXCLUDED for kind in kinds)
    return True


def _open_attributes(obj: Any, plan: TypePlan, reached: Reached, held: list[Held]) -> int:
    elements = 0
    if plan.has_dict:
        attributes = _getattribute(obj, "__dict__")
        if issubclass(type(attributes), dict):
            reached.bytes[id(attributes)] = reached.plans.of(type(attributes)).size(attributes)
            elements += dict.__len__(attributes)
            _open_dict(attributes, reached, held)
    if plan.slots:
        slots = []
        for name in plan.slots:
            try:
                slots.append((name, _getattribute(obj, name)))
            except AttributeError:
                continue  # never set
        elements += len(slots)
        held.append(slots)
    return elements


def _open_tensor_attributes(tensor: Any, reached: Reached, held: list[Held]) -> None:
    """Hand out what was set on a tensor, without giving it an attribute dict if it has none."""
    for other in gc.get_referents(tensor):
        if type(other) is dict:
            reached.bytes[id(other)] = reached.plans.of(dict).size(other)
            _open_dict(other, reached, held)
        else:
            held.append([(NAMELESS, other)])


def _open_dict(mapping: Any, reached: Reached, held: list[Held]) -> None:
    """Count the keys and atoms of `mapping`, under its id, and hand out its other values."""
    count = dict.__len__(mapping)
    if not count:
        return
    keys = partial(dict.__iter__, mapping)
    if not fold(keys, count, (id(mapping), "keys"), reached):
        nbytes = reached.bytes
        others = []
        for name in snapshot(keys):
            if type(name) is not str:
                # None is no name: a key gets no path of its own.
                others.append((None, name))
            elif id(name) not in nbytes:
                nbytes[id(name)] = sys.getsizeof(name) + 7 & -8
        if others:
            held.append(others)
    values = partial(iter, dict.values(mapping))
    key = (id(mapping), "values")
    if fold(values, count, key, reached):
        return
    # The values of a record have names of their own.
    if count < max(CROWD_AT_LEAST, NAMES_AT_MOST + 1):
        held.append(snapshot(partial(iter, dict.items(mapping))))
        return
    # Not by way of the pairs, which would hold the values as well.
    names, items = snapshot(keys), snapshot(values)
    held.append(Crowd(ANY_KEY, items, key, names if len(names) == len(items) else None))


def _open_function(function: Any, reached: Reached, held: list[Held]) -> int:
    """Hand out what a function closes over, by name, its defaults and its attributes."""
    cells = function.__closure__ or ()
    closed_over: list[tuple[Any, Any]] = []
    for name, cell in zip(function.__code__.co_freevars, cells, strict=False):
        reached.bytes[id(cell)] = reached.plans.of(type(cell)).size(cell)
        closed_over.extend((name, content) for content in gc.get_referents(cell))
    held.append(closed_over)
    program = {id(function.__globals__), id(function.__builtins__), id(function.__closure__)}
    others = [other for other in gc.get_referents(function) if id(other) not in program]
    if cells:
        closure = function.__closure__
        reached.bytes[id(closure)] = reached.plans.of(type(closure)).size(closure)
    held.append(zip(repeat(NAMELESS), others))
    return len(closed_over)


def _other_referents(obj: Any, reached: Reached, held: list[Held]) -> list[Any]:
    """Return what the garbage collector sees in `obj` and its attributes do not show.

    A generator is not advanced by it: its locals are among its referents.
    """
    named: set[int] = set()
    for index, found in enumerate(held):
        if isinstance(found, Crowd):
            named.update(map(id, found.items))
            continue
        held[index] = pairs = list(found)
        named.update(id(item) for _, item in pairs)
    return [
        other
        for other in gc.get_referents(obj)
        if id(other) not in named and id(other) not in reached.bytes
    ]
