"""Whose line called a library's line that allocates.

Tracing is cheap only while a block's own line is all that is kept: with the whole stack a chunk
takes forty times as long. So the stacks of a few periods are traced apart, once it is known which
lines they are wanted for.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from leakbench.explain.places import Line, Place, is_final, place_of
from leakbench.explain.source import describe_lines
from leakbench.probes.traced import Tracing
from leakbench.record.explanation import AllocationLine

STACK_FRAMES: Final = 64
"""Frames kept of a stack: a model's call goes through a dozen of its library's, rarely through more
than three dozen."""
SHARE_AT_LEAST: Final = 0.01
"""Of what is put down to a line, for its callers to be looked for."""

Callers: TypeAlias = Mapping[Line, Mapping[Place, int]]
"""Bytes still held of what a line allocated, by the place that it was called from."""


class CallerTracing:
    """Traces whole stacks, from when it is made until it is stopped."""

    def __init__(self, wanted: Iterable[Line]) -> None:
        self._wanted = frozenset(wanted)
        # An object made of one that was freed before is not seen to be made: a full collection
        # empties the interpreter's lists of such.
        gc.collect()
        self._tracing = Tracing(STACK_FRAMES)

    def callers(self) -> Callers:
        """Return who called the wanted lines, as far as what they allocated is still there."""
        found: dict[Line, Counter[Place]] = {}
        for trace in self._tracing.snapshot().traces:
            innermost = trace.traceback[-1]
            line = innermost.filename, innermost.lineno
            if line in self._wanted:
                stack = ((frame.filename, frame.lineno) for frame in reversed(trace.traceback))
                found.setdefault(line, Counter())[place_of(stack)] += trace.size
        return found

    def stop(self) -> None:
        """Stop tracing and forget what was traced."""
        self._tracing.stop()


def lines_without_caller(allocations: Iterable[AllocationLine]) -> set[Line]:
    """Return the lines of libraries of which it is not known who called them."""
    return {
        (line.file, line.line)
        for line in allocations
        if line.share >= SHARE_AT_LEAST and not line.through and not is_final(line.file)
    }


def name_callers(
    allocations: Iterable[AllocationLine], callers: Callers
) -> tuple[AllocationLine, ...]:
    """Return the same allocations by the lines that called a library's; those not known stay."""
    by_place: dict[Place, float] = {}
    for line in allocations:
        own: Place = (line.file, line.line), *((code.file, code.line) for code in line.through)
        found = {own: 1} if line.through else callers.get(own[0], {own: 1})
        total = sum(found.values())
        for place, nbytes in found.items():
            by_place[place] = by_place.get(place, 0.0) + line.bytes_per_hour * nbytes / total
    return describe_lines(by_place, 1.0)
