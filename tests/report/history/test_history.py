import json
from pathlib import Path

import pytest

from leakbench.report.history.history import (
    TOLERANCES,
    Value,
    find_changes,
    history_data,
    history_markdown,
    run_folders_below,
    trace_history,
)
from leakbench.report.history.plot import plot_history, write_history
from leakbench.report.run_folder import RunFolder, read_run
from tests.report.conftest import HOSTILE_SUBJECT
from tests.report.run_folders import fixed_cell, leaking_cell, write_run

NIGHTS = 5
FIRST_LEAKING = 3


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five nightly runs; the fourth brings a release that leaks."""
    root = tmp_path_factory.mktemp("history")
    for night in range(NIGHTS):
        cell = fixed_cell("latest", versions={"vad": "1.3.15"}, replicates=1, audio_seconds=600.0)
        if night >= FIRST_LEAKING:
            cell = leaking_cell(
                subject="latest",
                versions={"vad": "1.4.16"},
                expect="flat",
                as_expected=False,
                replicates=1,
                audio_seconds=600.0,
            )
        # Named against the order of time, which must come from the runs themselves.
        write_run(root / f"run-{9 - night}", [cell], started=f"2026-03-0{night + 1}T02:00:00+00:00")
    return root


@pytest.fixture(scope="module")
def runs(nights: Path) -> list[RunFolder]:
    return [read_run(path) for path in run_folders_below(nights)]


def exact(*values: float | None) -> list[Value | None]:
    return [None if v is None else Value(value=v, low=v, high=v) for v in values]


def test_runs_are_put_in_order_of_time(runs: list[RunFolder]) -> None:
    (history,) = trace_history(runs)
    started = [point.started for point in history.points]
    assert started == sorted(started)
    assert history.points[0].run == "run-9"


def test_the_night_a_leak_came_is_marked_in_growth_memory_and_time(runs: list[RunFolder]) -> None:
    (history,) = trace_history(runs)
    assert [bool(point.marks) for point in history.points] == [False, False, False, True, False]
    assert set(history.points[FIRST_LEAKING].marks) == {"growth", "held", "time"}
    assert history.points[FIRST_LEAKING].changed == ("vad 1.3.15 → 1.4.16",)


def test_runs_alike_are_not_marked(runs: list[RunFolder]) -> None:
    quiet = [run for run in runs if run.result.verdict == "flat"]
    (history,) = trace_history(quiet)
    assert len(history.points) == FIRST_LEAKING
    assert not any(point.marks for point in history.points)


def test_jitter_within_the_tolerance_is_no_change_and_a_step_beyond_it_is() -> None:
    tolerance = TOLERANCES["time"]
    assert not any(find_changes(exact(10.0, 11.0, 12.0, 9.5, 11.0), tolerance))
    assert find_changes(exact(10.0, 11.0, 10.0, 20.0, 20.0), tolerance) == (
        False,
        False,
        False,
        True,
        False,
    )


def test_a_step_down_is_a_change_too_and_each_step_is_marked_once() -> None:
    changes = find_changes(exact(9.0, 9.0, 9.0, 3.0, 3.0, 3.0, 9.0), 0.1)
    assert [place for place, changed in enumerate(changes) if changed] == [3, 6]


def test_two_points_must_come_before_a_mark() -> None:
    assert not any(find_changes(exact(1.0, 100.0), 0.1))


def test_intervals_that_overlap_are_no_change() -> None:
    wide = [Value(value=v, low=v - 50, high=v + 50) for v in (0.0, 20.0, 60.0)]
    assert not any(find_changes(wide, 0.1))


def test_growth_out_of_nothing_is_a_change() -> None:
    assert find_changes(exact(0.0, 0.0, 1.0), 0.1) == (False, False, True)


def test_a_run_without_a_measure_is_skipped() -> None:
    assert find_changes(exact(5.0, None, 5.0, 9.0), 0.1) == (False, False, False, True)


def test_a_folder_stands_for_the_runs_in_it(nights: Path) -> None:
    assert len(run_folders_below(nights)) == NIGHTS
    assert run_folders_below(nights / "run-9") == [nights / "run-9"]


def test_the_table_marks_the_change_and_escapes_names(runs: list[RunFolder]) -> None:
    text = history_markdown(trace_history(runs))
    assert text.count("▲ +580 MiB/h") == 1
    assert "vad 1.3.15 → 1.4.16" in text


def test_names_cannot_break_out_of_the_table(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [fixed_cell(HOSTILE_SUBJECT, replicates=0)])
    assert "<img" not in history_markdown(trace_history([read_run(folder)]))


def test_json_has_the_numbers(runs: list[RunFolder]) -> None:
    data = json.loads(json.dumps(history_data(trace_history(runs))))
    point = data["histories"][0]["points"][FIRST_LEAKING]
    assert point["growth_bytes_per_audio_hour"] == pytest.approx(6_000 * (41_900 + 59_500))
    assert point["level_changed_in"] == ["growth", "held", "time"]


def test_the_picture_rings_what_changed(runs: list[RunFolder]) -> None:
    figure = plot_history(trace_history(runs))
    rings = [
        line
        for axes in figure.axes
        for line in axes.get_lines()
        if line.get_markersize() > 10 and len(line.get_xdata()) == 1
    ]
    assert len(rings) == 3


def test_a_history_is_a_table_json_and_a_picture(nights: Path, tmp_path: Path) -> None:
    written = write_history([nights], tmp_path / "out")
    assert [p.name for p in written] == ["history.md", "history.json", "history.png", "history.svg"]
    assert all(path.stat().st_size for path in written)
