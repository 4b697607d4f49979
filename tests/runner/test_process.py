"""One worker as its parent sees it, from the moment it is started."""

import time
from pathlib import Path

import pytest

from leakbench.conclude import conclude
from leakbench.plan import replicate_folder, write_plan
from leakbench.plan.matrix import CellRequest
from leakbench.record.trace import End
from leakbench.runner.process import WorkerProcess
from leakbench.runner.requests import replicate_request
from tests.cells import plan_for


def start(folder: Path) -> WorkerProcess:
    """Start a bounded subject's first replicate in a run's folder."""
    plan = plan_for([CellRequest(subject="leakbench.controls:bounded", scenario="silence")])
    write_plan(folder, plan)
    cell = plan.cells[0]
    request = replicate_request(plan, folder, cell, 0)
    return WorkerProcess(replicate_folder(folder, cell, 0), cell.subject, request, plan.limits)


def wait_for_end(worker: WorkerProcess) -> End:
    while (end := worker.poll()) is None:
        time.sleep(0.05)
    return end


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1])
def test_a_worker_stopped_while_it_starts_was_stopped_not_killed(
    tmp_path: Path, delay: float
) -> None:
    worker = start(tmp_path / "run")
    time.sleep(delay)
    worker.stop()
    assert wait_for_end(worker).ending == "stopped"


def test_a_worker_that_someone_else_ends_before_it_begins_was_killed(tmp_path: Path) -> None:
    worker = start(tmp_path / "run")
    worker._process.terminate()
    end = wait_for_end(worker)
    assert end == End(ending="killed", detail="died of SIGTERM")
    assert conclude(tmp_path / "run").cells[0].error == "killed: died of SIGTERM"
