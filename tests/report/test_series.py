from pathlib import Path

import numpy as np
import pytest

from leakbench.record.trace import ObjectSize, Sample, Trace
from leakbench.report.run_folder import RunFolder, read_run
from leakbench.report.series import (
    CellTraces,
    Panel,
    choose_panels,
    end_seconds,
    find_metric,
    read_series,
)
from tests.report.run_folders import fixed_cell, leaking_cell, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    cells = [
        leaking_cell(),
        fixed_cell(segments=450),
        leaking_cell("night", metrics=(), verdict="error", replicates=0, endings=()),
    ]
    return read_run(write_run(tmp_path_factory.mktemp("series") / "run", cells))


def paths(panels: tuple[Panel, ...]) -> list[str]:
    return [panel.path for panel in panels]


def sample(chunk: int, objects: dict[str, ObjectSize]) -> Sample:
    return Sample(
        chunk=chunk,
        audio_seconds=chunk * 0.6,
        wall_seconds=0.0,
        phase=0,
        segments=0,
        streams=1,
        objects=objects,
    )


def test_named_buffers_lead_then_what_grows_then_the_total_and_the_process(run: RunFolder) -> None:
    panels = choose_panels([run.cells[0]])
    assert paths(panels) == [
        "stats.decibel",
        "stats.data_buf",
        "stats.data_buf_all",
        "stats.scores",
        "total",
        "process",
        "process",
        "process",
    ]
    assert [panel.metric for panel in panels[-3:]] == ["heap_bytes", "rss_bytes", "chunk_seconds"]


def test_a_list_is_drawn_by_its_length_and_a_tensor_by_its_storage(run: RunFolder) -> None:
    metrics = {panel.path: panel.metric for panel in choose_panels([run.cells[0]])}
    assert metrics["stats.decibel"] == "elements"
    assert metrics["stats.scores"] == "storage_bytes"
    assert metrics["total"] == "storage_bytes"


def test_what_grows_in_a_flat_cell_is_drawn_too_and_nothing_else(run: RunFolder) -> None:
    shown = paths(choose_panels([run.cells[1]]))
    assert "stats.output_data_buf" in shown
    assert "stats.scores" not in shown
    assert "stats" not in shown


def test_a_path_inside_a_growing_container_is_not_drawn_beside_it() -> None:
    grown = Trace(
        tuple(
            sample(
                n,
                {
                    "cache": ObjectSize(2, 500 + 60 * n, 0),
                    "cache.history": ObjectSize(n, 60 + 60 * n, 0),
                    "cache.history[].note": ObjectSize(n, 50 * n, 0),
                    "cache.text": ObjectSize(0, 40 + n, 0),
                },
            )
            for n in range(1, 20)
        )
    )
    panels = choose_panels([CellTraces(cell=fixed_cell(warmup_seconds=0.0), traces=(grown,))])
    assert paths(panels) == ["cache.history", "cache.text"]
    assert panels[1].metric == "python_bytes"


def test_a_cell_without_samples_has_no_panels(run: RunFolder) -> None:
    assert choose_panels([run.cells[2]]) == ()


def test_samples_taken_at_other_phases_are_left_out(run: RunFolder) -> None:
    trace = run.cells[0].traces[0]
    series = read_series(trace, Panel("stats.decibel", "elements"))
    everything = trace.column("stats.decibel", "elements")
    assert len(series.values) == 11
    assert len(everything) > len(series.values)
    assert np.array_equal(np.diff(series.values), np.full(10, 6_400))


def test_a_run_that_met_no_phase_twice_keeps_all_its_samples() -> None:
    samples = [sample(n, {"a": ObjectSize(n, n, 0)}) for n in range(1, 4)]
    phased = [
        Sample(
            chunk=s.chunk,
            audio_seconds=s.audio_seconds,
            wall_seconds=0.0,
            phase=s.chunk,
            segments=0,
            streams=1,
            objects=s.objects,
        )
        for s in samples
    ]
    assert len(read_series(Trace(tuple(phased)), Panel("a", "elements")).values) == 3


def test_the_axis_ends_with_the_longest_replicate(run: RunFolder) -> None:
    assert end_seconds(run.cells[:2]) == pytest.approx(600.0)
    assert end_seconds([run.cells[2]]) > 0


def test_a_verdict_is_found_by_path_and_metric(run: RunFolder) -> None:
    cell = run.cells[0].cell
    found = find_metric(cell, Panel("stats.decibel", "elements"))
    assert found is not None
    assert found.slope_per_audio_hour == 384_000
    assert find_metric(cell, Panel("stats.nothing", "elements")) is None


def test_traces_are_read_for_every_replicate(run: RunFolder, tmp_path: Path) -> None:
    assert [len(cell.traces) for cell in run.cells] == [3, 3, 0]
