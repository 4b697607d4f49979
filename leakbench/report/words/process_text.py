"""What the process leaks that is no object, in words: which metric, how fast, and who."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.record.explanation import Explanation, NativeGrowth, Opened
from leakbench.record.result import CellResult, MetricResult
from leakbench.report.rows import format_level
from leakbench.report.words.code_lines import line_phrases, line_text
from leakbench.report.words.phrases import Paragraph, Phrase, code, command, listed, words
from leakbench.units import format_amount, format_bytes

LINES_AT_MOST: Final = 3
"""Lines of code told of each thing."""
FUNCTIONS_AT_MOST: Final = 3
"""Functions of C told of each stack, innermost first."""
GET_MEMRAY: Final = "pip install 'leakbench[native]'"

_MEMORY: Final = ("heap_bytes", "rss_bytes", "mapped_bytes")
_SHOWN_BY: Final = {
    "descriptors": "descriptors",
    "threads": "threads",
    "children": "children",
    "children_bytes": "children",
    "temp_files": "temp_files",
    "temp_bytes": "temp_files",
    "shared_bytes": "mapped_bytes",
    "mapped_bytes": "mapped_bytes",
}
"""Metric to the one under which what stays open is found."""


def process_leaks(cell: CellResult) -> tuple[MetricResult, ...]:
    """Return the metrics of the process that leak, the cell's verdict rests on, and are news.

    Where objects leak, memory that holds objects grows with them.
    """
    leaks = [m for m in cell.metrics if m.gated and m.verdict == "leak"]
    has_objects = any(m.path != PROCESS_PATH for m in leaks)
    return tuple(
        m
        for m in leaks
        if m.path == PROCESS_PATH and not (has_objects and metric_of(m.metric).holds_objects)
    )


def process_paragraph(cell: CellResult, explanation: Explanation) -> list[Paragraph]:
    """Return which metrics of the process leak and how fast, and for which nobody was found."""
    leaks = process_leaks(cell)
    if not leaks:
        return []
    told = [words(f"The process leaks: {listed([_grows(leak) for leak in leaks])}.")]
    unfound = [metric_of(m.metric).label for m in leaks if not _is_found(m.metric, explanation)]
    if unfound:
        told.append(words(f" By whom was not found for {listed(unfound)}."))
    return [tuple(told)]


def process_lines(cell: CellResult, explanation: Explanation) -> list[str]:
    """Return one short line with the metrics of the process that leak."""
    leaks = process_leaks(cell)
    unfound = [metric_of(m.metric).label for m in leaks if not _is_found(m.metric, explanation)]
    by_whom = f"; by whom was not found for {listed(unfound)}" if unfound else ""
    return [f"process: {listed([_grows(leak) for leak in leaks])}{by_whom}"] if leaks else []


def opened_paragraph(opened: Opened) -> Paragraph:
    """Return what stays open, how much of it, and which line opens it."""
    label = metric_of(opened.metric).label
    told = [code(opened.what), words(f" ({label}): {_opened_rate(opened)}")]
    if opened.example:
        told += [words(", such as "), code(opened.example)]
    told.append(words("."))
    return (*told, *_opened_at(opened))


def opened_line(opened: Opened) -> str:
    """Return the same in one short line."""
    where = f"opened at {line_text(opened.openers[0])}" if opened.openers else "opened unseen"
    return f"{opened.what} ({metric_of(opened.metric).label}): {_opened_rate(opened)}; {where}"


def native_paragraphs(explanation: Explanation) -> list[Paragraph]:
    """Return how much memory is native, and which functions and lines allocate it."""
    paragraphs: list[Paragraph] = []
    if explanation.native_bytes_per_hour is not None:
        native = format_bytes(explanation.native_bytes_per_hour)
        heap = format_bytes(explanation.heap_bytes_per_hour or 0.0)
        told = (
            f"{native} an hour of the heap's {heap} are native: allocated in C or C++ and held by "
            "no Python object."
        )
        paragraphs.append((words(told),))
    paragraphs += map(_native_paragraph, explanation.native)
    if explanation.no_memray_in:
        paragraphs.append(
            (
                words("Which function of C allocates it is not known; "),
                command(GET_MEMRAY),
                words(" has the next run say it, where "),
                code(explanation.no_memray_in),
                words(" can import memray."),
            )
        )
    return paragraphs


def native_lines(explanation: Explanation) -> list[str]:
    """Return the same in short lines."""
    lines = []
    if explanation.native_bytes_per_hour is not None:
        native = format_bytes(explanation.native_bytes_per_hour)
        lines.append(f"{native} an hour are native, held by no Python object")
    for growth in explanation.native:
        where = f" at {line_text(growth.line)}" if growth.line else " in a thread of C"
        function = f"{growth.frames[0].function}" if growth.frames else "allocated"
        lines.append(f"native +{_native_rate(growth)}: {function}{where}")
    if explanation.no_memray_in:
        lines.append(f"{GET_MEMRAY} names the function of C, in {explanation.no_memray_in}")
    return lines


def busy_paragraphs(explanation: Explanation) -> list[Paragraph]:
    """Return at which lines a chunk that costs ever more spends its processor time."""
    if not explanation.busy:
        return []
    told = [words("A chunk's processor time is spent at ")]
    for number, line in enumerate(explanation.busy[:LINES_AT_MOST]):
        told += [words("; " if number else ""), *line_phrases(line)]
    return [(*told, words("."))]


def busy_lines(explanation: Explanation) -> list[str]:
    """Return the same in one short line."""
    return [
        f"processor time: {line.share:.0%} of it at {line_text(line)}"
        for line in explanation.busy[:1]
    ]


def _grows(leak: MetricResult) -> str:
    metric = metric_of(leak.metric)
    if metric.tier == "slowing":
        return f"{metric.label}, more with each"
    return f"{metric.label} by {format_level(leak.slope_per_audio_hour, leak.metric)} an hour"


def _is_found(metric: str, explanation: Explanation) -> bool:
    """Whether the explanation has somebody who may add to a metric."""
    if metric == "cpu_seconds":
        return bool(explanation.busy)
    shown_by = _SHOWN_BY.get(metric)
    if any(opened.metric == shown_by for opened in explanation.opened):
        return True
    has_memory = bool(explanation.growths or explanation.native or explanation.opened)
    return metric in _MEMORY and has_memory


def _opened_rate(opened: Opened) -> str:
    if not opened.amount:
        return f"larger by {format_bytes(opened.bytes_per_hour)} an hour"
    article = "an" if opened.per == "hour" else "a"
    rate = f"{opened.amount:,.4g} more {article} {opened.per}"
    if opened.per != "hour":
        rate += f", {format_amount(opened.count_per_hour, 'count')} an hour"
    if opened.bytes_per_hour:
        rate += f", {format_bytes(opened.bytes_per_hour)} an hour"
    return rate


def _opened_at(opened: Opened) -> Sequence[Phrase]:
    if not opened.openers:
        return [words(" No line of Python was seen to open it.")]
    told = [words(" Opened at ")]
    for number, line in enumerate(opened.openers[:LINES_AT_MOST]):
        told += [words("; " if number else ""), *line_phrases(line)]
    return [*told, words(".")]


def _native_paragraph(growth: NativeGrowth) -> Paragraph:
    told = [words(f"{_native_rate(growth)}, {format_bytes(growth.bytes_per_hour)} an hour, ")]
    if growth.frames:
        told.append(words("allocated by "))
        for number, frame in enumerate(growth.frames[:FUNCTIONS_AT_MOST]):
            told += [words(", called by " if number else ""), code(frame.function)]
    else:
        told.append(words("allocated"))
    if growth.line is None:
        return (*told, words(" in a thread that runs no Python."))
    return (*told, words(" at "), *line_phrases(growth.line, with_share=False), words("."))


def _native_rate(growth: NativeGrowth) -> str:
    article = "an" if growth.per == "hour" else "a"
    return f"{format_bytes(growth.amount)} {article} {growth.per}"
