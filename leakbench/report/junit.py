"""A run as JUnit XML, which every build server shows."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from leakbench.record.result import CellResult, Result
from leakbench.report.rows import format_level, rows_amiss
from leakbench.report.words.leak_text import leading_line, leak_lines
from leakbench.report.words.leaks import CellLeaks
from leakbench.report.words.sentences import cell_sentence, expectation, parity_sentence
from leakbench.text import printable


def junit_xml(result: Result, leaks: Sequence[CellLeaks] = ()) -> str:
    """Return one test case a cell.

    A cell that is not as expected is a failure, with limit beside observation for each path
    that is amiss, and with who holds and who allocates what leaks; an error is an error. What is
    undecided is a failure too: flatness was asked for and not proved.
    """
    suites = ElementTree.Element("testsuites", name="leakbench")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name="leakbench",
        tests=str(len(result.cells)),
        failures=str(sum(_fails(cell) for cell in result.cells)),
        errors=str(sum(cell.verdict == "error" for cell in result.cells)),
        skipped="0",
        time=f"{result.wall_seconds:.3f}",
        timestamp=result.started[:19],
    )
    found = {leaking.cell.id: leaking for leaking in leaks}
    for cell in result.cells:
        _add_case(suite, cell, found.get(cell.id))
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _add_case(suite: ElementTree.Element, cell: CellResult, leaking: CellLeaks | None) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=printable(f"leakbench.{cell.scenario}"),
        name=printable(f"{cell.subject} [{cell.chunk_ms} ms, {cell.model}]"),
        time=f"{cell.wall_seconds:.3f}",
    )
    case.attrib.update(_where(leaking if _fails(cell) else None))
    sentence = cell_sentence(cell)
    if cell.verdict == "error":
        ElementTree.SubElement(case, "error", type="error", message=printable(sentence))
    elif _fails(cell):
        failure = ElementTree.SubElement(
            case, "failure", type=cell.verdict, message=printable(sentence)
        )
        failure.text = "\n".join(map(printable, _details(cell, leaking)))
    output = ElementTree.SubElement(case, "system-out")
    output.text = "\n".join(map(printable, filter(None, (sentence, parity_sentence(cell)))))


def _where(leaking: CellLeaks | None) -> dict[str, str]:
    """Return file and line of a leak, by the names that pytest gives them."""
    line = leading_line(leaking) if leaking else None
    return {} if line is None else {"file": printable(line.file), "line": str(line.line)}


def _details(cell: CellResult, leaking: CellLeaks | None) -> list[str]:
    lines = [expectation(cell), cell.reason]
    for row in rows_amiss(cell):
        limit = format_level(row.result.budget_per_audio_hour, row.result.metric)
        lines.append(
            f"{row.name}: {row.verdict}, observed {row.slope} ({row.interval}), limit {limit}/h"
        )
    lines += leak_lines(leaking) if leaking else []
    return [line for line in lines if line]


def _fails(cell: CellResult) -> bool:
    return cell.verdict != "error" and not cell.as_expected
