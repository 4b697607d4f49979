"""Real second runs of small cells: the right holder, the right line, and nothing disturbed."""

import dataclasses
from pathlib import Path

import pytest

from leakbench.conclude import conclude
from leakbench.plan import CELLS_FOLDER, Plan, write_plan
from leakbench.plan.matrix import CellRequest
from leakbench.record.explanation import Explanation, Growth, read_explanation
from leakbench.runner.explaining import explain_cell
from leakbench.runner.schedule import run_plan
from tests.cells import Recorder, plan_for

SUBJECTS = Path(__file__).parent / "leaky_subjects.py"


def drive(folder: Path, subject: str, scenario: str = "silence", seconds: float = 150.0) -> Plan:
    request = CellRequest(
        subject=subject, scenario=scenario, audio_seconds=seconds, at_least_seconds=seconds
    )
    plan = plan_for([request])
    write_plan(folder, plan)
    run_plan(plan, folder, Recorder())
    return plan


def explain(
    folder: Path, subject: str, scenario: str = "silence", seconds: float = 150.0
) -> Explanation:
    plan = drive(folder, subject, scenario, seconds)
    explanation = explain_cell(plan, folder, plan.cells[0], conclude(folder).cells[0])
    assert not explanation.error, explanation.error
    return explanation


def first_growth(folder: Path, subject: str, scenario: str = "silence") -> Growth:
    growths = explain(folder, subject, scenario).growths
    assert len(growths) == 1, [growth.chain for growth in growths]
    return growths[0]


@pytest.mark.parametrize(
    ("name", "chain", "source"),
    [
        ("ModuleGlobal", "leaky_subjects.HISTORY", "HISTORY.append(self.chunks + 0.5)"),
        ("GlobalKeys", "leaky_subjects.SEEN", 'SEEN[f"chunk {self.chunks}"] = None'),
        (
            "ThreadLocal",
            "leaky_subjects.LOCAL (thread-local).levels",
            "LOCAL.levels.append(self.chunks + 0.5)",
        ),
        (
            "ClassAttribute",
            "leaky_subjects.ClassAttribute.heard",
            "self.heard.append(self.chunks + 0.5)",
        ),
        (
            "Closure",
            "leaky_subjects._make_counter.<locals>.count.<closure counted>",
            "counted.append(value + 0.5)",
        ),
    ],
)
def test_a_container_outside_the_roots_is_named_with_its_holder_and_line(
    tmp_path: Path, name: str, chain: str, source: str
) -> None:
    growth = first_growth(tmp_path / "run", f"{SUBJECTS}:{name}")
    assert not growth.inside_roots
    assert growth.chain == chain
    assert (growth.amount, growth.per, growth.quantity) == (1, "chunk", "items")
    assert growth.allocations[0].source == source
    assert growth.allocations[0].share > 0.9


def test_a_chain_of_objects_is_named_by_its_type(tmp_path: Path) -> None:
    growth = first_growth(tmp_path / "run", f"{SUBJECTS}:Chain")
    assert (growth.kind, growth.type) == ("objects", "leaky_subjects.Node")
    assert growth.chain == "Chain.newest.before.before..."
    assert growth.allocations[0].source == "self.newest = Node(self.newest)"


def test_an_array_replaced_by_a_longer_one_is_a_buffer_that_grows(tmp_path: Path) -> None:
    growth = first_growth(tmp_path / "run", f"{SUBJECTS}:JoinedArray")
    assert growth.kind == "buffer"
    assert growth.chain == "leaky_subjects.JOINED['audio']"
    assert (growth.amount, growth.per) == (400, "chunk")
    assert "np.concatenate" in growth.allocations[0].source


def test_a_list_in_another_thread_is_found(tmp_path: Path) -> None:
    growth = first_growth(tmp_path / "run", f"{SUBJECTS}:OtherThread")
    assert "_keep" in growth.chain
    assert growth.allocations[0].source == "kept.append(len(kept) + 0.5)"


def test_a_path_below_a_root_is_called_as_in_the_trace(tmp_path: Path) -> None:
    growth = first_growth(tmp_path / "run", "leakbench.controls:leaky")
    assert growth.path == "retained"
    assert growth.chain == "Retaining.retention.held"
    assert growth.allocations[0].function == "FloatPerChunk._on_chunk"


def test_growth_that_comes_with_segments_is_counted_a_segment(tmp_path: Path) -> None:
    growth = first_growth(tmp_path / "run", "leakbench.controls:leaky_segments", "alternating")
    assert (growth.amount, growth.per) == (1, "segment")


def test_audio_that_a_view_pins_is_said_to_be_the_audio_that_was_fed(tmp_path: Path) -> None:
    growth = first_growth(tmp_path / "run", "leakbench.controls:leaky_storage")
    # The line to mend first, though nearly all of the bytes are the harness's audio.
    own, fed = growth.allocations[:2]
    assert own.source == "self.held.append(samples[:1])"
    assert "audio that was fed" in fed.note
    assert fed.share > 0.9


def test_memory_that_no_object_holds_is_native_with_its_size(tmp_path: Path) -> None:
    explanation = explain(
        tmp_path / "run", "leakbench.controls:leaky_native", "silence", seconds=7200.0
    )
    assert explanation.growths == ()
    assert explanation.native_bytes_per_hour == pytest.approx(60 * 1040, rel=0.3)


@pytest.mark.parametrize("name", ["bounded", "filling"])
def test_a_bounded_subject_has_nothing_that_grows(tmp_path: Path, name: str) -> None:
    explanation = explain(tmp_path / "run", f"leakbench.controls:{name}")
    assert explanation.growths == ()
    assert explanation.native_bytes_per_hour is None


def test_explaining_changes_neither_the_verdict_nor_a_figure(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    plan = drive(folder, "leakbench.controls:leaky")
    replicate = folder / CELLS_FOLDER / plan.cells[0].id / "r0"
    before = {path.name: path.read_bytes() for path in replicate.iterdir()}
    verdict = conclude(folder, wall_seconds=0.0)
    explanation = explain_cell(plan, folder, plan.cells[0])
    assert conclude(folder, wall_seconds=0.0) == verdict
    assert {path.name: path.read_bytes() for path in replicate.iterdir()} == before
    assert read_explanation(folder / CELLS_FOLDER / plan.cells[0].id) == dataclasses.replace(
        explanation
    )


def test_a_second_run_that_fails_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    plan = drive(folder, "leakbench.controls:leaky")
    cell = plan.cells[0]
    gone = dataclasses.replace(cell.subject, factory="leakbench.controls:gone")
    explanation = explain_cell(plan, folder, dataclasses.replace(cell, subject=gone))
    assert "refused" in explanation.error


def test_growth_too_rare_for_the_second_run_is_waited_for_and_told_at_the_measured_rate(
    tmp_path: Path,
) -> None:
    explanation = explain(
        tmp_path / "run", f"{SUBJECTS}:EveryFiftiethPeriod", "silence", seconds=2400.0
    )
    (growth,) = explanation.growths
    assert growth.seen_once
    assert growth.path == "kept"
    assert growth.amount == pytest.approx(12, rel=0.2)
    assert growth.per == "hour"
    assert growth.allocations[0].source == "self.kept.append([self.chunks + 0.5])"
