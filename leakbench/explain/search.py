"""From three censuses to growths with their holders and lines, all as plain data."""

from __future__ import annotations

import dataclasses
import gc
import sys
import weakref
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from leakbench.explain.census import Census, Driven, Grown, buffer_extent, compare, grows
from leakbench.explain.chains import OURS, shorten, type_name
from leakbench.explain.heapwalk import LRU_CACHE, Heap, HeapWalk, referents
from leakbench.explain.lines import (
    growth_by_line,
    line_of_buffer,
    line_of_object,
    lines_of_container,
    lines_of_objects,
    new_items,
)
from leakbench.explain.locating import Locator
from leakbench.explain.places import Place
from leakbench.explain.rates import rate_of
from leakbench.explain.source import describe_lines
from leakbench.explain.tensor_origins import TensorOrigins
from leakbench.metrics import TOTAL_PATH
from leakbench.probes.objects import measure_objects
from leakbench.probes.reached import NAMED_ATOM_BYTES, NAMELESS
from leakbench.record.explanation import Growth, GrowthKind, Holder, Quantity
from leakbench.subject import Subject

_OBJECTS_SAMPLED: Final = 64
_BUILTINS_AT_LEAST: Final = 12
_CONTAINERS: Final = (list, tuple, dict, set, frozenset, deque)
_TEXT: Final = (str, bytes)
_TEXT_AT_LEAST: Final = 16
"""Characters of text that may be one that grows: names are shorter."""
_UNHELD_SHARE: Final = 0.5
"""Share of the heap's growth from which on memory without a holder is told of."""
_UNHELD_AT_LEAST: Final = 1024
"""Bytes of it that must have been seen: a few hundred of any drive are of nobody in particular."""
_SAME_LINES: Final = 0.5
"""Share of a growth's bytes that come from another's lines, from which on it is the same leak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What three looks at a process have seen."""

    heap: Heap
    walk: HeapWalk
    """Of the last look."""
    censuses: tuple[Census, Census, Census]
    """Equally far apart."""
    traced: tuple[Mapping[Place, int], Mapping[Place, int], Mapping[Place, int]]
    """Bytes still held of what each line allocated, at each look."""
    origins: TensorOrigins
    hours: float
    """Audio-hours from the first look to the last."""

    @property
    def driven(self) -> Driven:
        """How far the subject was driven from the first look to the last."""
        return self.censuses[-1].driven - self.censuses[0].driven


def find_growths(
    subject: Subject,
    evidence: Evidence,
    *,
    ours: tuple[object, ...],
    leaking: Collection[str],
    heap_bytes_per_hour: float,
) -> tuple[Growth, ...]:
    """Return what grew, most bytes first.

    Parameters
    ----------
    subject
        As it is at the last look, with tracing still on.
    evidence
        What was seen.
    ours
        Objects through which no chain may go.
    leaking
        Paths known to leak: of these, growth seen once is enough.
    heap_bytes_per_hour
        How fast the heap is known to grow; 0 where it is not known to.
    """
    found = _Search(
        subject, evidence, ours=ours, leaking=leaking, heap_bytes_per_hour=heap_bytes_per_hour
    ).find()
    return tuple(sorted(found, key=lambda growth: -growth.bytes_per_hour))


class _Search:
    def __init__(
        self,
        subject: Subject,
        evidence: Evidence,
        *,
        ours: tuple[object, ...],
        leaking: Collection[str],
        heap_bytes_per_hour: float,
    ) -> None:
        self._evidence = evidence
        self._heap_bytes_per_hour = heap_bytes_per_hour
        self._leaking = leaking
        self._locator = Locator(subject, evidence.walk, ours)
        self._traced = growth_by_line(evidence.traced[0], evidence.traced[-1])
        self._containers: list[Any] = []
        """That are told of by themselves."""
        self._told: set[Place] = set()
        """Lines that some growth is put down to."""

    def find(self) -> list[Growth]:
        evidence = self._evidence
        evidence.heap.thaw()
        everything = compare(*evidence.censuses, evidence.walk, evidence.heap)
        things = [item for item in everything if not isinstance(item.holder, type)]
        found = [g for item in _distinct(things) if (g := self._of_thing(item)) is not None]
        found += self._made_anew(set(self._leaking) - {growth.path for growth in found})
        held = HeapWalk()
        held.reach(self._containers, known=evidence.censuses[0].identities | evidence.heap.known)
        for item in everything:
            if isinstance(item.holder, type) and not _is_told_otherwise(item.holder):
                found += filter(None, [self._of_type(item, held)])
        return [*without_repeats(found), *(self._unheld() if self._heap_bytes_per_hour > 0 else ())]

    def _of_thing(self, item: Grown) -> Growth | None:
        """Return the growth of a container or of a buffer."""
        if not item.is_steady and id(item.holder) not in self._locator.named.index:
            return None
        lines: Mapping[Place, float]
        if item.position < 0:
            path, holders = self._locator.locate(item.holder)
        else:
            path, holders = self._locator.locate_buffer(item.holder, item.buffer)
        if not item.is_steady and path not in self._leaking:
            return None
        if item.position < 0:
            self._containers.append(item.holder)
            lines = lines_of_container(item, self._traced, self._evidence.origins)
            nbytes = _held_bytes(item, lines)
        else:
            line = line_of_buffer(item.buffer, self._evidence.origins)
            lines = {line: float(item.amount)} if line else {}
            nbytes = float(item.amount)
        return self._growth(
            "container" if item.position < 0 else "buffer",
            item.shown_type or (item.holder if item.position < 0 else item.buffer).__class__,
            "items" if item.position < 0 else "bytes",
            amount=item.amount,
            nbytes=nbytes,
            lines=lines,
            path=path,
            holders=holders,
            seen_once=not item.is_steady,
        )

    def _made_anew(self, missing: set[str]) -> list[Growth]:
        """Return the growth at paths known to leak of what is made anew each time.

        A container that is replaced by a longer one, a number, or text that is too short to be
        followed, is another object at each look: where it is made is told, how fast it grows the
        verdict says.
        """
        found = []
        for holder in self._locator.named.objects if missing else ():
            for made in referents(holder):
                is_atom = _may_grow(made)
                if not is_atom and not self._is_new_container(made):
                    continue
                path, holders = (
                    self._locator.locate_buffer(holder, made)
                    if is_atom
                    else self._locator.locate(made)
                )
                # New items of a container are its own growth.
                if path not in missing or path.endswith(NAMELESS):
                    continue
                missing.remove(path)
                line = line_of_object(made)
                found.append(
                    self._growth(
                        "buffer" if is_atom else "container",
                        type(made),
                        "bytes" if is_atom else "items",
                        amount=0,
                        nbytes=0.0,
                        lines={line: float(sys.getsizeof(made))} if line else {},
                        path=path,
                        holders=holders,
                        seen_once=True,
                    )
                )
        return found

    def _is_new_container(self, obj: object) -> bool:
        return type(obj) in _CONTAINERS and (id(obj) not in self._evidence.censuses[0].identities)

    def _of_type(self, item: Grown, held: HeapWalk) -> Growth | None:
        """Return the growth of a type whose objects hang below none of the grown containers."""
        first, walk = self._evidence.censuses[0], self._evidence.walk
        below = self._below_containers()
        new = [
            (obj, is_below or id(obj) in held.index)
            for obj, is_below in zip(walk.objects, below, strict=True)
            if type(obj) is item.holder and id(obj) not in first.identities
        ]
        objects = [obj for obj, is_held in new if not is_held]
        # Lists and dicts come and go by the dozen; a chain of them is longer than that.
        at_least = _BUILTINS_AT_LEAST if item.holder.__module__ == "builtins" else 1
        left = item.amount - (len(new) - len(objects))
        if left < max(item.amount / 2, at_least) or not objects:
            return None
        # The last ones reached are the far end of a chain.
        path, holders = self._locator.locate(objects[-1])
        sampled = objects[-_OBJECTS_SAMPLED:]
        scale = item.amount / len(sampled)
        made = lines_of_objects(sampled, self._evidence.origins)
        lines = {line: nbytes * scale for line, nbytes in made.items()}
        return self._growth(
            "objects",
            item.holder,
            "objects",
            amount=item.amount,
            nbytes=sum(lines.values()),
            lines=lines,
            path=path,
            holders=holders,
        )

    def _below_containers(self) -> list[bool]:
        """Return of each object walked whether it was reached through a grown container."""
        walk, told = self._evidence.walk, set(map(id, self._containers))
        below = [False] * len(walk.objects)
        # A parent comes before its children.
        for index, parent in enumerate(walk.parents):
            below[index] = id(walk.objects[index]) in told or (parent >= 0 and below[parent])
        return below

    def _unheld(self) -> list[Growth]:
        """Return the memory of lines that no growth is put down to, where the heap grows by it.

        Python's own C code holds it: text that is interned for good, callbacks for the exit.
        """
        first, middle, last = self._evidence.traced
        lines = {
            line: float(nbytes)
            for line, nbytes in self._traced.items()
            if line not in self._told and grows(first.get(line, 0), middle.get(line, 0), last[line])
        }
        nbytes = sum(lines.values())
        of_heap = _UNHELD_SHARE * self._heap_bytes_per_hour * self._evidence.hours
        if nbytes < max(_UNHELD_AT_LEAST, of_heap):
            return []
        return [self._growth("unheld", None, "bytes", amount=nbytes, nbytes=nbytes, lines=lines)]

    def _growth(
        self,
        kind: GrowthKind,
        cls: type | None,
        quantity: Quantity,
        *,
        amount: float,
        nbytes: float,
        lines: Mapping[Place, float],
        path: str = "",
        holders: tuple[Holder, ...] = (),
        seen_once: bool = False,
    ) -> Growth:
        self._told |= lines.keys()
        hours = self._evidence.hours
        unit, rate = rate_of(amount, self._evidence.driven, hours)
        return Growth(
            path=path,
            kind=kind,
            type=type_name(cls) if cls else "",
            amount=rate,
            per=unit,
            quantity=quantity,
            bytes_per_hour=nbytes / hours,
            chain=shorten(holders) if holders else "",
            holders=holders,
            allocations=describe_lines(lines, hours),
            seen_once=seen_once,
        )


def _may_grow(obj: object) -> bool:
    """Whether it is text or a number of some length."""
    if isinstance(obj, str | bytes):
        return type(obj) in _TEXT and len(obj) >= _TEXT_AT_LEAST
    return type(obj) is int and sys.getsizeof(obj) >= NAMED_ATOM_BYTES


def _distinct(things: Iterable[Grown]) -> list[Grown]:
    """Keep one of several names for the same memory.

    Of a buffer, the one that shows most of it; of a cache of functools its dict, which has the
    items, called by the type of the cache.
    """
    best: dict[int, tuple[int, Grown]] = {}
    others: dict[int, Grown] = {}
    for item in things:
        if item.position < 0:
            others[id(item.holder)] = item
            continue
        start, _, shown = buffer_extent(item.buffer)
        if start not in best or shown > best[start][0]:
            best[start] = shown, item
    for cache in [item.holder for item in others.values() if type(item.holder) is LRU_CACHE]:
        for held in gc.get_referents(cache):
            if id(held) in others:
                del others[id(cache)]
                others[id(held)] = dataclasses.replace(others[id(held)], shown_type=LRU_CACHE)
    return [*others.values(), *(item for _, item in best.values())]


def _is_told_otherwise(cls: type) -> bool:
    """Whether more objects of a type say nothing: our own, and weak references.

    No walk goes through a weak reference, and so whatever holds one is never met.
    """
    return issubclass(cls, weakref.ReferenceType) or cls.__module__.startswith(OURS)


def without_repeats(found: Iterable[Growth]) -> list[Growth]:
    """Leave out growth that is that of another one, seen from what it is made of.

    Objects of a type, and what has no holder with a name, where all the lines are those of a
    container or buffer that has one, or else of something larger of their own kind.
    """
    kept: list[Growth] = []
    told: set[tuple[str, int]] = set()
    for growth in sorted(found, key=lambda g: (_is_weak(g), -g.bytes_per_hour)):
        lines = {(line.file, line.line): line.share for line in growth.allocations}
        known = sum(share for line, share in lines.items() if line in told)
        says_nothing = not lines and not _has_name(growth)
        if _is_weak(growth) and (says_nothing or known >= _SAME_LINES):
            continue
        kept.append(growth)
        told |= lines.keys()
    return kept


def _is_weak(growth: Growth) -> bool:
    """Whether it may be another growth, seen from what that is made of."""
    return growth.kind == "objects" or not _has_name(growth)


def _has_name(growth: Growth) -> bool:
    """Whether what holds it has a name; what is held by nobody needs none."""
    return growth.kind == "unheld" or bool(growth.holders[0].name)


def _held_bytes(item: Grown, lines: Mapping[Place, float]) -> float:
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
    # Of an exception the lines know what its traceback holds, which no measurement enters.
    return max(max(each, 0.0) * many + max(item.own_bytes, 0), traced)
