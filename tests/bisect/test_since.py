"""Since when, from what a search left in its folder: the right one, and none that is not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from leakbench.bisect.bisection import bisect_line, sweep_line
from leakbench.bisect.findings import Findings, read_findings, search_folder, write_findings
from leakbench.bisect.since import Since, find_searches, find_since
from leakbench.record.result import CellResult
from tests.bisect.mock_line import MockProber, make_cell, make_line, make_metric

Rates = Mapping[str, float]
PATH = "stats.decibel"


def leaking(subject: str = "made==1.3") -> CellResult:
    return make_cell(subject, (make_metric(PATH, 6e6),))


def sweep(rates: Sequence[Rates | None]) -> Findings:
    line = make_line(len(rates), good=0, bad=1)
    return sweep_line(
        line.candidates,
        MockProber(rates),
        places=range(len(rates)),
        scenario="silence",
        command=["leakbench"],
    )


def since(rates: Sequence[Rates | None], subject: str = "made==1.3") -> Since | None:
    return find_since([sweep(rates)], leaking(subject), PATH)


def test_the_first_fixed_release_after_the_leaking_one_is_found() -> None:
    found = since([{PATH: 6e6}] * 6 + [{PATH: 0.0}] * 3)
    assert found is not None
    assert (found.kind, found.brought, found.fixed) == ("release", "", "1.6")
    assert (found.measured, found.of) == (9, 9)


def test_the_release_that_brought_it_is_found_and_not_one_that_brought_it_again() -> None:
    found = since([{}] * 2 + [{PATH: 6e6}] * 3 + [{PATH: 0.0}] * 2 + [{PATH: 6e6}])
    assert found is not None
    assert (found.brought, found.fixed) == ("1.2", "1.5")
    later = since([{}] * 2 + [{PATH: 6e6}] * 3 + [{PATH: 0.0}] * 2 + [{PATH: 6e6}], "made==1.7")
    assert later is not None
    assert (later.brought, later.fixed) == ("1.7", "")


def test_a_path_that_never_changes_leaks_from_the_oldest_measured_to_the_newest() -> None:
    found = since([None, *[{PATH: 6e6}] * 6])
    assert found is not None
    assert (found.brought, found.fixed) == ("", "")
    assert (found.first, found.last, found.measured, found.of) == ("1.1", "1.6", 6, 7)


def test_releases_without_figures_before_a_change_are_counted() -> None:
    found = since([{PATH: 6e6}] * 4 + [None, None, {PATH: 0.0}])
    assert found is not None
    assert (found.fixed, found.fixed_between) == ("1.6", 2)


def test_a_bisection_that_measured_few_is_believed_too() -> None:
    line = make_line(62, good=61, bad=0)
    rates: list[Rates | None] = [{PATH: 6e6 * (n < 40)} for n in range(62)]
    findings = bisect_line(
        line, MockProber(rates), pattern=None, jobs=1, scenario="silence", command=[]
    )
    found = find_since([findings], leaking(), PATH)
    assert found is not None
    assert (found.fixed, found.of) == ("1.40", 62)
    assert found.measured < 10


def test_items_told_of_apart_are_the_path_that_holds_them() -> None:
    assert since([{f"{PATH}[]": 6e6}] * 5) is not None


@pytest.mark.parametrize(
    ("rates", "subject"),
    [
        ([{"other": 6e6}] * 5, "made==1.3"),
        ([{PATH: 6e6}] * 3, "made==1.3"),
        ([{PATH: 6e6}] * 5, "others==1.3"),
        ([{PATH: 6e6}] * 5, "made==1.3+patch"),
        ([{PATH: 6e6}] * 5, "package.module:Vad"),
        ([{PATH: 6e6}] * 2 + [{PATH: 0.0}] * 3, "made==1.3"),
        ([{PATH: 0.0}] * 4 + [{PATH: 6e6}], "made==1.3"),
    ],
    ids=[
        "no such path",
        "no such release",
        "another project",
        "a changed release",
        "no release",
        "found fixed before",
        "found leaking only after",
    ],
)
def test_what_a_search_did_not_see_is_not_said(rates: list[Rates | None], subject: str) -> None:
    assert since(rates, subject) is None


def test_a_search_that_saw_a_change_is_believed_before_one_that_did_not() -> None:
    wide = sweep([{PATH: 6e6}] * 6 + [{PATH: 0.0}] * 3)
    narrow = sweep([{PATH: 6e6}] * 6)
    for searches in ((wide, narrow), (narrow, wide)):
        found = find_since(searches, leaking(), PATH)
        assert found is not None
        assert found.fixed == "1.6"


@pytest.fixture
def searched(tmp_path: Path) -> Path:
    folder = search_folder(tmp_path, "silence")
    folder.mkdir()
    write_findings(folder / "sweep.json", sweep([{PATH: 6e6}] * 6))
    return tmp_path


def test_findings_are_read_as_they_were_written(searched: Path) -> None:
    file = searched / "since-silence" / "sweep.json"
    assert read_findings(file) == sweep_without_time(read_findings(file))
    assert len(find_searches(searched, leaking())) == 1


def sweep_without_time(read: Findings | None) -> Findings:
    assert read is not None
    return replace(sweep([{PATH: 6e6}] * 6), wall_seconds=read.wall_seconds)


@pytest.mark.parametrize(
    "change",
    [{"scenario": "bursts"}, {"chunk_ms": 200}, {"model": "./other"}, {"subject": "others==1.3"}],
)
def test_a_search_that_drove_something_else_is_not_used(
    searched: Path, change: dict[str, object]
) -> None:
    cell = replace(leaking(), **change)  # type: ignore[arg-type]
    assert find_searches(searched, cell) == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "leakbench.bisect/9"}', "\udcff"])
def test_a_file_that_holds_no_findings_says_nothing(tmp_path: Path, text: str) -> None:
    folder = search_folder(tmp_path, "silence")
    folder.mkdir()
    (folder / "bisect.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    assert find_searches(tmp_path, leaking()) == ()


def test_what_a_later_version_adds_is_left_out(searched: Path) -> None:
    file = searched / "since-silence" / "sweep.json"
    file.write_text(file.read_text().replace('"line"', '"mood": "good",\n  "line"', 1))
    assert len(find_searches(searched, leaking())) == 1


@pytest.mark.parametrize("typed", ["src/vad.py:Vad", "vad.py:Vad", "../project/src/vad.py:Vad"])
def test_the_working_tree_comes_after_the_last_commit(typed: str) -> None:
    findings = sweep([{PATH: 0.0}] * 2 + [{PATH: 6e6}] * 3)
    commits = tuple(
        replace(row, name=f"src/vad.py:Vad:{row.position:010}") for row in findings.probes
    )
    names = {row.name: commit.name for row, commit in zip(findings.probes, commits, strict=True)}
    changes = tuple(
        replace(change, before=names[change.before], after=names[change.after])
        for change in findings.changes
    )
    found = find_since([replace(findings, probes=commits, changes=changes)], leaking(typed), PATH)
    assert found is not None
    assert (found.kind, found.brought) == ("commit", "1.2")


def test_a_folder_of_a_search_is_named_for_its_scenario() -> None:
    assert search_folder(Path("reports"), "a/b: c").name == "since-a-b-c"
