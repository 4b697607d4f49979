"""One worker as its parent sees it, from the moment it is started."""

import dataclasses
import math
import time
from pathlib import Path

import psutil
import pytest

from leakbench.conclude import conclude
from leakbench.plan import replicate_folder, write_plan
from leakbench.plan.matrix import CellRequest
from leakbench.record.request import read_request
from leakbench.record.trace import End
from leakbench.runner.process import WorkerProcess
from leakbench.runner.requests import replicate_request
from tests.cells import plan_for


def start(folder: Path) -> WorkerProcess:
    """Start a bounded subject's first replicate in a run's folder."""
    plan = plan_for([CellRequest(subject="leakbench.controls:bounded", scenario="silence")])
    write_plan(folder, plan)
    cell = plan.cells[0]
    # Nobody is there to tell it what comes of what it measured.
    request = dataclasses.replace(replicate_request(plan, folder, cell, 0), awaits_word=False)
    return WorkerProcess(replicate_folder(folder, cell, 0), cell.subject, request, plan.limits)


def temp_folder_of(worker: WorkerProcess) -> Path:
    return Path(read_request(worker.folder).temp_folder)


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


@pytest.mark.parametrize("ended", ["completed", "killed", "aborted"])
def test_a_worker_has_a_temporary_folder_of_its_own_until_it_ends(
    tmp_path: Path, ended: str
) -> None:
    worker = start(tmp_path / "run")
    folder = temp_folder_of(worker)
    environment = psutil.Process(worker._process.pid).environ()
    assert folder.is_dir()
    assert environment["TMPDIR"] == str(folder)
    (folder / "left" / "behind").mkdir(parents=True)
    if ended == "completed":
        worker.allow(math.inf)
    elif ended == "killed":
        worker._process.kill()
    if ended == "aborted":
        worker.abort()
    else:
        assert wait_for_end(worker).ending == ended
    assert not folder.exists()


def test_no_two_workers_share_a_temporary_folder(tmp_path: Path) -> None:
    workers = [start(tmp_path / "a"), start(tmp_path / "b")]
    assert len({temp_folder_of(worker) for worker in workers}) == 2
    for worker in workers:
        worker.abort()
