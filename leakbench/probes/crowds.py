"""Many objects looked at together, at the speed of C and without a table of their ids.

An object that nothing but its container refers to cannot be met again on another way. So it is
counted with all others like it in that container, and what these hold is the next crowd. Only
objects that something else refers to as well are remembered by id.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, compress, repeat
from operator import is_, itemgetter
from typing import Any, Final, TypeAlias

from leakbench.probes.kinds import Kind, TypePlan
from leakbench.probes.reached import (
    ANY_KEY,
    NAMED_ATOM_BYTES,
    NAMELESS,
    Counted,
    Crowd,
    CrowdKey,
    Reached,
)

CROWD_AT_LEAST: Final = 1024
"""Items from which on a container's are looked at together. Below, each is looked at by itself."""
_FOLD_AT_LEAST: Final = 32
"""Items that hold nothing from which on looking at all of them in C pays."""
_TYPES_AT_MOST: Final = 8
"""Of one crowd: each takes a pass of its own."""
_KEYS_AT_MOST: Final = 1024
"""Of the dicts of one crowd together, up to which each may be a name."""
_SNAPSHOT_TRIES: Final = 3

Passes: TypeAlias = Callable[[], Iterator[Any]]
"""Gives a container's items, each time it is called."""

_getattribute = object.__getattribute__
_NEGATED: Final = bytes([1]) + bytes(255)


def _held_by(lists: int) -> int:
    held = [[object()]]
    held += [list(held[0]) for _ in range(lists - 1)]
    return next(map(sys.getrefcount, held[0]))


# References, as seen by map(), to an object that only its container holds ...
_HELD_ONCE: Final = _held_by(1)
# ... and, while it is in a crowd, the list of that.
_HELD_TWICE: Final = _held_by(2)


def fold(passes: Passes, count: int, key: CrowdKey, reached: Reached) -> bool:
    """Count a container's items, without a list of them, if all of them hold nothing.

    Returns
    -------
    Whether they do; if not, nothing was counted.
    """
    if not count:
        return True
    if count < _FOLD_AT_LEAST:
        return False
    try:
        types = set(map(type, passes()))
    except Exception:
        return False  # a metaclass that cannot be hashed, or a container that is changing
    plans = [reached.plans.of(cls) for cls in types]
    if not all(plan.is_atom for plan in plans):
        return False
    plan = plans[0] if len(plans) == 1 else None
    if set(map(sys.getrefcount, passes())) == {_HELD_ONCE}:
        _count_owned(passes(), count, plan, key, reached)
        return True
    # One byte an item: 1 where something else refers to it as well.
    shared = bytes(map(_HELD_ONCE.__lt__, map(sys.getrefcount, passes())))
    _count_owned(
        compress(passes(), shared.translate(_NEGATED)), shared.count(0), plan, key, reached
    )
    _count_shared(list(compress(passes(), shared)), reached)
    return True


def part(crowd: Crowd, reached: Reached) -> tuple[list[Crowd], list[Any]]:
    """Count what holds nothing.

    Returns
    -------
    Crowds of one type, of objects that nothing else refers to, and all others.
    """
    try:
        types = set(map(type, crowd.items))
    except Exception:
        return [], crowd.items  # a metaclass that cannot be hashed
    if len(types) > _TYPES_AT_MOST:
        return [], crowd.items
    shared = reached.shared.get(crowd.key, b"")
    if len(shared) != len(crowd.items):
        shared = reached.shared[crowd.key] = _flag_shared(crowd.items)
    alone: list[Crowd] = []
    others: list[Any] = []
    for cls in types:
        plan = reached.plans.of(cls)
        if plan.is_excluded:
            continue
        items, flags = crowd.items, shared
        if len(types) > 1:
            mask = bytes(map(is_, map(type, items), repeat(cls)))
            items, flags = list(compress(items, mask)), bytes(compress(shared, mask))
        key = (*crowd.key, id(cls))
        if plan.is_atom:
            others += _count_atoms(items, flags, plan, key, reached, crowd.name)
        elif _is_openable(plan):
            own = list(compress(items, flags.translate(_NEGATED))) if 1 in flags else items
            if own:
                alone.append(Crowd(crowd.name, own, key))
            others += compress(items, flags)
        else:
            others += items
    return alone, others


def open_crowd(crowd: Crowd, reached: Reached) -> Iterator[Crowd]:
    """Count the objects of `crowd`, which `part` returned, and yield what they hold.

    Each crowd that is yielded is to be let go of before the next is asked for: it is a list as long
    as there are objects.
    """
    items, key = crowd.items, crowd.key
    plan = reached.plans.of(type(items[0]))
    reached.crowds[key] = Counted(len(items), _sum_sizes(items, plan))
    if plan.kind is Kind.ITEMS:
        yield Crowd(NAMELESS, _flat(plan.iterate, items), key)
    elif plan.kind is Kind.MAPPING:
        yield from _open_dicts(items, key)
    if plan.has_dict:
        dicts = list(map(_getattribute, items, repeat("__dict__")))
        key_of_dicts = (*key, "__dict__")
        nbytes = _sum_sizes(dicts, reached.plans.of(dict))
        reached.crowds[key_of_dicts] = Counted(len(dicts), nbytes)
        yield from _open_dicts(dicts, key_of_dicts)
    for name in plan.slots:
        yield Crowd(name, _slots_of(items, name), (*key, name))


def snapshot(passes: Passes) -> list[Any]:
    """Return the items of a container that another thread may be changing."""
    for _ in range(_SNAPSHOT_TRIES):
        try:
            return list(passes())
        except RuntimeError:
            continue
    return []


def _flat(iterate: Callable[[Any], Iterable[Any]], containers: list[Any]) -> list[Any]:
    return snapshot(lambda: chain.from_iterable(map(iterate, containers)))


def _flag_shared(items: list[Any]) -> bytes:
    """Return one byte an item: 1 where more than its container and `items` refer to it."""
    if set(map(sys.getrefcount, items)) == {_HELD_TWICE}:
        return bytes(len(items))
    return bytes(map(_HELD_TWICE.__lt__, map(sys.getrefcount, items)))


def _is_openable(plan: TypePlan) -> bool:
    if plan.referents:
        return False
    if plan.kind is Kind.INSTANCE:
        return True
    return plan.kind in (Kind.ITEMS, Kind.MAPPING) and not (plan.has_dict or plan.slots)


def _count_atoms(
    items: list[Any],
    flags: bytes,
    plan: TypePlan,
    key: CrowdKey,
    reached: Reached,
    name: str | None,
) -> list[Any]:
    """Count atoms of one type, and return those that get a path of their own."""
    named: list[Any] = []
    if name is not None and name.isidentifier() and not plan.fixed_bytes:
        large = bytes(map(NAMED_ATOM_BYTES.__le__, map(plan.size, items)))
        if any(large):
            named = list(compress(items, large))
            small = large.translate(_NEGATED)
            items, flags = list(compress(items, small)), bytes(compress(flags, small))
    if 1 not in flags:
        _count_owned(iter(items), len(items), plan, key, reached)
        return named
    own = flags.translate(_NEGATED)
    _count_owned(compress(items, own), own.count(1), plan, key, reached)
    _count_shared(list(compress(items, flags)), reached)
    return named


def _count_owned(
    atoms: Iterator[Any], count: int, plan: TypePlan | None, key: CrowdKey, reached: Reached
) -> None:
    """Count atoms that nothing else refers to; of any type where no `plan` is given."""
    if plan is not None and plan.fixed_bytes:
        nbytes = plan.fixed_bytes * count
    else:
        nbytes = _sum_rounded(map(sys.getsizeof, atoms))
    reached.crowds[key] = Counted(count, nbytes)


def _count_shared(atoms: list[Any], reached: Reached) -> None:
    """Count each of `atoms` that is not counted yet."""
    for key, atom in dict(zip(map(id, atoms), atoms, strict=True)).items():
        if key not in reached.bytes:
            reached.bytes[key] = reached.plans.of(type(atom)).size(atom)


def _open_dicts(dicts: list[Any], key: CrowdKey) -> Iterator[Crowd]:
    keys = _flat(dict.__iter__, dicts)
    names = set(keys) if set(map(type, keys)) == {str} else set()
    yield Crowd(None, keys, (*key, "keys"), is_of_keys=True)
    if not names or len(names) > _KEYS_AT_MOST:
        yield Crowd(ANY_KEY, _flat(dict.values, dicts), (*key, "values"))
    elif len(keys) == len(names) * len(dicts) and set(map(type, dicts)) == {dict}:
        for name in sorted(names):
            yield _values_of(name, list(map(itemgetter(name), dicts)), key)
    else:
        by_name = _sort_by_name(keys, _flat(dict.values, dicts))
        for name in sorted(by_name):
            yield _values_of(name, by_name.pop(name), key)


def _sort_by_name(keys: list[str], values: list[Any]) -> dict[str, list[Any]]:
    by_name: dict[str, list[Any]] = {}
    for name, value in zip(keys, values, strict=False):  # another thread may add to a dict
        by_name.setdefault(name, []).append(value)
    return by_name


def _values_of(name: str, values: list[Any], key: CrowdKey) -> Crowd:
    return Crowd(name if name.isidentifier() else ANY_KEY, values, (*key, name))


def _slots_of(instances: Iterable[Any], name: str) -> list[Any]:
    values = []
    for instance in instances:
        try:
            values.append(_getattribute(instance, name))
        except AttributeError:
            continue  # never set
    return values


def _sum_sizes(items: list[Any], plan: TypePlan) -> int:
    """Return the bytes of objects of one type, each rounded up as `plan.size` does."""
    if plan.sizeof is None:
        return sum(map(plan.size, items))
    own: Callable[[Any], int] = plan.sizeof
    header = sys.getsizeof(items[0]) - own(items[0])
    return _sum_rounded(map(own, items), header)


def _sum_rounded(sizes: Iterable[int], header: int = 0) -> int:
    counts = Counter(sizes)
    return sum((size + header + 7 & -8) * times for size, times in counts.items())
