"""A leak in words: what grows, how fast, held by, allocated at, since when, bounded by what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from leakbench.bisect.since import Since
from leakbench.record.explanation import AllocationLine, Explanation, Growth
from leakbench.report.words.leaks import CellLeaks, Leak
from leakbench.report.words.phrases import Paragraph, Phrase, code, command, words
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
    paragraphs = [_leak(leak) for leak in found.leaks[:LEAKS_AT_MOST]]
    further = len(found.leaks) - LEAKS_AT_MOST
    if further > 0:
        paragraphs.append((words(f"{further} more grow by less; explanation.json has them all."),))
    if explanation.native_bytes_per_hour is not None:
        paragraphs.append(
            (
                words(
                    f"{format_bytes(explanation.native_bytes_per_hour)} an hour of the heap's "
                    f"{format_bytes(explanation.heap_bytes_per_hour or 0.0)} are native: allocated "
                    "in C or C++ and held by no Python object."
                ),
            )
        )
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
    lines = [_line(leak) for leak in found.leaks[:LEAKS_AT_MOST]]
    further = len(found.leaks) - LEAKS_AT_MOST
    if further > 0:
        lines.append(f"{further} more grow by less")
    if explanation.native_bytes_per_hour is not None:
        native = format_bytes(explanation.native_bytes_per_hour)
        lines.append(f"{native} an hour are native, held by no Python object")
    return lines or [f"nothing was found to grow in the {explanation.chunks:,} chunks looked at"]


def rate_text(growth: Growth) -> str:
    """Return ``64 items a chunk``, ``240 B a segment``, ``1 Node an hour``."""
    article = "an" if growth.per == "hour" else "a"
    if growth.quantity == "bytes":
        amount = format_bytes(growth.amount)
    else:
        items = "item" if growth.amount == 1 else "items"
        what = _short(growth.type) if growth.quantity == "objects" else items
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


def _leak(leak: Leak) -> Paragraph:
    growth = leak.growth
    told = [
        code(growth.path or growth.chain),
        words(f" ({_short(growth.type)}) grows by {rate_text(growth)}, "),
        words(f"{format_bytes(growth.bytes_per_hour)} an hour"),
    ]
    if growth.path:
        told += [words(". Held by "), code(growth.chain), words(f" ({_short(growth.type)}).")]
    else:
        told.append(words(", outside the roots."))
    for number, line in enumerate(growth.allocations[:LINES_AT_MOST]):
        told += [words("; " if number else " Allocated at "), *_allocation(line)]
    if growth.allocations:
        told.append(words("."))
    if leak.since is not None:
        told.append(words(f" {_sentence(since_text(leak.since))}"))
    if leak.bounded_by:
        told.append(words(f" Bounded by {_listed(leak.bounded_by)}, as measured in this run."))
    if leak.not_bounded_by:
        told.append(words(f" Not bounded by {_listed(leak.not_bounded_by)}."))
    return tuple(told)


def _allocation(line: AllocationLine) -> list[Phrase]:
    function = [words(" in "), code(line.function)] if line.function else []
    source = [words(": "), code(line.source)] if line.source else []
    note = f", {line.note}" if line.note else ""
    return [code(_place(line)), *function, *source, words(f" ({line.share:.1%}{note})")]


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
    if growth.allocations:
        line = growth.allocations[0]
        parts.append(f"allocated at {_place(line)} {line.function}".rstrip())
    if leak.since is not None:
        parts.append(since_text(leak.since))
    if leak.bounded_by:
        parts.append(f"bounded by {_listed(leak.bounded_by)}")
    return f"{growth.path or growth.chain} +{rate_text(growth)}: {'; '.join(parts)}"


def _boundary(label: str, between: int) -> str:
    return f"{label} or one of the {between} before it without figures" if between else label


def _place(line: AllocationLine) -> str:
    return f"{'/'.join(PurePath(line.file).parts[-2:])}:{line.line}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _short(type_name: str) -> str:
    return type_name.rpartition(".")[2]
