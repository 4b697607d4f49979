"""The release that leaks by itself: the lines that make its buffers, and their shares."""

from pathlib import Path

import pytest

from leakbench.conclude import conclude
from leakbench.errors import ProvisionError
from leakbench.metrics import TOTAL_PATH
from leakbench.plan import write_plan
from leakbench.plan.matrix import CellRequest
from leakbench.runner.explaining import explain_cell
from leakbench.runner.schedule import run_plan
from tests.cells import Recorder, plan_for

pytest.importorskip("torch", reason="needs the funasr extra: pip install 'leakbench[funasr]'")


def test_the_lines_of_the_original_vad_are_named_with_the_shares_measured(tmp_path: Path) -> None:
    try:
        plan = plan_for([CellRequest(subject="original", scenario="silence", audio_seconds=60.0)])
    except ProvisionError as error:
        pytest.skip(str(error))
    write_plan(tmp_path / "run", plan)
    run_plan(plan, tmp_path / "run", Recorder())
    result = conclude(tmp_path / "run").cells[0]
    explanation = explain_cell(plan, tmp_path / "run", plan.cells[0], result)
    assert not explanation.error, explanation.error
    shares = {(line.function, line.source): line.share for line in explanation.allocations}
    measured = {
        metric.path: metric.slope_per_audio_hour
        for metric in result.metrics
        if metric.metric == "storage_bytes" and metric.slope_per_audio_hour
    }
    total = measured[TOTAL_PATH]
    scores = 'cache["stats"].scores = torch.cat((cache["stats"].scores, scores), dim=1)'
    audio = 'cache["stats"].data_buf_all = torch.cat('
    for function, source, path in (
        ("FsmnVADStreaming.ComputeScores", scores, "stats.scores"),
        ("FsmnVADStreaming.ComputeDecibel", audio, "stats.data_buf_all"),
    ):
        assert shares[function, source] == pytest.approx(measured[path] / total, abs=0.03)
    extend = 'cache["stats"].decibel.extend(decibel_numpy)'
    assert shares["FsmnVADStreaming.ComputeDecibel", extend] > 0
