"""From three censuses to growths with their holders and lines, all as plain data."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any, Final

from leakbench.explain.census import Census, Driven, Grown, buffer_extent, compare
from leakbench.explain.chains import (
    SUBJECT,
    chain_back,
    chain_within,
    name_steps,
    shorten,
    type_name,
)
from leakbench.explain.heapwalk import Heap, HeapWalk
from leakbench.explain.lines import (
    line_of_buffer,
    lines_of_container,
    lines_of_objects,
    new_items,
)
from leakbench.explain.source import describe_lines
from leakbench.explain.tensor_origins import Line, TensorOrigins
from leakbench.metrics import TOTAL_PATH
from leakbench.probes.objects import measure_objects
from leakbench.record.explanation import Growth, Holder, Unit
from leakbench.subject import Subject

_OBJECTS_SAMPLED: Final = 64
_BUILTINS_AT_LEAST: Final = 12
_OURS: Final = ("leakbench.explain.", "leakbench.worker.", "leakbench.probes.")
_RARER_UNITS: Final[tuple[Unit, ...]] = ("segment", "stream")


def find_growths(
    subject: Subject,
    heap: Heap,
    walk: HeapWalk,
    censuses: tuple[Census, Census, Census],
    *,
    traced: Mapping[Line, int],
    origins: TensorOrigins,
    hours: float,
    ours: tuple[object, ...],
    leaking: Collection[str],
) -> tuple[Growth, ...]:
    """Return what grew, most bytes first.

    Parameters
    ----------
    subject, heap, walk
        As they are at the last census, with tracing still on.
    censuses
        Equally far apart.
    traced
        Bytes by which each line's allocations grew from the first to the last census.
    hours
        Audio-hours between them.
    ours
        Objects through which no chain may go.
    leaking
        Paths known to leak: of these, growth seen once is enough.
    """
    first, middle, last = censuses
    driven = last.driven - first.driven
    named = HeapWalk()
    roots = dict(subject.roots())
    named.reach(roots.values(), known=set())
    names = {id(obj): name for name, obj in roots.items()}
    heap.thaw()
    locate = functools.partial(
        _locate, walk=walk, named=named, names=names, ours=(*ours, roots, named, walk)
    )
    everything = compare(first, middle, last, walk, heap)
    grown = [item for item in everything if not isinstance(item.holder, type)]
    found: list[Growth] = []
    explained: set[int] = set()
    for item in _distinct_buffers(grown):
        if not item.is_steady and id(item.holder) not in named.index:
            continue
        path, holders = locate(item.holder)
        if not item.is_steady and path not in leaking:
            continue
        if item.position < 0:
            explained.add(id(item.holder))
        found.append(_describe(item, path, holders, traced, origins, driven, hours))
    found += _unheld_types(
        [g for g in everything if isinstance(g.holder, type) and not _is_ours(g.holder)],
        explained,
        first,
        walk,
        locate,
        origins,
        driven,
        hours,
    )
    return tuple(sorted(found, key=lambda growth: -growth.bytes_per_hour))


def _describe(
    item: Grown,
    path: str,
    holders: tuple[Holder, ...],
    traced: Mapping[Line, int],
    origins: TensorOrigins,
    driven: Driven,
    hours: float,
) -> Growth:
    """Return one container or buffer that grew, with who holds it and which lines made it."""
    is_container = item.position < 0
    lines: Mapping[Line, float]
    if is_container:
        lines = lines_of_container(item, traced, origins)
        nbytes, grown = _held_bytes(item, lines), item.holder
    else:
        line = line_of_buffer(item.buffer, origins)
        lines = {line: float(item.amount)} if line else {}
        nbytes, grown = float(item.amount), item.buffer
        path, holders = _extend(path, holders, item.holder, grown)
    unit, rate = _rate(item.amount, driven, hours)
    return Growth(
        path=path,
        kind="container" if is_container else "buffer",
        type=type_name(type(grown)),
        amount=rate,
        per=unit,
        quantity="items" if is_container else "bytes",
        bytes_per_hour=nbytes / hours,
        chain=shorten(holders),
        holders=holders,
        allocations=describe_lines(lines, hours),
        seen_once=not item.is_steady,
    )


def _locate(
    obj: Any,
    *,
    walk: HeapWalk,
    named: HeapWalk,
    names: Mapping[int, str],
    ours: tuple[object, ...],
) -> tuple[str, tuple[Holder, ...]]:
    """Return the path of an object below the subject's roots, if any, and its chain."""
    path = ""
    if id(obj) in named.index:
        index = named.index[id(obj)]
        line = named.line(index)
        path = _path(chain_within(named, index, names[id(line[0])]), line[0])
    if id(obj) in walk.index:
        index = walk.index[id(obj)]
        line = walk.line(index)
        if line[0] is walk.objects[0]:
            return path, chain_within(walk, index, SUBJECT)
        back = chain_back(line[0], ours=(*ours, line))
        return path, (*back, *chain_within(walk, index, "")[1:])
    return path, chain_back(obj, ours=ours)


def _path(holders: tuple[Holder, ...], root: Any) -> str:
    """Return a chain below a root written as the trace writes its paths."""
    text = holders[0].name
    for holder in holders[1:]:
        key = holder.name.strip("[]'")
        is_key = holder.name.startswith("['") and key.isidentifier()
        text += f".{key}" if is_key else ("[*]" if holder.name.startswith("['") else holder.name)
    return text


def _extend(
    path: str, holders: tuple[Holder, ...], holder: Any, buffer: Any
) -> tuple[str, tuple[Holder, ...]]:
    step = name_steps("", [holder, buffer])[-1:]
    if len(holders) > 1 and holders[-1].type == type_name(type(holder)) == "dict":
        # A dict that is not the attributes of the step before: its keys are keys.
        step = (Holder(name=f"['{step[0].name.lstrip('.')}']", type=step[0].type),)
    extended = (*holders, *step)
    if not path:
        return "", extended
    return _path((Holder(name=path, type=""), *step), holder), extended


def _distinct_buffers(grown: list[Grown]) -> list[Grown]:
    """Keep one of several names for the same memory: the one that shows most of it."""
    best: dict[int, tuple[int, Grown]] = {}
    others = []
    for item in grown:
        if item.position < 0:
            others.append(item)
            continue
        start, _, shown = buffer_extent(item.buffer)
        if start not in best or shown > best[start][0]:
            best[start] = shown, item
    return [*others, *(item for _, item in best.values())]


def _held_bytes(item: Grown, lines: Mapping[Line, float]) -> float:
    """Return the bytes that a container's new items take, with all they hold."""
    traced = sum(lines.values())
    items = new_items(item)
    if isinstance(item.holder, dict):
        items = list(chain.from_iterable(items))
    if not items:
        return max(traced, float(item.own_bytes))
    sizes = measure_objects({"items": items})[TOTAL_PATH]
    own = measure_objects({"items": [None] * len(items)})[TOTAL_PATH]
    each = (sizes.python_bytes + sizes.storage_bytes - own.python_bytes) / len(items)
    many = item.amount * (2 if isinstance(item.holder, dict) else 1)
    return max(each, 0.0) * many + max(item.own_bytes, 0)


def _is_ours(cls: type) -> bool:
    return cls.__module__.startswith(_OURS)


def _rate(amount: float, driven: Driven, hours: float) -> tuple[Unit, float]:
    """Return what the growth comes with, and how much of it comes each time."""
    counts: Mapping[Unit, int] = {
        "chunk": driven.chunks,
        "segment": driven.segments,
        "stream": driven.streams,
    }
    if counts["chunk"] and amount % counts["chunk"] == 0:
        return "chunk", amount / counts["chunk"]
    for unit in _RARER_UNITS:
        if counts[unit] and amount % counts[unit] == 0:
            return unit, amount / counts[unit]
    if amount > counts["chunk"] > 0:
        return "chunk", amount / counts["chunk"]
    return "hour", amount / hours


def _unheld_types(
    grown: list[Grown],
    explained: set[int],
    first: Census,
    walk: HeapWalk,
    locate: Any,
    origins: TensorOrigins,
    driven: Driven,
    hours: float,
) -> list[Growth]:
    """Return growths of types whose objects hang below none of the grown containers."""
    found = []
    # An index of those below a grown container: a parent comes before its children.
    below = [False] * len(walk.objects)
    for index, parent in enumerate(walk.parents):
        below[index] = id(walk.objects[index]) in explained or (parent >= 0 and below[parent])
    for item in grown:
        new = [
            (obj, held)
            for obj, held in zip(walk.objects, below, strict=True)
            if type(obj) is item.holder and id(obj) not in first.identities
        ]
        objects = [obj for obj, held in new if not held]
        # Lists and dicts come and go by the dozen; a chain of them is longer than that.
        at_least = _BUILTINS_AT_LEAST if item.holder.__module__ == "builtins" else 1
        left = item.amount - (len(new) - len(objects))
        if left < max(item.amount / 2, at_least) or not objects:
            continue
        # The last ones reached are the far end of a chain.
        path, holders = locate(objects[-1])
        lines = lines_of_objects(objects[-_OBJECTS_SAMPLED:], origins)
        scale = item.amount / min(len(objects), _OBJECTS_SAMPLED)
        lines = {line: nbytes * scale for line, nbytes in lines.items()}
        unit, rate = _rate(item.amount, driven, hours)
        found.append(
            Growth(
                path=path,
                kind="objects",
                type=type_name(item.holder),
                amount=rate,
                per=unit,
                quantity="objects",
                bytes_per_hour=sum(lines.values()) / hours,
                chain=shorten(holders),
                holders=holders,
                allocations=describe_lines(lines, hours),
            )
        )
    return found
