"""Real workers, driven to the end: both controls, and everything that can go wrong."""

from pathlib import Path

import psutil
import pytest

from leakbench.conclude import conclude
from leakbench.plan import Limits, replicate_folder, write_plan
from leakbench.plan.matrix import CellRequest
from leakbench.record.result import MetricResult, Outcome
from leakbench.record.trace import read_end, read_trace
from leakbench.runner.process import Progress
from leakbench.runner.schedule import run_plan
from tests.cells import Recorder, plan_for, run_cell, run_cells

MISBEHAVING = Path(__file__).parents[1] / "misbehaving.py"


def request(name: str, scenario: str = "silence", **changes: object) -> CellRequest:
    subject = f"leakbench.controls:{name}" if name.islower() else f"{MISBEHAVING}:{name}"
    return CellRequest(subject=subject, scenario=scenario, **changes)  # type: ignore[arg-type]


def leaks(metrics: tuple[MetricResult, ...]) -> dict[tuple[str, str], MetricResult]:
    return {(m.path, m.metric): m for m in metrics if m.verdict == "leak" and m.gated}


def test_a_leak_a_chunk_is_found_with_its_exact_rate(tmp_path: Path) -> None:
    cell = run_cell(tmp_path / "run", request("leaky"))
    assert cell.verdict == "leak"
    found = leaks(cell.metrics)["retained", "elements"]
    assert found.slope_per_audio_hour == pytest.approx(6000)
    assert (found.rate, found.rate_per) == (1, "chunk")


def test_a_bounded_subject_is_flat(tmp_path: Path) -> None:
    cell = run_cell(tmp_path / "run", request("bounded", "alternating"))
    assert cell.verdict == "flat"
    assert cell.segments > 0
    assert not leaks(cell.metrics)


@pytest.mark.parametrize(
    ("name", "scenario", "per"),
    [("leaky_segments", "bursts", "segment"), ("leaky_streams", "reconnect", "stream")],
)
def test_a_leak_says_what_it_comes_with(tmp_path: Path, name: str, scenario: str, per: str) -> None:
    cell = run_cell(tmp_path / "run", request(name, scenario))
    found = leaks(cell.metrics)["retained", "elements"]
    assert found.rate == pytest.approx(1)
    assert found.rate_per == per


def test_storage_pinned_by_a_view_is_counted_whole(tmp_path: Path) -> None:
    cell = run_cell(tmp_path / "run", request("leaky_storage"))
    found = leaks(cell.metrics)["retained", "storage_bytes"]
    # A view of one sample keeps 9,600 samples of 4 bytes alive.
    assert found.rate == 9600 * 4


def test_a_cache_that_fills_and_a_sawtooth_are_not_leaks(tmp_path: Path) -> None:
    result = run_cells(
        tmp_path / "run", request("filling"), request("sawtooth", audio_seconds=1800)
    )
    assert [cell.verdict for cell in result.cells] == ["flat", "flat"]


def test_a_cell_stops_as_soon_as_it_is_decided(tmp_path: Path) -> None:
    cell = run_cell(tmp_path / "run", request("leaky", audio_seconds=100 * 3600.0))
    assert cell.endings == ("stopped",)
    assert cell.audio_seconds < 50 * 3600


def test_audio_to_drive_in_any_case_is_driven(tmp_path: Path) -> None:
    cell = run_cell(tmp_path / "run", request("leaky", at_least_seconds=1800.0))
    assert cell.audio_seconds >= 1800


@pytest.mark.parametrize(
    ("name", "ending", "says"),
    [
        ("Raises", "raised", "ValueError: the model fell over with two lines"),
        ("ReturnsNonsense", "nonsense", "feed() must return a list"),
        ("ReturnsNone", "nonsense", "feed() must return a list"),
        ("IsKilled", "killed", "died of SIGKILL"),
        ("Exits", "killed", "exited with status 7"),
        ("RaisesWhileLoading", "raised", "RuntimeError: no model here"),
        ("NotASubject", "refused", "without start, feed, roots, close"),
        ("Missing", "refused", "has no 'Missing'"),
    ],
)
def test_a_subject_that_goes_wrong_is_an_error_in_one_line(
    tmp_path: Path, name: str, ending: str, says: str
) -> None:
    cell = run_cell(tmp_path / "run", request(name, audio_seconds=600))
    assert cell.verdict == "error"
    assert cell.endings == (ending,)
    assert says in cell.error
    assert "\n" not in cell.error


def test_a_subject_that_hangs_is_stopped_with_its_stack(tmp_path: Path) -> None:
    cell = run_cell(tmp_path / "run", request("Hangs"), Limits(chunk_seconds=1.0))
    assert (cell.verdict, cell.endings) == ("error", ("hung",))
    stacks = next((tmp_path / "run").rglob("stacks.txt")).read_text()
    assert "go_wrong" in stacks
    # What it had measured before is kept.
    assert cell.audio_seconds == pytest.approx(36.0)


def test_a_subject_that_outgrows_its_memory_is_stopped_and_judged(tmp_path: Path) -> None:
    cell = run_cell(tmp_path / "run", request("EatsMemory"), Limits(memory_bytes=1500 << 20))
    assert cell.endings in (("memory_limit",), ("stopped",))
    assert cell.verdict == "leak"
    assert leaks(cell.metrics)["eaten", "elements"].rate == 1


def test_neither_the_time_nor_the_memory_of_a_look_is_the_subjects(tmp_path: Path) -> None:
    limits = Limits(chunk_seconds=0.5, memory_bytes=160 << 20)
    cell = run_cell(tmp_path / "run", request("HoldsAChain", audio_seconds=30.0), limits)
    assert cell.endings == ("completed",)


def test_audio_that_does_not_reach_what_it_promises_is_an_error(tmp_path: Path) -> None:
    scenario = tmp_path / "mute.toml"
    scenario.write_text(
        'period_seconds = 6.0\nparts = [{kind = "silence", seconds = 6.0}]\n'
        "[reach]\nmin_segments_per_period = 1\n"
    )
    cell = run_cell(tmp_path / "run", request("bounded", str(scenario)))
    assert cell.verdict == "error"
    assert "segments a period must be at least 1, got 0" in cell.error


def test_an_interrupt_ends_the_children_and_keeps_the_samples(tmp_path: Path) -> None:
    class Impatient(Recorder):
        def advanced(self, cell: object, replicate: int, progress: Progress) -> None:
            if progress.audio_seconds > 30:
                raise KeyboardInterrupt

    plan = plan_for([request("Slow", audio_seconds=36000)])
    folder = tmp_path / "run"
    write_plan(folder, plan)
    with pytest.raises(KeyboardInterrupt):
        run_plan(plan, folder, Impatient())
    assert not [p for p in psutil.Process().children() if p.is_running() and "Slow" in str(p)]
    replicate = replicate_folder(folder, plan.cells[0], 0)
    assert read_trace(replicate).samples
    assert (read_end(replicate) or pytest.fail("no end")).ending in ("stopped", "interrupted")
    verdict: Outcome = conclude(folder).cells[0].verdict
    assert verdict in ("flat", "undecided")


def test_replicates_hear_different_audio_and_subjects_the_same(tmp_path: Path) -> None:
    result = run_cells(
        tmp_path / "run",
        request("bounded", "alternating", replicates=2),
        request("filling", "alternating", replicates=2),
    )
    folders = sorted((tmp_path / "run").rglob("begin.json"))
    stimuli = [path.read_text().split('"stimulus_sha256": "')[1][:64] for path in folders]
    assert stimuli[0] == stimuli[2] != stimuli[1] == stimuli[3]
    parity = result.cells[1].parity
    assert parity is not None
    assert parity.identical
    assert parity.chunks > 50
