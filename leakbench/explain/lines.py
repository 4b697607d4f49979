"""Which lines of Python made what is still alive: all lines, and those of one growth."""

from __future__ import annotations

import array
import ctypes
import io
import itertools
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType, TracebackType
from typing import Any, Final

from leakbench.explain.census import Grown, buffer_extent
from leakbench.explain.heapwalk import length_of, referents
from leakbench.explain.places import Place, is_nobodys
from leakbench.explain.tensor_origins import TensorOrigins
from leakbench.probes.kinds import Kind, TypePlans

SAMPLED_ITEMS: Final = 256
"""Items of a grown container whose makers are looked up, spread over those that are new."""
_OBJECTS_AN_ITEM: Final = 64
"""Objects at and below one item that are looked at: a record has tens, a shared world thousands."""
_BUFFER_TOLERANCE: Final = 0.02
_PIECES_TOLERANCE: Final = 0.2
"""Of what a StringIO was written: each piece has some fifty bytes of its own."""
_ROUNDING: Final = 16
"""Bytes that an allocation may be larger than what was asked for."""
_MATCHED_AT_LEAST: Final = 512
"""Bytes of growth that one line is told by: some line grows by a hundred for reasons of its own."""
_plans: Final = TypePlans()

_MANAGED_DICT: Final = 1 << 4  # Py_TPFLAGS_MANAGED_DICT
_BEFORE_INSTANCE: Final = 4 * ctypes.sizeof(ctypes.c_void_p)


def _c_api() -> Any:
    if sys.version_info[:2] != (3, 11):
        return None
    function = ctypes.pythonapi["_PyTraceMalloc_GetTraceback"]
    function.restype = ctypes.py_object
    function.argtypes = (ctypes.c_uint, ctypes.c_size_t)
    return function


_ask_tracemalloc: Final = _c_api()


def traced_by_line() -> dict[Place, int]:
    """Return the bytes still held of what each line allocated."""
    found: dict[Place, int] = {}
    for statistic in tracemalloc.take_snapshot().statistics("lineno"):
        frame = statistic.traceback[0]
        if not is_nobodys(frame.filename):
            found[((frame.filename, frame.lineno),)] = statistic.size
    return found


def growth_by_line(before: Mapping[Place, int], after: Mapping[Place, int]) -> dict[Place, int]:
    """Return the bytes by which each line's allocations grew, where they did."""
    grown = {line: nbytes - before.get(line, 0) for line, nbytes in after.items()}
    return {line: nbytes for line, nbytes in grown.items() if nbytes > 0}


def lines_of_container(
    grown: Grown, traced: Mapping[Place, int], origins: TensorOrigins
) -> dict[Place, float]:
    """Return the bytes that `grown`, a container, and its items grew by, for each line.

    tracemalloc knows which line made each item. It does not know that of the container's own
    memory: its line is taken to be the one that grew by just as much.
    """
    items = new_items(grown)
    made: Counter[Place] = Counter()
    for item in items:
        # Of a dict's item both are looked at, whatever they are; what they hold may be a world.
        made.update(makers(item if isinstance(grown.holder, dict) else (item,), origins))
    scale = grown.amount / len(items) if items else 0.0
    lines = {line: nbytes * scale for line, nbytes in made.items()}
    if _own_bytes(grown) >= _MATCHED_AT_LEAST:
        line = _line_of_own_memory(grown, lines, traced)
        if line is not None:
            lines[line] = lines.get(line, 0.0) + _own_bytes(grown)
    return lines


def _own_bytes(grown: Grown) -> int:
    # A StringIO keeps what is written to it in pieces, which its size does not show.
    return grown.amount if isinstance(grown.holder, io.StringIO) else grown.own_bytes


def _line_of_own_memory(
    grown: Grown, made: Mapping[Place, float], traced: Mapping[Place, int]
) -> Place | None:
    """Return the line whose growth is that of a container's own memory, None if there is none.

    Memory that was there before tracing began and was moved since is new to tracemalloc as a
    whole. So a line matches that grew by as much as the memory did, or by all of it. Lines that
    make items are tried first, and need only match roughly, because what items weigh is an
    estimate. Any other line must match exactly: it may grow by about as much by chance.
    """
    cls = type(grown.holder)
    sizes = (_own_bytes(grown), sys.getsizeof(grown.holder) - cls.__basicsize__)
    makes_items = [line for line in traced if line in made]
    exactly = _PIECES_TOLERANCE if isinstance(grown.holder, io.StringIO) else 0.0
    for candidates, tolerance in ((makes_items, _BUFFER_TOLERANCE), (list(traced), exactly)):
        off = {
            line: min(
                abs(traced[line] - made.get(line, 0.0) - size) - tolerance * size for size in sizes
            )
            for line in candidates
        }
        nearest = min(off, key=off.__getitem__, default=None)
        if nearest is not None and off[nearest] <= _ROUNDING:
            return nearest
    return None


_ATOMS: Final = (bytearray, str, bytes, array.array, io.BytesIO, io.StringIO)
"""What grows without items that are objects."""


def new_items(grown: Grown) -> list[Any]:
    """Return some of the items that a container got, of a dict keys and values."""
    container, count = grown.holder, grown.amount
    step = max(1, count // SAMPLED_ITEMS)
    if isinstance(container, dict):
        pairs = list(itertools.islice(reversed(dict.items(container)), 0, count, step))
        return [(key, value) for key, value in pairs]
    if isinstance(container, _ATOMS) or length_of(type(container)) is None:
        return []
    if isinstance(container, set):
        # In no order: those that were made while tracing are as good as the newest.
        traced = (x for x in set.__iter__(container) if tracemalloc.get_object_traceback(x))
        return list(itertools.islice(traced, SAMPLED_ITEMS))
    try:
        return list(itertools.islice(reversed(container), 0, count, step))
    except TypeError:
        return []


def makers(items: Iterable[Any], origins: TensorOrigins) -> dict[Place, int]:
    """Return the bytes of `items` and of what they hold by the line that made them."""
    made: Counter[Place] = Counter()
    waiting = list(items)
    seen = set(map(id, waiting))
    while waiting and len(seen) < _OBJECTS_AN_ITEM:
        obj = waiting.pop()
        if (line := line_of_object(obj)) is not None:
            made[line] += sys.getsizeof(obj)
        if _plans.of(type(obj)).kind is Kind.TENSOR:
            start, nbytes, _ = buffer_extent(obj)
            if (origin := origins.line_of(start) or line) is not None:
                made[origin] += nbytes
            continue
        for held in _held_by(obj):
            plan = _plans.of(type(held))
            is_state = not plan.is_excluded or isinstance(held, TracebackType)
            if id(held) not in seen and is_state and not callable(held):
                seen.add(id(held))
                waiting.append(held)
    return made


def _held_by(obj: Any) -> Iterable[Any]:
    """Return what `obj` holds; of a traceback, the variables of its function and its callers."""
    if not isinstance(obj, TracebackType):
        return referents(obj)
    running = set(map(id, _callers(sys._getframe())))
    frames = itertools.takewhile(lambda frame: id(frame) not in running, _callers(obj.tb_frame))
    return [obj.tb_next, *(value for frame in frames for value in frame.f_locals.values())]


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and those that called it, innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def line_of_object(obj: Any) -> Place | None:
    """Return the line that made an object, where it was made since tracing began."""
    traceback = tracemalloc.get_object_traceback(obj)
    if traceback is not None:
        line = traceback[0].filename, traceback[0].lineno
    elif _ask_tracemalloc is not None and type(obj).__flags__ & _MANAGED_DICT:
        # CPython 3.11 forgets that an instance begins two pointers before its header for
        # the collector; 3.12 does not.
        frames = _ask_tracemalloc(0, id(obj) - _BEFORE_INSTANCE)
        if not frames:
            return None
        line = frames[0]
    else:
        return None
    return None if is_nobodys(line[0]) else (line,)


def line_of_buffer(item: Any, origins: TensorOrigins) -> Place | None:
    """Return the line that made a buffer: a tensor's storage, or the object itself."""
    if _plans.of(type(item)).kind is Kind.TENSOR:
        return origins.line_of(buffer_extent(item)[0]) or line_of_object(item)
    return line_of_object(item)


def lines_of_objects(objects: Iterable[Any], origins: TensorOrigins) -> dict[Place, float]:
    """Return the bytes of each object by the line that made it."""
    made: Counter[Place] = Counter()
    for obj in objects:
        if (line := line_of_object(obj)) is not None:
            made[line] += sys.getsizeof(obj)
    return {line: float(nbytes) for line, nbytes in made.items()}
