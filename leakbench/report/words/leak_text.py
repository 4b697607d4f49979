"""A leak in words: what grows, how fast, held by, allocated at, since when, bounded by what."""

from __future__ import annotations

from typing import Final

from leakbench.bisect.since import Since
from leakbench.record.explanation import AllocationLine, Explanation, Growth
from leakbench.report.words.advice import NO_GRAD
from leakbench.report.words.code_lines import line_phrases, line_text
from leakbench.report.words.leaks import CellLeaks, Leak
from leakbench.report.words.phrases import Paragraph, Phrase, code, command, listed, words
from leakbench.report.words.process_text import (
    busy_lines,
    busy_paragraphs,
    native_lines,
    native_paragraphs,
    opened_line,
    opened_paragraph,
    process_lines,
    process_paragraph,
)
from leakbench.units import format_bytes

LEAKS_AT_MOST: Final = 8
LINES_AT_MOST: Final = 3
"""Lines of code told of each leak."""


def leak_paragraphs(found: CellLeaks) -> list[Paragraph]:
    """Return a paragraph for each leak of a cell, and what is not known with what would say it."""
    explanation = found.explanation
    if explanation is None:
        return [
            (
                words("Who holds what grows, and who allocates it, was not looked for; "),
                command(found.explain_command),
                words(" says it."),
            )
        ]
    if explanation.error:
        return [(words(f"Not explained: {explanation.error}"),)]
    cell = found.cell
    inside, outside, further = _told(found)
    paragraphs = [
        *process_paragraph(cell, explanation),
        *map(_leak, inside),
        *map(opened_paragraph, explanation.opened),
        *map(_leak, outside),
        *native_paragraphs(explanation),
        *busy_paragraphs(explanation),
    ]
    if further > 0:
        paragraphs.append((words(f"{further} more grow by less; explanation.json has them all."),))
    if not paragraphs:
        looked = f"Nothing was found to grow in the {explanation.chunks:,} chunks looked at."
        return [(words(looked),)]
    return [*paragraphs, *_unknown(found), *_seen_with(explanation)]


def leak_lines(found: CellLeaks) -> list[str]:
    """Return one short line for each leak of a cell."""
    explanation = found.explanation
    if explanation is None:
        return [f"not explained; {found.explain_command} says who holds and who allocates it"]
    if explanation.error:
        return [f"not explained: {explanation.error}"]
    inside, outside, further = _told(found)
    lines = [
        *process_lines(found.cell, explanation),
        *map(_line, inside),
        *map(opened_line, explanation.opened),
        *map(_line, outside),
        *native_lines(explanation),
        *busy_lines(explanation),
    ]
    if further > 0:
        lines.append(f"{further} more grow by less")
    return lines or [f"nothing was found to grow in the {explanation.chunks:,} chunks looked at"]


def leading_line(found: CellLeaks) -> AllocationLine | None:
    """Return the line of code to look at first, None where none was found."""
    explanation = found.explanation
    if explanation is None:
        return None
    inside, outside, _ = _told(found)
    opened = [line for of in explanation.opened for line in of.openers]
    native = [growth.line for growth in explanation.native if growth.line is not None]
    lines = [
        *(line for leak in inside for line in leak.growth.allocations),
        *opened,
        *(line for leak in outside for line in leak.growth.allocations),
        *native,
        *explanation.busy,
    ]
    return next(iter(lines), None)


def rate_text(growth: Growth) -> str:
    """Return ``64 items a chunk``, ``240 B a segment``, ``1 Node an hour``."""
    article = "an" if growth.per == "hour" else "a"
    if growth.quantity == "bytes":
        amount = format_bytes(growth.amount)
    else:
        items = "item" if growth.amount == 1 else "items"
        nodes = "node" if growth.amount == 1 else "nodes"
        what = {"objects": _short(growth.type), "nodes": nodes}.get(growth.quantity, items)
        amount = f"{growth.amount:,.4g} {what}"
    return f"{amount} {article} {growth.per}"


def since_text(since: Since) -> str:
    """Return ``first fixed in 1.3.15 (of 62 releases, 8 measured)`` and the like."""
    parts = []
    if since.brought:
        parts.append(f"first leaking in {_boundary(since.brought, since.brought_between)}")
    if since.fixed:
        parts.append(f"first fixed in {_boundary(since.fixed, since.fixed_between)}")
    if not parts:
        parts.append(f"leaks in every {since.kind} measured, {since.first} to {since.last}")
    return f"{', '.join(parts)} (of {since.of} {since.kind}s, {since.measured} measured)"


def _told(found: CellLeaks) -> tuple[list[Leak], list[Leak], int]:
    """Return the leaks to tell of that the roots reach, the others, and how many more there are."""
    told = found.leaks[:LEAKS_AT_MOST]
    inside = [leak for leak in told if leak.growth.inside_roots]
    outside = [leak for leak in told if not leak.growth.inside_roots]
    return inside, outside, len(found.leaks) - len(told)


def _leak(leak: Leak) -> Paragraph:
    growth = leak.growth
    told = [*_what_grows(growth), words(f" by {rate_text(growth)}")]
    # What a node of TorchScript saves is not told by any attribute.
    if growth.bytes_per_hour:
        told.append(words(f", {format_bytes(growth.bytes_per_hour)} an hour"))
    if growth.path:
        told += [words(". Held by "), code(growth.chain), words(f" ({_short(growth.type)}).")]
    else:
        told.append(words("." if growth.kind == "unheld" else ", outside the roots."))
    for number, line in enumerate(growth.allocations[:LINES_AT_MOST]):
        made = " Made" if growth.kind == "graph" else " Allocated"
        told += [words("; " if number else f"{made} at "), *line_phrases(line)]
    if growth.allocations:
        told.append(words("."))
    if growth.kind == "graph":
        told.append(words(f" To end it, {NO_GRAD}."))
    if leak.since is not None:
        told.append(words(f" {_sentence(since_text(leak.since))}"))
    if leak.bounded_by:
        told.append(words(f" Bounded by {listed(leak.bounded_by)}, as measured in this run."))
    if leak.not_bounded_by:
        told.append(words(f" Not bounded by {listed(leak.not_bounded_by)}."))
    return tuple(told)


def _what_grows(growth: Growth) -> list[Phrase]:
    if growth.kind == "unheld":
        return [words("Memory of Python that no object was found to hold grows")]
    what = "autograd graph" if growth.kind == "graph" else _short(growth.type)
    return [code(growth.path or growth.chain), words(f" ({what}) grows")]


def _unknown(found: CellLeaks) -> list[Paragraph]:
    """Return what would say since when and what bounds it, where nothing has yet."""
    paragraphs: list[Paragraph] = []
    if found.bisect_command:
        unplaced = [
            leak.growth.path
            for leak in found.leaks[:LEAKS_AT_MOST]
            if leak.growth.inside_roots and leak.since is None
        ]
        told = [words("Since when "), code(unplaced[0])]
        for path in unplaced[1:]:
            told += [words(", "), code(path)]
        paragraphs.append(
            (
                *told,
                words(f" {'leak' if len(unplaced) > 1 else 'leaks'} is not known; "),
                command(found.bisect_command),
                words(" says it."),
            )
        )
    if found.remedies_command:
        paragraphs.append(
            (
                words("Which fix bounds it was not measured; "),
                command(found.remedies_command),
                words(" shows it."),
            )
        )
    return paragraphs


def _seen_with(explanation: Explanation) -> list[Paragraph]:
    versions = ", ".join(f"{name} {text}" for name, text in explanation.versions.items())
    return [(words(f"Seen with {versions}."),)] if versions else []


def _line(leak: Leak) -> str:
    growth = leak.growth
    parts = [f"held by {growth.chain}"] if growth.path else ["outside the roots"]
    if growth.kind == "unheld":
        parts = ["no holder was found"]
    if growth.allocations:
        made = "made" if growth.kind == "graph" else "allocated"
        parts.append(f"{made} at {line_text(growth.allocations[0])}")
    if growth.kind == "graph":
        parts.append(f"to end it, {NO_GRAD}")
    if leak.since is not None:
        parts.append(since_text(leak.since))
    if leak.bounded_by:
        parts.append(f"bounded by {listed(leak.bounded_by)}")
    what = growth.path or growth.chain or "memory of Python"
    return f"{what} +{rate_text(growth)}: {'; '.join(parts)}"


def _boundary(label: str, between: int) -> str:
    return f"{label} or one of the {between} before it without figures" if between else label


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _short(type_name: str) -> str:
    return type_name.rpartition(".")[2]
