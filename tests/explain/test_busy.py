"""The line at which a detector that gets ever slower spends its time."""

from pathlib import Path

from tests.explain.workers import explain_alone

SUBJECTS = Path(__file__).parent / "calling_subjects.py"


def test_the_line_that_takes_ever_longer_is_named(tmp_path: Path) -> None:
    busy = explain_alone(tmp_path, f"{SUBJECTS}:Slower", {"cpu_seconds": 1e-3}).busy
    assert busy[0].source == "self.total = sum(range(self.chunks * 2000))"
    assert busy[0].share > 0.8


def test_no_line_is_looked_for_where_no_chunk_costs_more_than_the_last(tmp_path: Path) -> None:
    assert explain_alone(tmp_path, f"{SUBJECTS}:Slower", {}).busy == ()
