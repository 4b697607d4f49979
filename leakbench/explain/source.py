"""A line of code in its source: the function it is in, and its text."""

from __future__ import annotations

import functools
import inspect
import linecache
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from leakbench.record.explanation import AllocationLine

LINES_AT_MOST: Final = 8
SHARE_AT_LEAST: Final = 0.001
"""Lines below a thousandth of the bytes explain nothing."""
# Not resolved: frames name files as a worker finds them, through a link.
_FED: Final = str(Path(__file__).parents[1] / "scenario" / "audio" / "stimulus.py")
_FED_NOTE: Final = "the audio that was fed, kept by the subject"


def describe_lines(
    bytes_by_line: Mapping[tuple[str, int], float], hours: float
) -> tuple[AllocationLine, ...]:
    """Return the lines with most of the bytes, with function, source and share.

    Parameters
    ----------
    bytes_by_line
        Bytes that stayed over `hours` audio-hours, by file and line.
    """
    total = sum(bytes_by_line.values())
    most = sorted(bytes_by_line.items(), key=lambda item: -item[1])[:LINES_AT_MOST]
    return tuple(
        AllocationLine(
            file=file,
            line=line,
            function=function_at(file, line),
            source=linecache.getline(file, line).strip(),
            share=nbytes / total,
            bytes_per_hour=nbytes / hours,
            note=_FED_NOTE if file == _FED else "",
        )
        for (file, line), nbytes in most
        if nbytes > 0 and nbytes / total >= SHARE_AT_LEAST
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
