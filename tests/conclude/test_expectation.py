"""Whether a cell shows what it must, and what it says where it does not."""

import dataclasses

import pytest

from leakbench.conclude.expectation import compare_with_expectation
from leakbench.plan import Cell
from leakbench.plan.matrix import CellRequest
from leakbench.record.result import Outcome, Parity
from leakbench.units import Exposure
from leakbench.verdict.assess import Assessment
from tests.cells import plan_for
from tests.report.run_folders import leaking_metrics

NOT_FOUND = "a leak was expected and not found"
PARITY = Parity(reference="fixed", identical=True, chunks=200)
FOUND = Assessment(
    outcome="leak",
    decided=True,
    metrics=leaking_metrics(),
    reason="",
    exposure=Exposure(chunks_per_hour=6000.0, segments_per_hour=0.0, streams_per_hour=0.0),
)


def cell(**changes: object) -> Cell:
    request = CellRequest(subject="leakbench.controls:bounded", scenario="silence", **changes)  # type: ignore[arg-type]
    return plan_for([request]).cells[0]


@pytest.mark.parametrize("expect", [None, "flat"])
@pytest.mark.parametrize("outcome", ["flat", "leak", "undecided", "error"])
def test_what_is_not_said_to_leak_must_be_flat(expect: Outcome | None, outcome: Outcome) -> None:
    said = compare_with_expectation(cell(expect=expect), outcome, FOUND, None)
    assert said == (outcome == "flat", "")


def test_a_leak_that_must_be_there_is_found_where_it_must_be() -> None:
    planned = cell(expect="leak", leaks_in=("stats.decibel", "stats.*"))
    assert compare_with_expectation(planned, "leak", FOUND, None) == (True, "")


@pytest.mark.parametrize("outcome", ["flat", "undecided", "error"])
def test_a_leak_that_was_not_found_is_missed(outcome: Outcome) -> None:
    planned = cell(expect="leak")
    assert compare_with_expectation(planned, outcome, FOUND, None) == (False, NOT_FOUND)
    assert compare_with_expectation(planned, outcome, None, None) == (False, NOT_FOUND)


def test_a_leak_elsewhere_is_not_the_one_that_must_be_there() -> None:
    planned = cell(expect="leak", leaks_in=("stats.decibel", "stats.output_data_buf"))
    shown, why = compare_with_expectation(planned, "leak", FOUND, None)
    assert not shown
    assert why == "expected a leak in stats.output_data_buf, found none there"


def test_a_path_that_is_not_there_is_told_with_those_that_are() -> None:
    shown, why = compare_with_expectation(
        cell(expect="leak", leaks_in=("stats.decibels",)), "leak", FOUND, None
    )
    assert not shown
    assert why.startswith("expected a leak in stats.decibels, found none there; ")
    assert "stats.decibel" in why.partition("; ")[2]


def test_segments_that_differ_from_the_references_are_a_shortfall() -> None:
    differing = dataclasses.replace(
        PARITY,
        identical=False,
        first_difference={"chunk": 7, "expected": [[0, 600]], "got": []},
    )
    planned = cell(parity_required=True)
    shown, why = compare_with_expectation(planned, "flat", FOUND, differing)
    assert not shown
    assert why == "segments differ from fixed's from chunk 7 on: expected [[0, 600]], got []"
    assert compare_with_expectation(planned, "flat", FOUND, PARITY) == (True, "")
    assert compare_with_expectation(planned, "flat", FOUND, None) == (True, "")
    # Of a cell that failed the segments are beside the point, and not asked for they are none.
    assert compare_with_expectation(planned, "error", FOUND, differing) == (False, "")
    assert compare_with_expectation(cell(), "flat", FOUND, differing) == (True, "")
