"""Which lines of Python allocate: tracemalloc, as a mode of its own.

Tracing makes every allocation slower (4 times with 1 frame, 30 times with 10) and larger. A
run that traces supplies no figures of the process.
"""

from __future__ import annotations

import linecache
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leakbench.errors import RunError

# Not resolved: a worker imports leakbench through a link, and its frames carry that name.
_PACKAGE: Final = Path(__file__).parents[1]
# What the harness allocates while it measures is not the subject's. The rest of leakbench
# is not excluded: subjects, controls and fixes are part of it.
_HARNESS: Final = tuple(
    tracemalloc.Filter(inclusive=False, filename_pattern=pattern)
    for pattern in (
        str(_PACKAGE / "probes" / "*"),
        str(_PACKAGE / "worker" / "*"),
        str(_PACKAGE / "record" / "*"),
        tracemalloc.__file__,
        linecache.__file__,
        "<unknown>",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What one line of code has allocated between two snapshots and not freed."""

    file: str
    line: int
    source: str
    """The line itself, stripped; empty where its file cannot be read."""
    bytes: int
    """Bytes still held at the second snapshot, less those at the first."""
    count: int
    """Allocations still held, likewise."""


class Tracing:
    """Traces every allocation from when it is made until it is stopped.

    Parameters
    ----------
    frames
        Frames kept of each allocation's stack, at least 1.

    Raises
    ------
    RunError
        When something else in this process is tracing already: its settings would stand.
    """

    def __init__(self, frames: int = 1) -> None:
        if tracemalloc.is_tracing():
            raise RunError(
                "tracemalloc is already tracing in this process; "
                "unset PYTHONTRACEMALLOC, or stop it before"
            )
        tracemalloc.start(frames)

    def stop(self) -> None:
        """Stop tracing and forget what was traced."""
        tracemalloc.stop()

    def traced_bytes(self) -> int:
        """Return the bytes allocated since tracing began and not freed."""
        return tracemalloc.get_traced_memory()[0]

    def snapshot(self) -> tracemalloc.Snapshot:
        """Return every allocation that is still held, without the harness's own."""
        return tracemalloc.take_snapshot().filter_traces(_HARNESS)


def top_growth(
    before: tracemalloc.Snapshot, after: tracemalloc.Snapshot, *, limit: int = 10
) -> tuple[Allocation, ...]:
    """Return the lines that hold more in `after` than in `before`, most bytes first."""
    differences = after.compare_to(before, "lineno")
    grown = sorted(
        (difference for difference in differences if difference.size_diff > 0),
        key=lambda difference: -difference.size_diff,
    )
    allocations = []
    for difference in grown[:limit]:
        frame = difference.traceback[0]
        allocations.append(
            Allocation(
                file=frame.filename,
                line=frame.lineno,
                source=linecache.getline(frame.filename, frame.lineno).strip(),
                bytes=difference.size_diff,
                count=difference.count_diff,
            )
        )
    return tuple(allocations)
