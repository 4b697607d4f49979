"""The catalogue of metrics: what is entered once is found in every place that knows metrics."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from leakbench import run
from leakbench.conclude import conclude
from leakbench.errors import ConfigError
from leakbench.metrics import (
    PROCESS_PATH,
    Metric,
    add_metric,
    added_metric,
    metric_names,
    metric_of,
    panel_metrics,
)
from leakbench.plan.config import load_config
from leakbench.record.result import read_result, write_result
from leakbench.record.trace import TRACE_FILE
from leakbench.report.folder import write_report
from leakbench.units import parse_budget
from leakbench.verdict.budgets import parse_rule

HANDLES = Metric(
    name="handle_bytes",
    words="memory behind the handles of a driver",
    label="driver handles",
    title="memory of driver handles",
    quantity="bytes",
    scope="process",
    tier=metric_of("heap_bytes").tier,
    budget=parse_budget("16 KiB/h"),
    panel=9,
)
BYTES_A_SECOND = 512
"""What the process gains of audio, as a probe of it would have said."""


@pytest.fixture
def handles() -> Iterator[Metric]:
    with added_metric(HANDLES) as metric:
        yield metric


def test_every_metric_has_a_name_a_label_and_words_of_its_own() -> None:
    found = [metric_of(name) for name in metric_names()]
    assert {m.name for m in found} == set(metric_names())
    for texts in ([m.label for m in found], [m.words for m in found]):
        assert len(set(texts)) == len(found)
        assert all(texts)


def test_panels_are_in_the_order_of_their_places() -> None:
    places = [metric_of(name).panel for name in panel_metrics()]
    assert None not in places
    assert places == sorted(set(places))


def test_a_name_is_entered_once_and_unknown_ones_are_named() -> None:
    with pytest.raises(ConfigError, match="'heap_bytes' is in the catalogue already"):
        add_metric(metric_of("heap_bytes"))
    with pytest.raises(ConfigError, match=r"metric must be one of elements, .*got 'heep_bytes'"):
        metric_of("heep_bytes")


def test_a_metric_of_ones_own_is_gone_again_afterwards(handles: Metric) -> None:
    assert handles.name in metric_names("process")
    with (
        pytest.raises(RuntimeError),
        added_metric(
            Metric(
                name="x", words="x", label="x", quantity="bytes", scope="process", tier=handles.tier
            )
        ),
    ):
        raise RuntimeError
    assert "x" not in metric_names()


def test_an_added_metric_may_be_budgeted(handles: Metric, tmp_path: Path) -> None:
    assert parse_rule(f"process:{handles.name}=1 MiB/h").metric == handles.name
    config = tmp_path / "leakbench.toml"
    config.write_text(f'[[budget]]\npath = "process"\nmetric = "{handles.name}"\nlimit = "1 MiB/h"')
    assert load_config(config).budgets[0].rule.metric == handles.name


def test_an_added_metric_is_in_trace_verdict_table_page_plots_and_json(
    handles: Metric, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    driven = run("leakbench.controls:bounded", "silence", audio="2h", at_least="1h", output=folder)
    assert driven.verdict == "flat"
    grow(folder, handles.name)

    result = conclude(folder)
    write_result(folder, result)
    judged = next(m for m in read_result(folder).cells[0].metrics if m.metric == handles.name)
    assert (judged.path, judged.verdict, judged.gated) == (PROCESS_PATH, "leak", True)
    assert judged.slope_per_audio_hour == pytest.approx(3600 * BYTES_A_SECOND, rel=0.01)
    assert judged.budget == "16 KiB/h"

    written = {path.name: path for path in write_report(folder)}
    page = written["report.html"].read_text(encoding="utf-8")
    assert "driver handles" in page
    assert "driver handles" in written["summary.md"].read_text(encoding="utf-8")
    assert "memory of driver handles" in page
    assert handles.name in (folder / "result.json").read_text(encoding="utf-8")
    plots = [path for path in written.values() if path.suffix == ".svg"]
    assert any("memory of driver handles" in plot.read_text(encoding="utf-8") for plot in plots)


def grow(folder: Path, name: str) -> None:
    """Have the traces of a run say what a probe of `name` would have given at each look."""
    for trace in folder.rglob(TRACE_FILE):
        rows = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            if row["process"]:
                row["process"][name] = BYTES_A_SECOND * row["audio_seconds"]
        trace.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
