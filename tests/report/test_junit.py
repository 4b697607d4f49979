from pathlib import Path
from xml.etree import ElementTree

from leakbench.report.junit import junit_xml
from leakbench.report.run_folder import read_run
from tests.report.conftest import HOSTILE_SCENARIO
from tests.report.explanations import LINE, OWN_LINE, explain, growth
from tests.report.run_folders import (
    error_cell,
    fixed_cell,
    leaking_cell,
    run_result,
    undecided_cell,
    write_run,
)


def suite_of(*cells: object) -> ElementTree.Element:
    root = ElementTree.fromstring(junit_xml(run_result(list(cells))))  # type: ignore[arg-type]
    suite = root.find("testsuite")
    assert suite is not None
    return suite


def test_each_cell_is_a_test_case_and_counts_add_up() -> None:
    suite = suite_of(leaking_cell(), fixed_cell(), undecided_cell(), error_cell())
    assert suite.get("tests") == "4"
    assert suite.get("failures") == "1"
    assert suite.get("errors") == "1"
    names = [case.get("name") for case in suite.iter("testcase")]
    assert names[0] == "original [600 ms, embedded]"
    assert len(list(suite.iter("failure"))) == 1
    assert len(list(suite.iter("error"))) == 1


def test_an_expected_leak_passes_and_a_control_that_does_not_leak_fails() -> None:
    assert suite_of(leaking_cell()).find(".//failure") is None
    failure = suite_of(fixed_cell(expect="leak", as_expected=False)).find(".//failure")
    assert failure is not None
    assert "a leak was expected" in (failure.get("message") or "")


def test_a_failure_shows_limit_beside_observation() -> None:
    failure = suite_of(leaking_cell(expect="flat", as_expected=False)).find(".//failure")
    assert failure is not None
    text = failure.text or ""
    assert "stats.scores storage: leak, observed +340 MiB/h (exact), limit 0 B/h" in text
    assert "process" not in text.splitlines()[2]


def test_a_failure_has_the_file_and_line_of_the_user(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [leaking_cell(expect="flat", as_expected=False)])
    explain(folder, leaking_cell(), growth(allocations=(OWN_LINE, LINE)))
    run = read_run(folder)
    case = ElementTree.fromstring(junit_xml(run.result, run.leaks)).find(".//testcase")
    assert case is not None
    assert (case.get("file"), case.get("line")) == (OWN_LINE.file, "30")
    text = case.findtext("failure") or ""
    assert "allocated at app/stream.py:30 Vad.feed through _core/_methods.py:132" in text


def test_an_expected_leak_has_no_file(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [leaking_cell()])
    explain(folder, leaking_cell(), growth())
    run = read_run(folder)
    case = ElementTree.fromstring(junit_xml(run.result, run.leaks)).find(".//testcase")
    assert case is not None
    assert case.get("file") is None


def test_a_failure_says_who_holds_what_leaks(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [leaking_cell(expect="flat", as_expected=False)])
    explain(folder, leaking_cell(), growth())
    run = read_run(folder)
    failure = ElementTree.fromstring(junit_xml(run.result, run.leaks)).find(".//failure")
    assert failure is not None
    last = (failure.text or "").splitlines()[-1]
    assert last.startswith("stats.decibel +64 items a chunk: held by FunasrSubject")


def test_markup_and_control_characters_in_names_leave_valid_xml() -> None:
    cell = error_cell(subject="bad\x00\x1b[31m\ufffe]]>", scenario=HOSTILE_SCENARIO)
    case = suite_of(cell).find("testcase")
    assert case is not None
    assert HOSTILE_SCENARIO in (case.get("classname") or "")
    assert "\x00" not in (case.get("name") or "")
