"""An explanation as paragraphs: what grows, how fast, held by what, allocated where."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from leakbench.explain.explanation import AllocationLine, Explanation, Growth
from leakbench.units import format_bytes

GROWTHS_AT_MOST: Final = 8
LINES_AT_MOST: Final = 3


def explain_text(explanation: Explanation) -> list[str]:
    """Return a paragraph for each thing that grows, and one for what no object explains."""
    where = f"{explanation.subject} x {explanation.scenario}"
    if explanation.error:
        return [f"{where}: not explained: {explanation.error}"]
    paragraphs = [growth_text(growth) for growth in explanation.growths[:GROWTHS_AT_MOST]]
    further = len(explanation.growths) - GROWTHS_AT_MOST
    if further > 0:
        paragraphs.append(f"{further} more grow by less; explanation.json has them all.")
    if explanation.native_bytes_per_hour is not None:
        paragraphs.append(
            f"{format_bytes(explanation.native_bytes_per_hour)} an hour of the heap's "
            f"{format_bytes(explanation.heap_bytes_per_hour or 0.0)} are native: allocated in C "
            "or C++ and held by no Python object."
        )
    if not paragraphs:
        return [f"{where}: nothing was found to grow in the {explanation.chunks} chunks looked at."]
    known = []
    if explanation.since:
        known.append(f"Since {explanation.since}.")
    if explanation.bounded_by:
        known.append(f"Bounded by {', '.join(explanation.bounded_by)}.")
    if explanation.versions:
        versions = " ".join(f"{name} {text}" for name, text in explanation.versions.items())
        known.append(f"Seen with {versions}.")
    return [f"{where}:", *paragraphs, *([" ".join(known)] if known else [])]


def growth_text(growth: Growth) -> str:
    """Return what grows, how fast, who holds it and who allocates it, as one paragraph."""
    name = growth.path or growth.chain
    outside = "" if growth.path else ", outside the roots"
    held = f" Held by {growth.chain} ({_short(growth.type)})." if growth.path else ""
    text = (
        f"{name} ({_short(growth.type)}) {rate_text(growth)}, "
        f"{format_bytes(growth.bytes_per_hour)} an hour{outside}.{held}"
    )
    lines = [line_text(line) for line in growth.allocations[:LINES_AT_MOST]]
    return f"{text} Allocated at {'; '.join(lines)}." if lines else text


def rate_text(growth: Growth) -> str:
    """Return ``+64 a chunk``, ``+240 B a segment``, ``+1 Node an hour``."""
    article = "an" if growth.per == "hour" else "a"
    if growth.quantity == "bytes":
        amount = format_bytes(growth.amount)
    else:
        amount = f"{growth.amount:,.4g}"
        amount += f" {_short(growth.type)}" if growth.quantity == "objects" else ""
    return f"+{amount} {article} {growth.per}"


def line_text(line: AllocationLine) -> str:
    """Return ``model.py:464 ComputeDecibel `source` (41%)``."""
    function = f" {line.function}" if line.function else ""
    note = f", {line.note}" if line.note else ""
    place = "/".join(PurePath(line.file).parts[-2:])
    return f"{place}:{line.line}{function} `{line.source}` ({line.share:.1%}{note})"


def _short(type_name: str) -> str:
    return type_name.rpartition(".")[2]
