"""How much of everything is alive at one point, as numbers that outlive the objects.

Three censuses at one phase of the period, equally far apart, show what grows: a container
by its identity, a buffer by who refers to it and where, anything else by its type.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from leakbench.explain.heapwalk import Heap, HeapWalk, length_of, referents
from leakbench.probes.kinds import Kind, kind_of
from leakbench.probes.storage import Extents, open_array, open_tensor

BUFFER_AT_LEAST: Final = 1024
"""Bytes from which on a buffer is followed by itself; smaller ones grow past it soon."""

Slot: TypeAlias = tuple[int, int]
"""Identity of an object, and the position of a buffer among what it refers to."""

_GREW_LATE: Final = 0.75
"""Second half over first half of the growth, at least: half or less is a cache that fills,
equal is a leak. The verdict's own bound."""
_TOGETHER: Final = 64
_TEXT: Final = (str, bytes)
_LONG_TEXT: Final = BUFFER_AT_LEAST // 4  # a character takes 4 bytes at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """How far the subject had been driven."""

    chunks: int
    segments: int
    streams: int

    def __sub__(self, other: Driven) -> Driven:
        return Driven(
            chunks=self.chunks - other.chunks,
            segments=self.segments - other.segments,
            streams=self.streams - other.streams,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Numbers of one point."""

    driven: Driven
    lengths: Mapping[int, int]
    """Identity of each container to its items."""
    own_bytes: Mapping[int, int]
    """Identity of each container to the bytes of the container itself."""
    slots: Mapping[Slot, int]
    """Where each buffer is referred to, and its bytes."""
    types: Mapping[type, int]
    """Objects alive of each type that came after the first chunk; numbers and text aside."""
    identities: frozenset[int]
    """Of everything counted by type."""
    old_lengths: npt.NDArray[np.int64]
    """Items of each container that was there before the first chunk."""
    old_bytes: npt.NDArray[np.int64]
    """Bytes of each such container itself."""

    def own_objects(self) -> tuple[object, ...]:
        """Return what a later census must not count."""
        return self, self.lengths, self.own_bytes, self.slots, self.types, self.identities


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """Something that grew from the first census to the second and on to the third."""

    holder: Any
    """The container, what refers to the buffer, or the type whose objects got more."""
    position: int = -1
    """Of the buffer among what the holder refers to; -1 for a container or a type."""
    buffer: Any = None
    """The buffer at that position."""
    before: int
    """Items, bytes of a buffer, or objects, in the first census."""
    after: int
    """The same in the last."""
    own_bytes: int = 0
    """Bytes the container or buffer itself grew by."""
    shown_type: type | None = None
    """What to call its type, where that is not its own: the cache that a dict is of."""
    is_steady: bool = True
    """Whether it grew in both halves, and not ever more slowly."""

    @property
    def amount(self) -> int:
        """How much it grew."""
        return self.after - self.before


def take_census(walk: HeapWalk, heap: Heap, driven: Driven) -> Census:
    """Count everything in `walk`, and what was there before."""
    lengths: dict[int, int] = {}
    own_bytes: dict[int, int] = {}
    types: dict[type, int] = {}
    for obj in walk.objects:
        types[type(obj)] = types.get(type(obj), 0) + 1
        if (length := length_of(type(obj))) is not None:
            lengths[id(obj)] = length(obj)
            own_bytes[id(obj)] = sys.getsizeof(obj)
    return Census(
        driven=driven,
        lengths=lengths,
        own_bytes=own_bytes,
        slots=dict(chain(_slots(walk.objects), _slots(heap.holders))),
        types=types,
        identities=frozenset(walk.index),
        old_lengths=heap.lengths(),
        old_bytes=heap.sizes(),
    )


def compare(
    first: Census, middle: Census, last: Census, walk: HeapWalk, heap: Heap
) -> tuple[Grown, ...]:
    """Return what grew.

    Containers of the subject's state that grew only once are among it, as not steady: it is
    for the caller to know whether they are known to leak.

    Parameters
    ----------
    first, middle, last
        At one phase, with as many periods from `first` to `middle` as on to `last`.
    walk, heap
        That `last` counted.
    """
    grown = []
    for obj in walk.objects:
        key = id(obj)
        before, after = first.lengths.get(key), last.lengths.get(key)
        if before is None or after is None:
            continue
        if after > before:
            grown.append(
                Grown(
                    holder=obj,
                    before=before,
                    after=after,
                    own_bytes=last.own_bytes[key] - first.own_bytes[key],
                    is_steady=grows(before, middle.lengths.get(key, before), after),
                )
            )
    for at in np.flatnonzero(last.old_lengths > first.old_lengths).tolist():
        before, between, after = (int(c.old_lengths[at]) for c in (first, middle, last))
        container = heap.containers[at]
        if id(container) not in last.lengths and grows(before, between, after):
            own = int(last.old_bytes[at] - first.old_bytes[at])
            grown.append(Grown(holder=container, before=before, after=after, own_bytes=own))
    holders = {id(obj): obj for obj in chain(walk.objects, heap.holders)}
    for slot, nbytes in last.slots.items():
        before = first.slots.get(slot, 0)
        if before and grows(before, middle.slots.get(slot, before), nbytes):
            grown.append(
                Grown(
                    holder=holders[slot[0]],
                    position=slot[1],
                    buffer=referents(holders[slot[0]])[slot[1]],
                    before=before,
                    after=nbytes,
                    own_bytes=nbytes - before,
                )
            )
    grown += [
        Grown(holder=cls, before=first.types.get(cls, 0), after=count)
        for cls, count in last.types.items()
        if grows(first.types.get(cls, 0), middle.types.get(cls, 0), count)
    ]
    return tuple(grown)


def _slots(holders: Sequence[Any]) -> Iterator[tuple[Slot, int]]:
    for begin in range(0, len(holders), _TOGETHER):
        batch = holders[begin : begin + _TOGETHER]
        # All at once first: nearly always there is nothing, and this looks at hundreds of
        # thousands of names, each of which would cost a traced integer.
        held_by_any = _buffer_types(gc.get_referents(*batch))
        if held_by_any or any(map(_is_array, set(map(type, batch)))):
            for obj in batch:
                held = referents(obj)
                if found := _buffer_types(held):
                    for position, item in enumerate(held):
                        if type(item) in found and not _is_short_text(item):
                            nbytes = buffer_extent(item)[1]
                            if nbytes >= BUFFER_AT_LEAST:
                                yield (id(obj), position), nbytes


def _buffer_types(held: Sequence[Any]) -> set[type]:
    found = {cls for cls in set(map(type, held)) if _is_buffer(cls)}
    for cls in found & set(_TEXT):
        if not any(type(item) is cls and not _is_short_text(item) for item in held):
            found.remove(cls)
    return found


def _is_short_text(item: Any) -> bool:
    return type(item) in _TEXT and len(item) < _LONG_TEXT


def _is_array(cls: type) -> bool:
    return issubclass(cls, np.ndarray)


def grows(first: float, middle: float, last: float) -> bool:
    """Whether three equally spaced values rise and do not level off."""
    early, late = middle - first, last - middle
    # One more or less is a matter of where the points lie, if growth is rare.
    return early > 0 and late > 0 and late >= _GREW_LATE * early - 1


def buffer_extent(item: Any) -> tuple[int, int, int]:
    """Return where a buffer's memory begins, the bytes it keeps alive, and the bytes it shows.

    What begins at one address is one piece of memory.
    """
    if isinstance(item, _TEXT):
        nbytes = sys.getsizeof(item)
        return id(item), nbytes, nbytes
    extents = Extents()
    if kind_of(type(item)) is Kind.TENSOR:
        elements, _ = open_tensor(item, extents)
        shown = elements * int(item.element_size())
    else:
        owner = item
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        open_array(owner, extents)
        shown = int(item.nbytes)
    return next(iter(extents), 0), extents.total_bytes(), shown


@functools.cache
def _is_buffer(cls: Hashable) -> bool:
    return isinstance(cls, type) and (
        issubclass(cls, _TEXT) or kind_of(cls) in (Kind.TENSOR, Kind.NDARRAY)
    )
