"""Where C code allocates what is never freed, as memray's tracker sees it.

memray notes every allocation of C and of Python's allocators with the stack it was made under, C
frames and Python frames alike. It is asked about two stretches, the second twice as long as the
first: what leaks is left twice as often by the longer one.

memray is optional (``leakbench[native]``), and it must be importable where the subject runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias

from leakbench.explain.census import Driven
from leakbench.explain.native import ALLOCATOR_OVERHEAD
from leakbench.explain.places import Line, Place, place_of
from leakbench.explain.rates import rate_of_bytes
from leakbench.explain.source import described
from leakbench.record.explanation import CodeLine, NativeGrowth

_FRAMES_AT_MOST: Final = 128
_GREW_AT_LEAST: Final = 1.5
"""Allocations left by the second stretch over those left by the first, at least: halfway between
what stays the same and what doubles."""
_SHARE_AT_LEAST: Final = 0.01
"""Of all native growth, from which on a stack is told of."""
_STACKS_AT_MOST: Final = 8
_FILE: Final = "native.bin"
_UNKNOWN: Final = "<unknown>"
_INTERPRETER: Final = re.compile(
    r"_?Py[A-Z_]|cfunction_|method_vectorcall|slot_tp_|_?ctypes_|ffi_call"
)
"""Functions by which the interpreter calls C: who called them is the line of Python."""
_ALLOCATORS: Final = ("operator new(unsigned long)", "operator new[](unsigned long)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What one stack allocated in a stretch and did not free."""

    allocations: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of C and Python, innermost frame first."""

    native: tuple[CodeLine, ...]
    """Frames of C inside the innermost frame of Python."""
    python: tuple[Line, ...]


Stretch: TypeAlias = Mapping[Stack, Left]


def find_memray() -> ModuleType | None:
    """Return memray, None where it cannot be imported by this interpreter."""
    if importlib.util.find_spec("memray") is None:
        return None
    try:
        return importlib.import_module("memray")
    except ImportError:
        return None


class NativeTracking:
    """Tracks allocations from `start` to `stop`, in a file that is gone afterwards."""

    def __init__(self, memray: ModuleType, folder: Path) -> None:
        self._memray: Any = memray
        self._file = folder / _FILE
        self._tracker: Any = None

    def start(self) -> None:
        """Begin to track."""
        self._file.unlink(missing_ok=True)
        self._tracker = self._memray.Tracker(
            self._file,
            native_traces=True,
            trace_python_allocators=True,
            file_format=self._memray.FileFormat.AGGREGATED_ALLOCATIONS,
        )
        self._tracker.__enter__()

    def stop(self) -> Stretch:
        """End tracking and return what is left, by the stack that allocated it."""
        self._tracker.__exit__(None, None, None)
        self._tracker = None
        found: dict[Stack, Left] = {}
        with self._memray.FileReader(self._file) as reader:
            for record in reader.get_leaked_allocation_records(merge_threads=True):
                stack = _stack(record)
                other = found.get(stack, Left(allocations=0, nbytes=0))
                found[stack] = Left(
                    allocations=other.allocations + record.n_allocations,
                    nbytes=other.nbytes + record.size,
                )
        self._file.unlink()
        return found


def find_native(
    first: Stretch,
    second: Stretch,
    *,
    driven: tuple[Driven, Driven],
    hours: tuple[float, float],
    told: Mapping[Line, float],
) -> tuple[NativeGrowth, ...]:
    """Return the stacks whose memory grows with what is driven, most bytes first. Pure.

    Parameters
    ----------
    first, second
        What each stretch left.
    driven, hours
        In each stretch, in audio-hours.
    told
        Bytes an audio-hour that growth of objects was put down to, by line: where they explain all
        that is allocated there, it is no news.
    """
    more, longer = driven[1] - driven[0], hours[1] - hours[0]
    grown: dict[tuple[Place, str], list[tuple[Left, tuple[CodeLine, ...]]]] = {}
    by_line: Counter[Line] = Counter()
    for stack, left in second.items():
        before = first.get(stack, Left(allocations=0, nbytes=0))
        place = place_of(stack.python)
        # Without a place, the harness alone has called it; without Python, a thread of C has.
        is_ours = bool(stack.python) and not place
        if is_ours or not 0 < before.allocations * _GREW_AT_LEAST <= left.allocations:
            continue
        new = Left(
            allocations=left.allocations - before.allocations, nbytes=left.nbytes - before.nbytes
        )
        by_line.update(dict.fromkeys(place[:1], new.nbytes / longer))
        # The function that Python called: what it calls in turn may allocate in several places.
        key = place, stack.native[-1].function if stack.native else ""
        grown.setdefault(key, []).append((new, stack.native))
    growths = []
    for (place, _), stacks in grown.items():
        if place and by_line[place[0]] <= ALLOCATOR_OVERHEAD * told.get(place[0], 0.0):
            continue
        nbytes = sum(new.nbytes for new, _ in stacks)
        largest, frames = max(stacks, key=lambda stack: stack[0].nbytes)
        unit, rate = rate_of_bytes(nbytes, largest.allocations, more, longer)
        growths.append(
            NativeGrowth(
                bytes_per_hour=nbytes / longer,
                amount=rate,
                per=unit,
                frames=frames,
                line=described(place) if place else None,
            )
        )
    return _worth_telling(growths)


def _worth_telling(growths: Iterable[NativeGrowth]) -> tuple[NativeGrowth, ...]:
    ranked = sorted(growths, key=lambda growth: -growth.bytes_per_hour)
    at_least = _SHARE_AT_LEAST * sum(growth.bytes_per_hour for growth in ranked)
    return tuple(g for g in ranked[:_STACKS_AT_MOST] if g.bytes_per_hour > at_least)


def _stack(record: Any) -> Stack:
    python = [(file, line) for _, file, line in record.stack_trace(_FRAMES_AT_MOST)]
    within = set(python)
    native = itertools.takewhile(
        lambda frame: (frame[1], frame[2]) not in within,
        record.hybrid_stack_trace(_FRAMES_AT_MOST),
    )
    frames = [
        CodeLine(function=function, file="" if file == _UNKNOWN else file, line=line)
        for function, file, line in native
        if function not in _ALLOCATORS
    ]
    # The innermost is told in any case: it may be the interpreter that allocates.
    called = itertools.takewhile(lambda f: not _INTERPRETER.match(f.function), frames[1:])
    return Stack(native=(*frames[:1], *called), python=tuple(python))
