"""Budgets and expectations for paths that are not there are said to be that, in real runs."""

from pathlib import Path

import pytest

from leakbench.conclude.patterns import describe_unmatched
from leakbench.hosts.library import run
from leakbench.plan.matrix import CellRequest
from leakbench.record.result import read_result, write_result
from leakbench.report.summary import markdown_summary
from leakbench.verdict.budgets import parse_rule
from tests.cells import run_cells

PATHS = ("process", "stats", "stats.data_buf", "stats.decibel", "stats.decibel[]", "total")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("stats.decibels", "no path is called stats.decibels; did you mean stats.decibel"),
        ("decibel", "did you mean stats.decibel or stats.decibel[]?"),
        ("Stats.*buf", "did you mean stats.data_buf"),
        ("proces", "did you mean process?"),
        ("zzz*", "no path is called zzz*; there are stats, stats.data_buf, stats.decibel and 1"),
        ("", "there are stats, "),
    ],
)
def test_a_pattern_that_fits_nothing_is_told_what_there_is(pattern: str, says: str) -> None:
    assert says in describe_unmatched(pattern, PATHS)


@pytest.mark.parametrize("pattern", ["*", "total", "stats.decibel[]", "*[]", "stats.?ecibel"])
def test_a_pattern_that_fits_something_is_fine(pattern: str) -> None:
    assert describe_unmatched(pattern, PATHS) == ""


def test_a_budget_warns_only_where_none_of_its_cells_has_the_path(tmp_path: Path) -> None:
    rules = tuple(map(parse_rule, ("retaned=8 B/h", "retained=8 B/h", "held*=8 B/h", "1 GiB/h")))
    leaky, bounded = (f"leakbench.controls:{name}" for name in ("leaky", "bounded"))
    result = run_cells(
        tmp_path,
        CellRequest(subject=leaky, scenario="silence", audio_seconds=60, rules=rules[:3]),
        CellRequest(subject=bounded, scenario="silence", audio_seconds=60, rules=rules),
        # Of one that measured nothing, nothing is known.
        CellRequest(subject="no.module:Vad", scenario="silence", rules=(parse_rule("x=1 B/h"),)),
    )
    retaned, held = result.warnings
    assert retaned == ("budget retaned=8 B/h: no path is called retaned; did you mean retained?")
    assert held.startswith("budget held*=8 B/h: no path is called held*; there are ")
    assert "Warning: budget retaned=8 B/h: no path" in markdown_summary(result)
    write_result(tmp_path, result)
    assert read_result(tmp_path) == result


def test_the_library_warns_of_a_budget_for_a_path_that_is_not_there() -> None:
    with pytest.warns(UserWarning, match="no path is called retaned; did you mean retained"):
        run("leakbench.controls:leaky", "silence", audio=60, budget={"retaned": "8 B/h"})


def test_a_leak_expected_where_no_path_is_says_which_paths_there_are(tmp_path: Path) -> None:
    (cell,) = run_cells(
        tmp_path,
        CellRequest(
            subject="leakbench.controls:leaky",
            scenario="silence",
            expect="leak",
            leaks_in=("retained", "retaned"),
        ),
    ).cells
    assert cell.verdict == "leak"
    assert not cell.as_expected
    assert cell.reason.startswith(
        "expected a leak in retaned, found none there; no path is called retaned; did you mean "
        "retained"
    )
