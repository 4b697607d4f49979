"""A failed check shows the limit beside the observation."""

from leakbench.hosts.failure import ROWS_AT_MOST, describe_cell, describe_growth
from leakbench.record.result import CellResult, MetricResult


def metric(path: str = "cache", **changes: object) -> MetricResult:
    values: dict[str, object] = {
        "path": path,
        "metric": "python_bytes",
        "verdict": "leak",
        "slope_per_audio_hour": 2048.0,
        "low": 2048.0,
        "high": 2048.0,
        "budget_per_audio_hour": 1024.0,
        **changes,
    }
    return MetricResult(**values)  # type: ignore[arg-type]


def cell(**changes: object) -> CellResult:
    values: dict[str, object] = {
        "id": "x",
        "subject": "vad.py:Vad",
        "scenario": "silence",
        "chunk_ms": 600,
        "model": "embedded",
        "expect": None,
        "verdict": "leak",
        "as_expected": False,
        "audio_seconds": 42.0,
        "wall_seconds": 1.0,
        "segments": 0,
        "metrics": (metric(), metric("flat", verdict="flat")),
        "reason": "cache python_bytes: grows",
        **changes,
    }
    return CellResult(**values)  # type: ignore[arg-type]


def test_a_leak_shows_what_was_seen_beside_what_is_allowed() -> None:
    lines = describe_cell(cell())
    assert lines[0] == "leak: cache python_bytes: grows"
    assert lines[1].split() == ["subject", "vad.py:Vad"]
    assert lines[3].split() == ["path", "metric", "observed", "limit", "verdict"]
    assert lines[4].split() == ["cache", "python_bytes", "2", "KiB/h", "1", "KiB/h", "leak"]
    assert len(lines) == 5


def test_an_undecided_cell_says_what_to_do() -> None:
    undecided = metric(verdict="undecided", slope_per_audio_hour=None, budget_per_audio_hour=None)
    lines = describe_cell(cell(verdict="undecided", metrics=(undecided,), replicates=3))
    assert "in 3 processes" in lines[2]
    assert "not yet known" in lines[4]
    assert "raise audio=" in lines[-1]


def test_an_error_shows_its_line_and_no_table() -> None:
    lines = describe_cell(cell(verdict="error", error="raised: ValueError"))
    assert lines[0] == "error: raised: ValueError"
    assert len(lines) == 3


def test_the_table_ends_after_the_worst() -> None:
    many = [metric(f"cache_{index}") for index in range(ROWS_AT_MOST + 2)]
    lines = describe_growth(many, unit="round", scale=lambda rate: rate / 1024)
    assert "2 B/round" in lines[1]
    assert lines[-1].strip() == "and 2 more"
    assert describe_growth([], unit="h", scale=float) == []
