"""A line of code in its source: the function it is in, and its text."""

from __future__ import annotations

import functools
import inspect
import linecache
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from leakbench.explain.places import OWN, Line, Place, is_audio, owner_of
from leakbench.record.explanation import AllocationLine, CodeLine

LINES_AT_MOST: Final = 8
SHARE_AT_LEAST: Final = 0.001
"""Lines below a thousandth of the bytes explain nothing."""
OWN_AT_LEAST: Final = 0.05
"""Share from which on a line of the subject's own comes first: it is the one to mend."""
# Not resolved: frames name files as a worker finds them, through a link.
_FED: Final = str(Path(__file__).parents[1] / "scenario" / "audio" / "stimulus.py")
_FED_NOTE: Final = "the audio that was fed, kept by the subject"


def describe_lines(
    bytes_by_place: Mapping[Place, float], hours: float, *, of: float = 0.0
) -> tuple[AllocationLine, ...]:
    """Return the lines with most of the bytes, with function, source and share.

    Places that begin with the same line are one, told with what most of it went through.

    Parameters
    ----------
    bytes_by_place
        Bytes, or anything else that can be added up, that stayed over `hours` audio-hours.
    of
        What shares are of, where that is more than all of these together.
    """
    by_line: dict[Line, dict[Place, float]] = {}
    for place, nbytes in bytes_by_place.items():
        by_line.setdefault(place[0], {})[place] = nbytes
    total = max(of, sum(bytes_by_place.values()))
    sums = {line: sum(places.values()) for line, places in by_line.items()}
    most = sorted(sums, key=lambda line: (_rank(line, sums[line] / (total or 1.0)), -sums[line]))
    most = most[:LINES_AT_MOST]
    return tuple(
        _described(max(by_line[line], key=by_line[line].__getitem__), sums[line], total, hours)
        for line in most
        if sums[line] > 0 and sums[line] / total >= SHARE_AT_LEAST
    )


def _rank(line: Line, share: float) -> int:
    """Return 0 for a line of the subject's own, 1 for one of a library, 2 for the audio fed."""
    if is_audio(line[0]):
        return 2
    return 0 if share >= OWN_AT_LEAST and owner_of(line[0]) == OWN else 1


def described(place: Place) -> AllocationLine:
    """Return a place by itself, with nothing said of how much it made."""
    return _described(place, 0.0, 1.0, 1.0)


def _described(place: Place, nbytes: float, total: float, hours: float) -> AllocationLine:
    (file, line), *through = place
    return AllocationLine(
        file=file,
        line=line,
        function=function_at(file, line),
        source=linecache.getline(file, line).strip(),
        share=nbytes / total,
        bytes_per_hour=nbytes / hours,
        note=_FED_NOTE if file == _FED else "",
        through=tuple(
            CodeLine(file=file, line=line, function=function_at(file, line))
            for file, line in through
        ),
    )


def function_at(file: str, line: int) -> str:
    """Return the qualified name of the innermost function that a line is in, or nothing."""
    within = [span for span in _functions(file) if span[0] <= line <= span[1]]
    return max(within)[2] if within else ""


@functools.cache
def _functions(file: str) -> tuple[tuple[int, int, str], ...]:
    try:
        source = Path(file).read_text(encoding="utf-8")
        return tuple(_spans(compile(source, file, "exec", dont_inherit=True)))
    except (OSError, SyntaxError, ValueError):
        return ()


def _spans(code: types.CodeType) -> Iterator[tuple[int, int, str]]:
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            is_function = inner.co_flags & inspect.CO_OPTIMIZED  # and not a class's body
            if is_function and not inner.co_name.startswith("<"):
                lines = [line for _, _, line in inner.co_lines() if line is not None]
                name = inner.co_qualname.replace(".<locals>", "")
                yield inner.co_firstlineno, max(lines), name
            yield from _spans(inner)
