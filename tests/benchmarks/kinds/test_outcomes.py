"""What a run says of a kind is right only where all of it is."""

import dataclasses
from typing import Any

import pytest

from benchmarks.kinds import BOUNDED, LEAKS, Case, Outcome, format_row, summarize
from benchmarks.kinds import read_outcome as read
from leakbench.record.explanation import AllocationLine, Explanation, Growth, Opened
from leakbench.record.result import CellResult, MetricResult
from tests.report.run_folders import leaking_cell, metric

CASES = {case.name: case for case in (*LEAKS, *BOUNDED)}
FILES, LIST, TWIN = CASES["Files"], CASES["ListOfFloats"], CASES["FilesClosed"]
RIGHT = Outcome(case=FILES, verdict="leak", metric="descriptors", error=0.001)


def faults(**change: Any) -> tuple[str, ...]:
    return dataclasses.replace(RIGHT, **change).faults


def test_a_leak_that_is_told_as_it_is_has_no_fault() -> None:
    assert faults() == ()
    assert faults(case=TWIN, verdict="flat", metric="") == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"verdict": "flat"}, "said flat"),
        ({"verdict": "status 70"}, "said status 70"),
        ({"case": TWIN}, "said leak"),
        ({"metric": ""}, "not by the right metric"),
        ({"error": -0.03}, "rate"),
        ({"is_explained": False}, "explanation"),
    ],
)
def test_each_fault_is_named(change: dict[str, Any], fault: str) -> None:
    assert faults(**change) == (fault,)


def test_a_rate_of_resident_memory_may_be_off_by_more() -> None:
    assert faults(metric="rss_bytes", error=0.04) == ()
    assert faults(metric="rss_bytes", error=0.06) == ("rate",)


def test_undecided_is_counted_apart() -> None:
    undecided = dataclasses.replace(RIGHT, verdict="undecided", metric="")
    assert undecided.faults == ()
    assert summarize([RIGHT, undecided]).endswith("0 wrong, 1 undecided.")
    wrong = dataclasses.replace(RIGHT, verdict="flat")
    assert summarize([RIGHT, wrong]).endswith("1 wrong, 0 undecided.")


def cell(*metrics: MetricResult) -> CellResult:
    return leaking_cell(metrics=metrics, audio_seconds=3600.0, segments=600, chunk_ms=600)


def line(source: str, function: str = "Files.on_segment") -> AllocationLine:
    return AllocationLine(
        file="kinds.py", line=1, function=function, source=source, share=1.0, bytes_per_hour=1.0
    )


def explanation(
    *, growths: tuple[Growth, ...] = (), opened: tuple[Opened, ...] = ()
) -> Explanation:
    return Explanation(cell="", subject="", scenario="", growths=growths, opened=opened)


def opened(*openers: AllocationLine) -> Opened:
    return Opened(
        metric="descriptors",
        what="file",
        example="/dev/null",
        amount=1.0,
        per="segment",
        count_per_hour=600.0,
        openers=openers,
    )


def descriptors(slope: float) -> MetricResult:
    return dataclasses.replace(metric("process", "descriptors", slope), gated=True)


def test_the_rate_is_compared_by_the_hour_where_it_comes_with_nothing() -> None:
    outcome = read(FILES, "leak", cell(descriptors(630.0)), explanation(), "")
    assert outcome.error == pytest.approx(0.05)


def test_another_metric_or_place_shows_nothing() -> None:
    threads = dataclasses.replace(descriptors(600.0), metric="threads")
    assert not read(FILES, "leak", cell(threads), explanation(), "").metric
    elsewhere = metric("x.other", "elements", 6000.0)
    assert not read(LIST, "leak", cell(elsewhere), explanation(), "").metric


def test_only_the_line_named_first_explains() -> None:
    right, wrong = line('os.open("/dev/null", os.O_RDONLY)'), line("other()")
    leak = cell(descriptors(600.0))
    for openers, is_explained in (((right, wrong), True), ((wrong, right), False), ((), False)):
        told = explanation(opened=(opened(*openers),))
        assert read(FILES, "leak", leak, told, "").is_explained == is_explained


def test_lines_of_another_path_explain_nothing() -> None:
    leak = cell(metric("x.kept", "elements", 6000.0))
    told = line('self.x["kept"].append(self.chunks + 0.5)', "ListOfFloats.on_chunk")
    for path, is_explained in (("x.kept", True), ("x.kept[]", True), ("x.kept2", False)):
        growth = Growth(
            path=path,
            kind="container",
            type="list",
            amount=1.0,
            per="chunk",
            quantity="items",
            bytes_per_hour=1.0,
            chain="",
            allocations=(told,),
        )
        outcome = read(LIST, "leak", leak, explanation(growths=(growth,)), "")
        assert outcome.is_explained == is_explained


def test_advice_must_be_in_print() -> None:
    case = Case(**{**dataclasses.asdict(FILES), "tells": "", "advises": "close what was opened"})
    leak = cell(descriptors(600.0))
    assert read(case, "leak", leak, None, "close what\n   was opened").is_explained
    assert not read(case, "leak", leak, None, "").is_explained


def test_what_is_wrong_stands_out_in_its_row() -> None:
    assert "**said flat**" in format_row(dataclasses.replace(RIGHT, verdict="flat"))
    assert "**" not in format_row(RIGHT)
