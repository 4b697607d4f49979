"""A run as text for a pull request, a build's summary page, and a build's annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final

from leakbench.record.result import CellResult, Result
from leakbench.report.rows import Row, rows, worst_row
from leakbench.report.words.code_lines import line_text
from leakbench.report.words.leak_text import leading_line, leak_lines
from leakbench.report.words.leaks import CellLeaks
from leakbench.report.words.phrases import Paragraph, plain_text
from leakbench.report.words.sentences import cell_sentence, expectation, headline, parity_sentence
from leakbench.text import command_line, printable
from leakbench.units import format_duration

SHOWN_ROWS: Final = 12
"""Rows of the summary's table of paths: a comment that has to be scrolled is not read."""

_MARKS: Final = {"flat": "🟦", "leak": "🟥", "undecided": "🟨", "error": "🟪"}


def markdown_summary(
    result: Result,
    leaks: Sequence[CellLeaks] = (),
    undecided: Mapping[str, Paragraph] = MappingProxyType({}),
) -> str:
    """Return the run as GitHub-flavoured Markdown: verdict, cells, the worst paths, how to repeat.

    Leaks that were not expected have a line each, and so has what would decide a cell that is
    undecided, by the cell's id. Text from subjects and scenarios is escaped.
    """
    parts = [
        f"## leakbench: {escape_markdown(headline(result))}",
        "",
        markdown_table(
            ("", "subject", "scenario", "verdict", "worst path", "audio", "segments"),
            [_cell_line(cell) for cell in result.cells],
        ),
    ]
    growing = [row for row in rows(result) if row.result.verdict != "flat" and row.result.gated]
    if growing:
        parts += ["", *_growing_table(growing)]
    for leaking in (found for found in leaks if not found.cell.as_expected):
        where = f"{leaking.cell.subject} on {leaking.cell.scenario}"
        lines = [f"- {escape_markdown(f'{where}: {line}')}" for line in leak_lines(leaking)]
        parts += ["", *lines]
    for cell in (cell for cell in result.cells if cell.id in undecided):
        line = f"{cell.subject} on {cell.scenario}: {plain_text(undecided[cell.id])}"
        parts += ["", f"- {escape_markdown(line)}"]
    differing = [c for c in result.cells if c.parity is not None and not c.parity.identical]
    for cell in differing:
        parts += ["", f"{escape_markdown(f'{cell.subject}: {parity_sentence(cell)}')}."]
    for warning in result.warnings:
        parts += ["", escape_markdown(f"Warning: {warning}")]
    speed = result.audio_seconds / result.wall_seconds if result.wall_seconds else 0.0
    parts += [
        "",
        f"Drove {format_duration(result.audio_seconds)} of audio in "
        f"{format_duration(result.wall_seconds)} ({speed:,.0f} times real time).",
    ]
    if result.command:
        parts += ["", "Again:", "", *_fenced(command_line(result.command))]
    return "\n".join(parts) + "\n"


def workflow_annotations(result: Result, leaks: Sequence[CellLeaks] = ()) -> tuple[str, ...]:
    """Return a GitHub workflow command for each cell that is not as expected.

    ``::error`` for a leak, an error and a control that did not leak, naming path, rate and
    budget; ``::warning`` for what is undecided. A leak whose line is known is shown there, if its
    file is below the current folder. Printed on a line of its own each.
    """
    found = {leaking.cell.id: leaking for leaking in leaks}
    return tuple(_annotation(c, found.get(c.id)) for c in result.cells if not c.as_expected)


def _annotation(cell: CellResult, leaking: CellLeaks | None) -> str:
    line = leading_line(leaking) if leaking else None
    properties = {"title": f"leakbench: {cell.subject} on {cell.scenario}"}
    sentence = cell_sentence(cell)
    if line is not None:
        sentence += f" At {line_text(line)}."
        if file := _file_below_cwd(line.file):
            properties = {"file": file, "line": str(line.line), **properties}
    told = ",".join(f"{name}={_command_property(text)}" for name, text in properties.items())
    kind = "warning" if cell.verdict == "undecided" else "error"
    return f"::{kind} {told}::{_command_data(sentence)}"


def _file_below_cwd(file: str) -> str:
    """Return a file as seen from the current folder; empty where it is not below it."""
    with suppress(ValueError, OSError):
        return Path(file).resolve().relative_to(Path.cwd().resolve()).as_posix()
    return ""


def markdown_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; every field is escaped here."""
    shown = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    shown += ["| " + " | ".join(escape_markdown(field) for field in line) + " |" for line in lines]
    return "\n".join(shown)


def escape_markdown(text: str) -> str:
    """Return `text` so that Markdown and the HTML within it show it as it is, on one line."""
    flat = (
        " ".join(printable(text).split())
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    # `@` would notify whoever is called so.
    flat = flat.replace("@", "&#64;")
    return "".join(f"\\{c}" if c in "\\`*_{}[]|~#!$" else c for c in flat)


def _cell_line(cell: CellResult) -> tuple[str, ...]:
    row = worst_row(cell)
    grown = f"{row.name} {row.slope}" if row and row.weight > 0 else "none grew"
    worst = cell.error or grown
    return (
        _MARKS[cell.verdict],
        cell.subject,
        f"{cell.scenario}, {cell.chunk_ms} ms",
        f"{cell.verdict}, {expectation(cell)}",
        worst,
        format_duration(cell.audio_seconds),
        f"{cell.segments:,}",
    )


def _growing_table(growing: Sequence[Row]) -> list[str]:
    lines = [
        (
            row.verdict,
            f"{row.cell.subject} on {row.cell.scenario}",
            row.name,
            row.slope,
            row.interval,
            row.rate,
            row.budget,
        )
        for row in growing[:SHOWN_ROWS]
    ]
    table = markdown_table(
        ("verdict", "cell", "path", "growth", "interval", "comes with", "budget"), lines
    )
    more = len(growing) - len(lines)
    title = f"<details><summary>What grows: {len(growing)} paths and metrics</summary>"
    return [title, "", table, *(["", f"and {more} more."] if more > 0 else []), "", "</details>"]


def _fenced(code: str) -> list[str]:
    """Return a code block that no text inside can end."""
    longest = max((len(run) for run in _runs_of_backticks(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}console", code, fence]


def _runs_of_backticks(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split() if run]


def _command_data(text: str) -> str:
    """Escape a workflow command's message, as actions/toolkit's ``escapeData`` does."""
    # It also escapes line breaks, of which none is printable.
    return printable(text).replace("%", "%25")


def _command_property(text: str) -> str:
    """Escape a workflow command's property, as actions/toolkit's ``escapeProperty`` does."""
    return _command_data(text).replace(":", "%3A").replace(",", "%2C")
