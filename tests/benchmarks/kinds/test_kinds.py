"""Small inputs of known truth, through the command line as users call it."""

import importlib
from pathlib import Path

import pytest

from benchmarks import kinds
from benchmarks.kinds import BOUNDED, LEAKS, REAL, Case, drive

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
    assert not outcome.faults, (outcome.reason, outcome.rate, outcome.line)
    assert not outcome.is_undecided, outcome.reason


def test_there_is_a_class_for_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(kinds.HERE))
    for case in (*LEAKS, *BOUNDED, *REAL):
        module = importlib.import_module(case.file.removesuffix(".py"))
        assert issubclass(getattr(module, case.name), module.Kind)


def test_there_are_enough_of_both() -> None:
    assert len(LEAKS) >= 40
    assert len(BOUNDED) >= 15


def test_no_two_cases_are_called_the_same() -> None:
    titles = [case.title for case in (*LEAKS, *BOUNDED, *REAL)]
    assert len(titles) == len(set(titles))
