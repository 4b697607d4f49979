import dataclasses
import json
from pathlib import Path

import pytest

from leakbench.errors import OutputError
from leakbench.record.result import (
    CellResult,
    MetricResult,
    Parity,
    Result,
    read_result,
    write_result,
)

METRIC = MetricResult(
    path="stats.decibel",
    metric="elements",
    verdict="leak",
    slope_per_audio_hour=384_000.0,
    low=384_000.0,
    high=384_000.0,
    budget_per_audio_hour=0.0,
)
CELL = CellResult(
    id="original--silence",
    subject="original",
    scenario="silence",
    chunk_ms=600,
    model="embedded",
    expect="leak",
    verdict="leak",
    as_expected=True,
    audio_seconds=600.0,
    wall_seconds=30.0,
    segments=0,
    metrics=(METRIC,),
    endings=("stopped",),
    parity=Parity(reference="fixed", identical=True, chunks=100),
)
RESULT = Result(verdict="flat", cells=(CELL,), command=("leakbench", "gate"))


def test_a_result_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    assert read_result(tmp_path) == RESULT


def test_the_file_holds_every_documented_key(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    data = json.loads((tmp_path / "result.json").read_text())
    assert data["schema"] == "leakbench.result/1"
    assert {"verdict", "cells"} <= data.keys()
    cell = data["cells"][0]
    assert {
        "subject",
        "scenario",
        "chunk_ms",
        "model",
        "expect",
        "verdict",
        "audio_seconds",
        "wall_seconds",
        "segments",
        "metrics",
    } <= cell.keys()
    assert {
        "path",
        "metric",
        "verdict",
        "slope_per_audio_hour",
        "low",
        "high",
        "budget_per_audio_hour",
    } <= cell["metrics"][0].keys()
    assert {"reference", "identical", "first_difference"} <= cell["parity"].keys()


def test_a_later_result_with_more_keys_still_reads(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    path = tmp_path / "result.json"
    data = json.loads(path.read_text())
    data["added_later"] = 1
    data["cells"][0]["added_later"] = 1
    data["cells"][0]["metrics"][0]["added_later"] = 1
    path.write_text(json.dumps(data))
    assert read_result(tmp_path) == RESULT


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "expected a run folder"),
        ("{", "not JSON"),
        ("[]", "expected a JSON object, got list"),
        ('{"schema": "leakbench.result/9"}', "leakbench.result/9"),
    ],
)
def test_what_is_no_result_is_refused_with_one_line(
    tmp_path: Path, content: str | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    with pytest.raises(OutputError, match=says) as error:
        read_result(tmp_path)
    assert "\n" not in str(error.value)


def test_a_result_is_replaced_whole(tmp_path: Path) -> None:
    write_result(tmp_path, RESULT)
    write_result(tmp_path, dataclasses.replace(RESULT, verdict="leak"))
    assert read_result(tmp_path).verdict == "leak"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
