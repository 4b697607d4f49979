"""At which of the subject's own lines the C heap grows, whoever allocates.

The allocator's own ledger is read before and after each line of the subject's own code. What a
line leaves allocated, less what the lines below it do, is its net; over whole periods that of most
lines is nothing. It needs no memray, and sees what memray cannot, such as a ``malloc`` that is
called by its address. It knows no function of C; and of two functions, one of which allocates what
the other frees, only that together they are even.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final, TypeAlias

from leakbench.explain.census import Driven
from leakbench.explain.native import NATIVE_AT_LEAST
from leakbench.explain.places import LEAKBENCH, OWN, PYTHON, is_audio, is_nobodys, owner_of
from leakbench.explain.rates import rate_of_bytes
from leakbench.explain.source import described
from leakbench.probes.heap import c_ledger
from leakbench.record.explanation import NativeGrowth

READ_SECONDS_AT_MOST: Final = 200e-6
"""Time to read the ledger once, beyond which a chunk would take minutes: glibc goes through all
that is free, and 100,000 free pieces take it 5 ms."""
_READS: Final = 20
_LINES_AT_MOST: Final = 8
_SHARE_AT_LEAST: Final = 0.05
_EVEN: Final = 0.1
"""How far apart what one function leaves and another takes may be, of either, to be the same."""


@dataclass(slots=True)
class Net:
    """What one line has left in all."""

    nbytes: int = 0
    times: int = 0
    """How often it left more than it found."""


Nets: TypeAlias = Mapping[tuple[CodeType, int], Net]
"""By function and line."""


@dataclass(slots=True)
class _Open:
    """A frame whose lines are being run."""

    owner: str
    line: int
    began: int
    """Heap when its line began."""
    within: int = 0
    """What the frames that the line called have left."""
    left: int = 0
    """What all its lines so far have left, with all below them."""


def can_be_read() -> bool:
    """Whether there is a ledger, one that takes no time to read, and nobody else who traces."""
    read = c_ledger()
    if read().allocated_bytes is None or sys.gettrace() is not None:
        return False
    began = time.perf_counter()
    for _ in range(_READS):
        read()
    return (time.perf_counter() - began) / _READS <= READ_SECONDS_AT_MOST


class HeapLines:
    """Adds up what each line leaves on the heap, from `start` to `stop`, in this thread."""

    def __init__(self) -> None:
        self._ledger = c_ledger()
        self._nets: dict[tuple[CodeType, int], Net] = {}
        self._open: list[_Open] = []

    def start(self) -> None:
        """Begin to add up, at nothing, with room for each line that was met before."""
        self._nets = {key: Net() for key in self._nets}
        sys.settrace(self._enter)

    def stop(self) -> Nets:
        """Add up no more and return what was."""
        sys.settrace(None)
        self._open.clear()
        return dict(self._nets)

    def _enter(self, frame: FrameType, event: str, argument: object) -> Any:
        owner = self._owner(frame.f_code.co_filename)
        if not owner:
            return None
        self._open.append(_Open(owner, frame.f_lineno, self._heap()))
        return self._step

    def _owner(self, file: str) -> str:
        """Return whose a file is, if its lines are to be looked at: as `place_of` would choose."""
        # What reads the audio gives it away, and the driver frees it.
        owner = "" if is_nobodys(file) or is_audio(file) else owner_of(file)
        if owner in (OWN, LEAKBENCH, ""):
            return owner
        above = {frame.owner for frame in self._open} - {LEAKBENCH}
        return owner if owner != PYTHON and above <= {owner} else ""

    def _step(self, frame: FrameType, event: str, argument: object) -> Any:
        if event in ("line", "return"):
            top, now = self._open[-1], self._heap()
            gained = now - top.began
            net = self._nets.setdefault((frame.f_code, top.line), Net())
            net.nbytes += gained - top.within
            net.times += gained > top.within
            top.left += gained
            top.line, top.began, top.within = frame.f_lineno, now, 0
            if event == "return":
                self._open.pop()
                if self._open:
                    self._open[-1].within += top.left
        return self._step

    def _heap(self) -> int:
        return self._ledger().allocated_bytes or 0


def find_heap_lines(
    first: Nets,
    second: Nets,
    *,
    driven: tuple[Driven, Driven],
    hours: tuple[float, float],
    at_most: float,
) -> tuple[NativeGrowth, ...]:
    """Return the lines that leave ever more on the heap, most bytes first. Pure.

    Parameters
    ----------
    first, second
        What lines left in two stretches.
    driven, hours
        In each stretch, in audio-hours; the second is about twice as long.
    at_most
        Bytes an audio-hour that may be at one line: what leaves more has it freed elsewhere.
    """
    more, longer = driven[1] - driven[0], hours[1] - hours[0]
    by_function: dict[CodeType, dict[int, Net]] = {}
    for (function, line), net in second.items():
        before = first.get((function, line), Net())
        new = Net(net.nbytes - before.nbytes, net.times - before.times)
        by_function.setdefault(function, {})[line] = new
    left = {f: sum(net.nbytes for net in lines.values()) for f, lines in by_function.items()}
    growing = [f for f in left if 0 < left[f] <= at_most * longer and not _is_freed(left[f], left)]
    growing.sort(key=lambda function: -left[function])
    total = sum(left[function] for function in growing)
    found = []
    for function in growing[:_LINES_AT_MOST]:
        nbytes, lines = left[function], by_function[function]
        if nbytes < _SHARE_AT_LEAST * total or nbytes / longer < NATIVE_AT_LEAST:
            continue
        # Of lines that allocate what others free, none has left what the function has.
        line = min(lines, key=lambda line: abs(lines[line].nbytes - nbytes))
        unit, rate = rate_of_bytes(nbytes, max(lines[line].times, 1), more, longer)
        found.append(
            NativeGrowth(
                bytes_per_hour=nbytes / longer,
                amount=rate,
                per=unit,
                frames=(),
                line=described(((function.co_filename, line),)),
            )
        )
    return tuple(found)


def _is_freed(nbytes: int, left: Mapping[CodeType, int]) -> bool:
    """Whether another function takes as much as one leaves."""
    return any(abs(other + nbytes) <= _EVEN * nbytes for other in left.values())
