"""What is alive and may grow, reached forward from the subject and from what is new.

Most of a process is its program: with torch loaded, half a million objects that were there
before the first chunk. They are set aside once (``gc.freeze``), and a look then costs what is
new since, plus the lengths of the containers that were there already.

Objects are read through ``gc.get_referents``, which runs none of their code.
"""

from __future__ import annotations

import _thread
import array
import functools
import gc
import io
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from operator import call
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from leakbench.probes.contents import length_of_stream
from leakbench.probes.kinds import Kind, kind_of
from leakbench.subject import Subject

_base_of = np.ndarray.__dict__["base"].__get__
_dtype_of = np.ndarray.__dict__["dtype"].__get__
_call: Final[Callable[[Any, Any], int]] = call

_SIZED: Final[Mapping[type, Callable[[Any], int]]] = {
    list: list.__len__,
    dict: dict.__len__,
    set: set.__len__,
    deque: deque.__len__,
    bytearray: bytearray.__len__,
    array.array: array.array.__len__,
    io.BytesIO: length_of_stream,
    io.StringIO: length_of_stream,
}
_UNTRACKED: Final = (dict, bytearray, array.array)
LRU_CACHE: Final = type(functools.lru_cache(len))
_lengths: dict[type, Callable[[Any], int] | None] = {
    LRU_CACHE: lambda cache: int(cache.cache_info().currsize)
}
_CODE: Final = (
    types.ModuleType,
    types.FrameType,
    type,
    types.CodeType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)


class HeapWalk:
    """What was reached: objects, and for each the one through which it was reached first.

    Holds on to every object while it lives; drop it before the subject goes on.
    """

    def __init__(self) -> None:
        self.objects: list[Any] = []
        """In the order they were reached, breadth first."""
        self.parents: list[int] = []
        """Index of the object each was reached through; -1 for where a walk began."""
        self.index: dict[int, int] = {}
        """Identity to index in `objects`."""
        self._ways: dict[type, bool] = {}

    def reach(self, roots: Iterable[Any], *, known: frozenset[int] | set[int]) -> None:
        """Add everything reachable from `roots` that was not reached before.

        Parameters
        ----------
        roots
            Entered in this order, breadth first.
        known
            Identities of what is not to be entered. Modules, classes, frames and code are
            never entered: they are the program.
        """
        objects, parents, index = self.objects, self.parents, self.index
        position = len(objects)
        for root in roots:
            if id(root) not in index:
                index[id(root)] = len(objects)
                objects.append(root)
                parents.append(-1)
        while position < len(objects):
            held = referents(objects[position])
            # Types first: most of what is held is atoms, and every identity asked for is an
            # integer made, which a traced run pays dearly for.
            entered = {cls for cls in set(map(type, held)) if self._is_entered(cls)}
            for item in held if entered else ():
                if type(item) not in entered:
                    continue
                key = id(item)
                if key not in index and key not in known:
                    index[key] = len(objects)
                    objects.append(item)
                    parents.append(position)
            position += 1

    def _is_entered(self, cls: type) -> bool:
        if cls not in self._ways:
            self._ways[cls] = not issubclass(cls, _CODE) and kind_of(cls) is not Kind.ATOM
        return self._ways[cls]

    def line(self, index: int) -> list[Any]:
        """Return the objects on the way to an object, from where the walk began, inclusive."""
        line = [self.objects[index]]
        while (index := self.parents[index]) >= 0:
            line.append(self.objects[index])
        return line[::-1]


class Heap:
    """All objects of this process, divided into those there now and those to come.

    Keeps the containers that are there now alive, so that their identities stay theirs; what
    did not exist before the first chunk is never held from one look to the next.
    """

    def __init__(self) -> None:
        gc.unfreeze()  # a run that measured has set aside what there was before it
        gc.collect()
        there = gc.get_objects()
        self._identities = set(map(id, there))
        # The collector does not track a dict of numbers, text or arrays, nor bytes and numbers.
        untracked = {id(x): x for x in gc.get_referents(*there) if type(x) in _UNTRACKED}
        for known in untracked.keys() & self._identities:
            del untracked[known]
        self._identities |= untracked.keys()
        there += untracked.values()
        sized = {cls for cls in set(map(type, there)) if length_of(cls) is not None}
        self.containers = [obj for obj in there if type(obj) in sized]
        """Those that were there already, in no order."""
        self.holders = _holders(there, untracked.values())
        """Globals of modules, cells of closures and dicts without containers in them, that
        were there already."""
        del there, untracked
        self._lengths_of = [length_of(type(obj)) for obj in self.containers]
        own = (self, self.__dict__, *self.__dict__.values())
        self._own = set(map(id, own))
        gc.freeze()

    @property
    def known(self) -> Set[int]:
        """Identities of all that was there already."""
        return self._identities

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return the items of each of `containers`."""
        return np.fromiter(
            map(_call, self._lengths_of, self.containers),
            dtype=np.int64,
        )

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return the bytes of each of `containers` itself."""
        return np.fromiter(map(sys.getsizeof, self.containers), dtype=np.int64)

    def walk(self, subject: Subject, unseen: Iterable[object]) -> HeapWalk:
        """Return the state of `subject` with all that is new.

        `unseen` are objects of whoever asks, which are not entered.
        """
        gc.collect()
        own = self._own | {id(self._own)} | set(map(id, unseen))
        own.add(id(own))
        walk = HeapWalk()
        walk.reach([subject], known=own)
        new = [
            obj
            for obj in gc.get_objects()
            if id(obj) not in own and not isinstance(obj, _CODE) and id(obj) not in walk.index
        ]
        # What is held by something else that is new comes after it, so that a chain begins
        # at its beginning.
        held = set(map(id, gc.get_referents(*new)))
        new.sort(key=lambda obj: id(obj) in held)
        own.update(map(id, (new, held, walk, walk.__dict__, *walk.__dict__.values())))
        own |= self._identities
        walk.reach((obj for obj in new if id(obj) not in own), known=own)
        return walk

    def thaw(self) -> None:
        """Let the collector see everything again: it finds no referrers among the frozen."""
        gc.unfreeze()


def referents(obj: Any) -> list[Any]:
    """Return what `obj` refers to, as far as it is state and not program."""
    cls = type(obj)
    if cls is types.FunctionType:
        program = (id(obj.__globals__), id(obj.__builtins__))
        return [item for item in gc.get_referents(obj) if id(item) not in program]
    if issubclass(cls, np.ndarray):
        # The collector sees nothing in an array.
        items = np.asarray(obj).ravel().tolist() if _dtype_of(obj).hasobject else []
        base = _base_of(obj)
        return items if base is None else [*items, base]
    found = gc.get_referents(obj)
    if issubclass(cls, _thread._local):
        # Its attributes hang on the thread, out of the collector's sight.
        found.append(thread_attributes(obj))
    return found


def thread_attributes(local: Any) -> dict[str, Any]:
    """Return the attributes that a thread-local object has in this thread."""
    attributes: dict[str, Any] = _thread._local.__getattribute__(local, "__dict__")
    return attributes


def length_of(cls: type) -> Callable[[Any], int] | None:
    """Return the function that tells the items of an instance without running its own code."""
    if cls not in _lengths:
        base = next((base for base in _SIZED if issubclass(cls, base)), None)
        _lengths[cls] = _SIZED[base] if base else None
    return _lengths[cls]


def _holders(there: list[Any], untracked: Iterable[Any]) -> list[Any]:
    """Return those of `there` that a buffer may hang on, outside of the subject's state."""
    globals_ = [vars(module) for module in list(sys.modules.values()) if _is_module(module)]
    cells = [obj for obj in there if type(obj) is types.CellType]
    return [*globals_, *cells, *(obj for obj in untracked if type(obj) is dict)]


def _is_module(module: object) -> bool:
    return isinstance(module, types.ModuleType)
