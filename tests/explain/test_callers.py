"""The line of the subject that called the line of numpy which allocates."""

from pathlib import Path

import pytest

from leakbench.explain.callers import lines_without_caller, name_callers
from leakbench.explain.source import describe_lines
from tests.explain.workers import explain_alone

SUBJECTS = Path(__file__).parent / "calling_subjects.py"
NUMPY = "/venv/site-packages/numpy/_core/_methods.py", 132
OWN = "/project/stream.py", 30
OTHER = "/project/stream.py", 40


def test_the_line_of_the_subject_comes_first_and_numpys_after_it(tmp_path: Path) -> None:
    (growth,) = explain_alone(tmp_path, f"{SUBJECTS}:Calling", {}, paths=("log",)).growths
    assert growth.path == "log"
    first = growth.allocations[0]
    assert first.source == "self.log.append(samples.mean())"
    assert first.function == "Calling.keep"
    assert first.through[-1].file.endswith("numpy/_core/_methods.py")
    assert first.share > 0.9


def test_lines_that_call_the_same_line_of_a_library_have_a_share_each(tmp_path: Path) -> None:
    (growth,) = explain_alone(tmp_path, f"{SUBJECTS}:FromTwoLines", {}, paths=("log",)).growths
    shares = {line.source: line.share for line in growth.allocations}
    # Eight bytes in forty are the list's own, and it may grow under the same line each time.
    assert shares["self.log.append(samples.mean())"] == pytest.approx(0.5, abs=0.13)
    assert shares["self.log.append(samples[:50].mean())"] == pytest.approx(0.5, abs=0.13)
    assert sum(shares.values()) == pytest.approx(1.0, abs=0.01)


def test_only_lines_of_libraries_are_asked_about() -> None:
    lines = describe_lines({(NUMPY,): 90.0, (OWN,): 10.0, (OTHER, NUMPY): 5.0}, 1.0)
    assert lines_without_caller(lines) == {NUMPY}


def test_bytes_go_to_the_callers_as_they_were_seen_to_call() -> None:
    lines = describe_lines({(NUMPY,): 90.0, (OWN,): 10.0}, 1.0)
    named = name_callers(lines, {NUMPY: {(OWN, NUMPY): 2, (OTHER, NUMPY): 1}})
    assert [((line.file, line.line), line.bytes_per_hour) for line in named] == [
        (OWN, 70.0),
        (OTHER, 30.0),
    ]
    assert [line.through[-1].line for line in named] == [132, 132]


def test_a_line_whose_caller_was_not_seen_stays() -> None:
    lines = describe_lines({(NUMPY,): 90.0}, 1.0)
    assert name_callers(lines, {}) == lines
