"""A comparison as text, Markdown and JSON."""

from __future__ import annotations

from typing import Any, Final

from leakbench.metrics import metric_of
from leakbench.record.result import MetricResult, Parity
from leakbench.report.comparison.comparison import CellComparison, Comparison, PathComparison
from leakbench.report.rows import (
    NOTHING,
    format_interval,
    format_slope,
    name_metric,
)
from leakbench.report.summary import escape_markdown, markdown_table

SCHEMA: Final = "leakbench.comparison/1"
SHOWN_PATHS: Final = 8
"""Paths of a cell in text and Markdown; HTML and JSON have all."""

HEAD: Final = ("change", "path", "before", "interval", "after", "interval", "ratio")


def comparison_sentence(comparison: Comparison) -> str:
    """Return what the comparison says in one sentence, with the number behind it."""
    names = f"{comparison.after_name} against {comparison.before_name}"
    for cell in comparison.cells:
        worse = [path for path in cell.paths if path.change == "newly growing"]
        if worse:
            return (
                f"REGRESSED: {names}: {cell_name(cell)} now leaks in {_path_name(worse[0])}, "
                f"{_slope(worse[0].after)} where it was {_slope(worse[0].before)}."
            )
        if cell.regressed:
            return f"REGRESSED: {names}: {cell_name(cell)} leaks; it was not run before."
    gone = [
        (cell, path)
        for cell in comparison.cells
        for path in cell.paths
        if path.change == "no longer growing"
    ]
    if gone:
        cell, path = gone[0]
        return (
            f"Better: {names}: {len(gone)} paths no longer grow, first of all "
            f"{_path_name(path)} on {cell.cell.scenario}: {_slope(path.before)} before, "
            f"{_slope(path.after)} after."
        )
    return f"No regression: {names}: nothing leaks that did not leak before."


def cell_name(cell: CellComparison) -> str:
    """Return which cells are compared: ``original → fixed on silence, 600 ms``."""
    subjects = dict.fromkeys(c.subject for c in (cell.before, cell.after) if c is not None)
    where = f"{cell.cell.scenario}, {cell.cell.chunk_ms} ms"
    only = " (only before)" if cell.after is None else " (only after)" if not cell.before else ""
    return f"{' → '.join(subjects)} on {where}{only}"


def path_line(path: PathComparison) -> tuple[str, ...]:
    """Return a path's fields, as :data:`HEAD` names them."""
    before, after = path.before, path.after
    return (
        path.change,
        _path_name(path),
        _slope(before),
        format_interval(before) if before else NOTHING,
        _slope(after),
        format_interval(after) if after else NOTHING,
        NOTHING if path.ratio is None else f"{path.ratio:.3g}",
    )


def parity_words(parity: Parity | None) -> str:
    """Return whether segments are equal, in a few words."""
    if parity is None:
        return "segments not compared"
    if parity.identical:
        return f"segments equal over {parity.chunks:,} chunks"
    first = parity.first_difference or {}
    return f"segments differ from chunk {first.get('chunk', '?')} on"


def verdict_words(cell: CellComparison) -> str:
    """Return ``leak → flat``."""
    return " → ".join(c.verdict if c else "not run" for c in (cell.before, cell.after))


def telling_paths(cell: CellComparison) -> tuple[PathComparison, ...]:
    """Return the paths worth a line: all but those that do not grow, before or after."""
    return tuple(path for path in cell.paths if path.change != "not growing")


def comparison_text(comparison: Comparison) -> str:
    """Return the comparison as plain text in aligned columns."""
    blocks = [comparison_sentence(comparison)]
    for cell in comparison.cells:
        shown = telling_paths(cell)
        lines = [HEAD, *(path_line(path) for path in shown[:SHOWN_PATHS])] if shown else []
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  " + "  ".join(f.ljust(w) for f, w in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        more = [f"  and {len(shown) - SHOWN_PATHS} more"] if len(shown) > SHOWN_PATHS else []
        title = f"{cell_name(cell)}: {verdict_words(cell)}; {parity_words(cell.parity)}"
        blocks.append("\n".join([title, *table, *more]))
    return "\n\n".join(blocks) + "\n"


def comparison_markdown(comparison: Comparison) -> str:
    """Return the comparison for a pull request comment; every text is escaped."""
    parts = [f"## leakbench: {escape_markdown(comparison_sentence(comparison))}", ""]
    parts.append(
        markdown_table(
            ("cell", "verdict", "segments"),
            [(cell_name(c), verdict_words(c), parity_words(c.parity)) for c in comparison.cells],
        )
    )
    for cell in comparison.cells:
        shown = telling_paths(cell)
        if shown:
            lines = [path_line(path) for path in shown[:SHOWN_PATHS]]
            more = len(shown) - len(lines)
            parts += [
                "",
                f"**{escape_markdown(cell_name(cell))}**",
                "",
                markdown_table(HEAD, lines),
            ]
            parts += ["", f"and {more} more."] if more > 0 else []
    return "\n".join(parts) + "\n"


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as JSON values, every path included."""
    return {
        "schema": SCHEMA,
        "before": comparison.before_name,
        "after": comparison.after_name,
        "regressed": comparison.regressed,
        "cells": [_cell_data(cell) for cell in comparison.cells],
    }


def _cell_data(cell: CellComparison) -> dict[str, Any]:
    return {
        "before": cell.before.id if cell.before else None,
        "after": cell.after.id if cell.after else None,
        "scenario": cell.cell.scenario,
        "chunk_ms": cell.cell.chunk_ms,
        "verdict_before": cell.before.verdict if cell.before else None,
        "verdict_after": cell.after.verdict if cell.after else None,
        "segments_equal": cell.parity.identical if cell.parity else None,
        "regressed": cell.regressed,
        "paths": [
            {
                "path": path.path,
                "metric": path.metric,
                "change": path.change,
                "before": _slope_data(path.before),
                "after": _slope_data(path.after),
                "ratio": path.ratio,
            }
            for path in cell.paths
        ],
    }


def _slope_data(result: MetricResult | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {
        "verdict": result.verdict,
        "slope_per_audio_hour": result.slope_per_audio_hour,
        "low": result.low,
        "high": result.high,
    }


def _path_name(path: PathComparison) -> str:
    result = path.after or path.before
    return name_metric(result) if result else f"{path.path} {metric_of(path.metric).label}"


def _slope(result: MetricResult | None) -> str:
    return format_slope(result) if result else "not held"
