"""What the self-test injects, and how it reads what became of it."""

import dataclasses

import pytest

from leakbench.controls import LEAKS
from leakbench.hosts.selftest import INJECTIONS, Injection, clean_cells, injected_cell, read_finding
from leakbench.plan import Cell
from leakbench.record.result import CellResult, MetricResult
from leakbench.subject import ResolvedSubject
from leakbench.subject.resolution import resolve_subject

FLOATS = next(injection for injection in INJECTIONS if injection.leak == "float-per-chunk")
NATIVE = next(injection for injection in INJECTIONS if injection.leak == "native-per-minute")


@pytest.fixture
def subject() -> ResolvedSubject:
    spec = "leakbench.controls:EnergyVad"
    return resolve_subject(spec, model="embedded", chunk_ms=600, generate={})


def measured(*metrics: tuple[str, str, str, float], audio_seconds: float = 3600.0) -> CellResult:
    return CellResult(
        id="x",
        subject="vad",
        scenario="alternating",
        chunk_ms=600,
        model="embedded",
        expect="leak",
        verdict="leak",
        as_expected=True,
        audio_seconds=audio_seconds,
        wall_seconds=1.0,
        segments=600,
        metrics=tuple(
            MetricResult(
                path=path,
                metric=metric,  # type: ignore[arg-type]
                verdict=verdict,  # type: ignore[arg-type]
                slope_per_audio_hour=slope,
                low=slope,
                high=slope,
                budget_per_audio_hour=0.0,
            )
            for path, metric, verdict, slope in metrics
        ),
    )


CLEAN = measured(("process", "heap_bytes", "flat", 5000.0))


def test_every_leak_there_is_gets_injected() -> None:
    assert {injection.leak for injection in INJECTIONS} == set(LEAKS)


def test_a_leak_is_hung_on_whatever_subject_there_is(subject: ResolvedSubject) -> None:
    cell: Cell = injected_cell(dataclasses.replace(subject, options={"a": 1}), FLOATS)
    assert cell.subject.factory == "leakbench.controls:inject"
    assert cell.subject.options == {
        "factory": "leakbench.controls:EnergyVad",
        "options": {"a": 1},
        "retention": "float-per-chunk",
    }
    assert cell.expect == "leak"
    assert cell.leaks_in == ("retained",)
    assert cell.replicates == 1


def test_what_only_the_heap_shows_is_found_by_one_process_within_the_default_budget(
    subject: ResolvedSubject,
) -> None:
    cells = (*clean_cells(subject), injected_cell(subject, NATIVE))
    assert {cell.replicates for cell in cells} == {1}
    assert {cell.rules for cell in cells} == {()}


def test_the_right_metric_at_the_right_rate_passes() -> None:
    metrics = ("retained", "elements", "leak", 6000.0), ("total", "python_bytes", "leak", 9.0)
    finding = read_finding(FLOATS, measured(*metrics), CLEAN)
    assert finding.passed
    assert finding.rate_error == 0


def test_a_wrong_rate_fails() -> None:
    finding = read_finding(FLOATS, measured(("retained", "elements", "leak", 5000.0)), CLEAN)
    assert finding.found
    assert finding.rate_error == pytest.approx(-1 / 6)
    assert not finding.passed


@pytest.mark.parametrize(
    "metrics",
    [
        [],
        [("retained", "elements", "flat", 6000.0)],
        [("retained", "python_bytes", "leak", 6000.0)],
        [("retained", "elements", "leak", 6000.0), ("levels", "elements", "leak", 1.0)],
    ],
)
def test_a_leak_missed_or_found_elsewhere_fails(
    metrics: list[tuple[str, str, str, float]],
) -> None:
    assert not read_finding(FLOATS, measured(*metrics), CLEAN).passed


def test_how_a_clean_heap_settles_is_not_taken_off_a_leak_in_the_heap() -> None:
    heap = ("process", "heap_bytes", "leak", 61_440.0 + 500.0)
    finding = read_finding(NATIVE, measured(heap), CLEAN)
    assert finding.expected_per_hour == 61_440
    assert finding.found_per_hour == 61_940
    assert finding.passed
    objects = ("total", "python_bytes", "leak", 1.0)
    assert not read_finding(NATIVE, measured(heap, objects), CLEAN).passed


def test_a_rate_a_segment_is_counted_by_the_segments_there_were() -> None:
    injection = Injection(leak="x", rate="2 elements/segment", metric="elements")
    assert read_finding(injection, measured(), CLEAN).expected_per_hour == 1200
    assert read_finding(injection, measured(audio_seconds=0.0), CLEAN).rate_error is None


def test_what_is_shown_and_not_judged_is_no_leak_elsewhere() -> None:
    cell = measured(("retained", "elements", "leak", 6000.0), ("stats", "elements", "leak", 1.0))
    shown = dataclasses.replace(cell.metrics[1], gated=False)
    cell = dataclasses.replace(cell, metrics=(cell.metrics[0], shown))
    assert read_finding(FLOATS, cell, CLEAN).passed
