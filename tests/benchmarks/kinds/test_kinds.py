"""Small inputs of known truth, through the command line as users call it."""

import importlib
from pathlib import Path

import pytest

from benchmarks import run_kinds
from benchmarks.run_kinds import BOUNDED, LEAKS, Case, drive

REPORTED = (
    *("Graph", "GraphDetached", "MallocSegment", "Files", "Threads", "Tasks", "SharedMapping"),
    *("Cache", "Sessions", "Handlers", "Transcript", "RandomLength", "RandomOverLeak", "Slower"),
    *("Children", "TemporaryFiles", "PrivateMapping", "EveryTenthSegment", "Patterns"),
)
"""Those that people have reported in public, and that a default run once got wrong."""
CASES = {case.name: case for case in (*LEAKS, *BOUNDED)}


@pytest.mark.parametrize("case", [CASES[name] for name in REPORTED], ids=REPORTED)
def test_a_run_with_default_options_says_what_is_so(case: Case, tmp_path: Path) -> None:
    if case.name.startswith("Graph"):
        pytest.importorskip("torch")
    outcome = drive(case, "20m", tmp_path)
    assert outcome.verdict == ("leak" if case.leaks else "flat"), outcome.why
    if case.leaks:
        assert outcome.metric in case.metrics
        assert outcome.error is None or abs(outcome.error) <= 0.02, outcome.rate


def test_there_is_a_class_for_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(run_kinds.HERE))
    for case in CASES.values():
        module = importlib.import_module(case.file.removesuffix(".py"))
        assert issubclass(getattr(module, case.name), module.Kind)


def test_there_are_enough_of_both() -> None:
    assert len(LEAKS) >= 40
    assert len(BOUNDED) >= 15
