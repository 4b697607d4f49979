"""A line of code in its source: the function it is in, and its text."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from leakbench.explain.explanation import AllocationLine

LINES_AT_MOST: Final = 8
SHARE_AT_LEAST: Final = 0.001
"""Lines below a thousandth of the bytes explain nothing."""
# Not resolved: frames name files as a worker finds them, through a link.
_FED: Final = str(Path(__file__).parents[1] / "audio" / "stimulus.py")
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
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ()
    return tuple(_spans(tree, ""))


def _spans(node: ast.AST, prefix: str) -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{prefix}.{child.name}" if prefix else child.name
            if not isinstance(child, ast.ClassDef):
                yield child.lineno, child.end_lineno or child.lineno, name
        yield from _spans(child, name)
