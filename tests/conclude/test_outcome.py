"""The one word that a cell ends with, for literal ends of its workers."""

import dataclasses

import pytest

from leakbench.conclude.outcome import outcome_of, overall_outcome
from leakbench.conclude.replicates import Replicate
from leakbench.plan import Cell
from leakbench.plan.matrix import CellRequest
from leakbench.record.result import CellResult, Outcome
from leakbench.record.trace import Begin, End, SegmentEvent, Trace
from leakbench.units import Exposure
from leakbench.verdict.assess import Assessment
from tests.cells import plan_for
from tests.report.run_folders import fixed_cell
from tests.samples import CHUNK_SECONDS, PERIOD, sample

BEGIN = Begin(
    sample_rate=16000,
    chunk_seconds=CHUNK_SECONDS,
    chunks_per_period=PERIOD,
    phase=0,
    warmup_chunks=20,
    stimulus_sha256="",
    pid=1,
)
COMPLETED, STOPPED, INTERRUPTED = (
    End(ending="completed"),
    End(ending="stopped"),
    End(ending="interrupted"),
)


def cell(**changes: object) -> Cell:
    request = CellRequest(subject="leakbench.controls:bounded", scenario="bursts", **changes)  # type: ignore[arg-type]
    return plan_for([request]).cells[0]


def replicate(end: End | None, chunks: int = 200, *, begun: bool = True) -> Replicate:
    trace = Trace(tuple(sample(chunk) for chunk in range(10, chunks + 1, 10)))
    # A segment in each period, as a burst is.
    events = tuple(
        SegmentEvent(chunk=chunk + 5, segments=((0, -1), (-1, chunk * 600)))
        for chunk in range(0, chunks, 10)
    )
    return Replicate(
        begin=BEGIN if begun else None, trace=trace, judged=trace, events=events, end=end
    )


def assessed(outcome: Outcome) -> Assessment:
    return Assessment(
        outcome=outcome,
        decided=True,
        metrics=(),
        reason="",
        exposure=Exposure(chunks_per_hour=6000.0, segments_per_hour=0.0, streams_per_hour=0.0),
    )


@pytest.mark.parametrize("outcome", ["flat", "leak", "undecided"])
@pytest.mark.parametrize("end", [COMPLETED, STOPPED])
def test_what_ended_as_it_should_is_what_its_figures_say(outcome: Outcome, end: End) -> None:
    assert outcome_of(cell(), [replicate(end)], assessed(outcome)) == (outcome, "")


@pytest.mark.parametrize("ending", ["raised", "killed", "hung", "memory_limit", "nonsense"])
def test_what_was_harmed_is_an_error_that_says_how(ending: str) -> None:
    end = End(ending=ending, detail="what it said")  # type: ignore[arg-type]
    said = outcome_of(cell(), [replicate(COMPLETED), replicate(end)], assessed("flat"))
    assert said == ("error", f"{ending.replace('_', ' ')}: what it said")


@pytest.mark.parametrize("ending", ["hung", "memory_limit"])
def test_a_leak_that_ran_into_a_limit_is_a_leak(ending: str) -> None:
    end = End(ending=ending, detail="")  # type: ignore[arg-type]
    assert outcome_of(cell(), [replicate(end)], assessed("leak")) == ("leak", "")


def test_a_leak_that_raised_is_an_error() -> None:
    end = End(ending="raised", detail="ValueError")
    assert outcome_of(cell(), [replicate(end)], assessed("leak"))[0] == "error"


def test_without_an_assessment_there_were_no_samples() -> None:
    said = outcome_of(cell(), [replicate(COMPLETED, 0)], None)
    assert said == ("error", "no samples: the run ended before the first period did")


@pytest.mark.parametrize(
    ("replicates", "says"),
    [
        ([replicate(COMPLETED)], "1 of 2 planned processes were driven"),
        ([replicate(COMPLETED), replicate(None, 0)], "1 of 2 planned processes were driven"),
        (
            [replicate(COMPLETED), replicate(STOPPED, 190)],
            "114 s of at least 2 min of audio were driven",
        ),
        (
            [replicate(COMPLETED), replicate(None, 200)],
            "1 of 2 processes have not ended, or died with their run",
        ),
        (
            [replicate(INTERRUPTED), replicate(INTERRUPTED)],
            "2 of 2 processes were interrupted",
        ),
    ],
)
def test_what_was_not_driven_is_not_flat(replicates: list[Replicate], says: str) -> None:
    planned = cell(replicates=2, at_least_seconds=120.0)
    assert outcome_of(planned, replicates, assessed("flat")) == ("undecided", says)
    # A leak in what was driven is one whatever else might have been.
    assert outcome_of(planned, replicates, assessed("leak")) == ("leak", "")


def test_all_that_was_planned_is_enough() -> None:
    planned = cell(replicates=2, at_least_seconds=120.0)
    driven = [replicate(STOPPED, 200), replicate(STOPPED, 200)]
    assert outcome_of(planned, driven, assessed("flat")) == ("flat", "")
    # One that drove all its audio drove more than its last look saw.
    driven = [replicate(COMPLETED, 180), replicate(STOPPED, 200)]
    assert outcome_of(planned, driven, assessed("flat")) == ("flat", "")


def without_segments(given: Replicate) -> Replicate:
    return dataclasses.replace(given, events=())


def test_audio_that_does_not_reach_what_it_promises_is_an_error() -> None:
    said, why = outcome_of(cell(), [without_segments(replicate(COMPLETED))], assessed("flat"))
    assert said == "error"
    assert "segments a period" in why


@pytest.mark.parametrize("chunks", [10, 20])
def test_what_ended_within_its_warm_up_reached_nothing_yet(chunks: int) -> None:
    early = without_segments(replicate(STOPPED, chunks))
    assert outcome_of(cell(), [early], assessed("flat")) == ("flat", "")


def of(outcome: Outcome, expect: Outcome | None = None, *, as_expected: bool = True) -> CellResult:
    return fixed_cell(verdict=outcome, expect=expect, as_expected=as_expected)


@pytest.mark.parametrize(
    ("cells", "outcome"),
    [
        ([], "error"),
        ([of("flat"), of("flat")], "flat"),
        ([of("flat"), of("undecided")], "undecided"),
        ([of("undecided"), of("leak")], "leak"),
        ([of("leak"), of("error")], "error"),
        # A leak that had to be found is no news.
        ([of("flat"), of("leak", "leak")], "flat"),
        ([of("leak", "leak")], "leak"),
        # One that was not found counts with its own verdict, as one found where none may be does.
        ([of("flat"), of("undecided", "leak", as_expected=False)], "undecided"),
        ([of("flat"), of("leak", "flat", as_expected=False)], "leak"),
        ([of("flat"), of("leak", "leak", as_expected=False)], "leak"),
    ],
)
def test_a_run_ends_with_the_worst_of_what_nobody_expected(
    cells: list[CellResult], outcome: Outcome
) -> None:
    assert overall_outcome(iter(cells)) == outcome
