"""Leaks explained by the worker that measured them, once it has."""

import dataclasses
import json
import signal
import time
from pathlib import Path

import pytest

from leakbench.conclude import conclude
from leakbench.metrics import PROCESS_PATH
from leakbench.plan import Explain, Plan, explain_folder, replicate_folder, write_plan
from leakbench.plan.matrix import CellRequest
from leakbench.record.explanation import Explanation
from leakbench.record.trace import read_end, read_trace
from leakbench.runner import process
from leakbench.runner.explaining import explain_cell, explain_leaks
from leakbench.runner.requests import replicate_request
from leakbench.runner.schedule import run_plan
from leakbench.worker.stages.stage import FINDINGS_FILE
from tests.cells import Recorder, plan_for
from tests.cli.calling import leakbench

SUBJECTS = Path(__file__).parent / "leaky_subjects.py"


def drive(folder: Path, subject: str, explain: Explain = "every", **request: object) -> Plan:
    """Drive a subject until it is decided, well before its audio ends."""
    cell = CellRequest(
        **{"subject": subject, "scenario": "silence", "audio_seconds": 3600.0, **request}  # type: ignore[arg-type]
    )
    plan = dataclasses.replace(plan_for([cell]), explain=explain)
    write_plan(folder, plan)
    run_plan(plan, folder, Recorder())
    return plan


def has_findings(folder: Path, plan: Plan) -> bool:
    return (explain_folder(folder, plan.cells[0]) / FINDINGS_FILE).exists()


def explained(folder: Path, plan: Plan) -> Explanation:
    return explain_cell(plan, folder, plan.cells[0], conclude(folder).cells[0])


@pytest.mark.parametrize(
    ("subject", "request_"),
    [
        ("leakbench.controls:leaky", {}),
        ("leakbench.controls:leaky_segments", {"scenario": "alternating"}),
        (f"{SUBJECTS}:BelowAndOutside", {}),
    ],
)
def test_it_finds_what_a_worker_of_its_own_finds(
    tmp_path: Path, subject: str, request_: dict[str, object]
) -> None:
    same = drive(tmp_path / "same", subject, **request_)
    assert has_findings(tmp_path / "same", same)
    other = drive(tmp_path / "other", subject, "none", **request_)
    assert not has_findings(tmp_path / "other", other)
    found = explained(tmp_path / "same", same)
    expected = explained(tmp_path / "other", other)
    assert not found.error
    assert found.growths
    assert {(g.chain, g.amount, g.per) for g in found.growths} == {
        (g.chain, g.amount, g.per) for g in expected.growths
    }
    assert [(a.function, a.source) for a in found.allocations] == [
        (a.function, a.source) for a in expected.allocations
    ]


def test_what_was_measured_is_the_same_with_and_without(tmp_path: Path) -> None:
    subject = "leakbench.controls:leaky"
    plans = {
        name: drive(tmp_path / name, subject, name, at_least_seconds=120.0)
        for name in ("every", "none")
    }
    figures = {
        name: [
            (sample.chunk, sample.objects)
            for sample in read_trace(replicate_folder(tmp_path / name, plan.cells[0], 0)).samples
            if sample.chunk <= 200
        ]
        for name, plan in plans.items()
    }
    assert figures["every"] == figures["none"]
    with_, without = (conclude(tmp_path / name).cells[0] for name in plans)
    assert (with_.verdict, with_.endings) == (without.verdict, without.endings)
    # How far each drove before it was stopped is a matter of time: so are the process's figures.
    of_objects = [
        {(m.path, m.metric, m.verdict, m.rate) for m in cell.metrics if m.path != PROCESS_PATH}
        for cell in (with_, without)
    ]
    assert of_objects[0] == of_objects[1]


def test_growth_with_pauses_is_waited_for(tmp_path: Path) -> None:
    plan = drive(tmp_path / "run", f"{SUBJECTS}:EveryTenthPeriod")
    assert has_findings(tmp_path / "run", plan)
    (growth,) = explained(tmp_path / "run", plan).growths
    assert growth.path == "kept"
    assert growth.allocations[0].source == "self.kept.append([self.chunks + 0.5])"


def test_what_leaks_in_the_first_stream_only_is_shown_by_a_new_subject(tmp_path: Path) -> None:
    plan = drive(tmp_path / "run", f"{SUBJECTS}:LeaksInItsFirstStream")
    findings = explain_folder(tmp_path / "run", plan.cells[0]) / FINDINGS_FILE
    assert json.loads(findings.read_text())["growths"] == []
    assert [g.path for g in explained(tmp_path / "run", plan).growths] == ["kept", ""]


def test_only_leaks_that_were_not_expected_are_explained_unless_asked_for(tmp_path: Path) -> None:
    expected = drive(tmp_path / "e", "leakbench.controls:leaky", "unexpected", expect="leak")
    unexpected = drive(tmp_path / "u", "leakbench.controls:leaky", "unexpected")
    assert not has_findings(tmp_path / "e", expected)
    assert has_findings(tmp_path / "u", unexpected)


def test_a_bounded_subject_is_not_explained(tmp_path: Path) -> None:
    plan = drive(tmp_path / "run", "leakbench.controls:bounded", audio_seconds=120.0)
    explain_leaks(plan, tmp_path / "run", conclude(tmp_path / "run"))
    assert not explain_folder(tmp_path / "run", plan.cells[0]).exists()


def test_a_worker_that_explains_can_be_ended_at_once(tmp_path: Path) -> None:
    plan = plan_for([CellRequest(subject=f"{SUBJECTS}:HangsOnRestart", scenario="silence")])
    write_plan(tmp_path / "run", plan)
    cell = plan.cells[0]
    request = replicate_request(plan, tmp_path / "run", cell, 0)
    folder = replicate_folder(tmp_path / "run", cell, 0)
    worker = process.WorkerProcess(folder, cell.subject, request, plan.limits)
    worker.allow(60.0)
    while not worker.is_waiting:
        assert worker.poll() is None
    worker.ask_to_explain(dataclasses.replace(request, explain_seconds=60.0))
    worker.stop()
    while read_end(folder) is None:
        assert worker.poll() is None
    # It hangs by now.
    time.sleep(1.0)
    assert worker.poll() is None
    assert worker.abort().ending == "stopped"
    assert worker._process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("name", ["RaisesOnRestart", "HangsOnRestart"])
def test_where_it_cannot_explain_the_verdict_stands_and_another_worker_explains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(process, "EXPLAIN_SECONDS", 1.0)
    folder = tmp_path / "run"
    plan = drive(folder, f"{SUBJECTS}:{name}")
    assert not has_findings(folder, plan)
    cell = conclude(folder).cells[0]
    assert (cell.verdict, cell.endings) == ("leak", ("stopped",))
    explanation = explained(folder, plan)
    assert not explanation.error
    assert [growth.path for growth in explanation.growths] == ["kept", ""]


LATE = """
import os, time
from leakbench.controls.energy_vad import EnergyVad

class Late(EnergyVad):
    chunks = 0

    def feed(self, samples, is_final):
        self.chunks += 1
        time.sleep(0.005)  # as slow as a model: the leak is seen before the end
        if self.chunks > 300:
            os.open("/dev/null", os.O_RDONLY)
        return super().feed(samples, is_final)

    def roots(self):
        return {"levels": self.levels}
"""


def test_a_leak_that_began_late_in_a_run_that_drove_to_its_end_is_explained(
    tmp_path: Path,
) -> None:
    (tmp_path / "late.py").write_text(LATE)
    options = ("--scenario", "silence", "--audio", "6m", "--at-least", "6m")
    done = leakbench("run", "--subject", "late.py:Late", *options, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    # A new worker would have to drive as far to see anything.
    assert "late.py:12" in done.stdout.replace("\n", "")
