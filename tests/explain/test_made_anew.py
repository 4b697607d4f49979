"""What is another object at each look is found by the path that is known to leak."""

from pathlib import Path

import pytest

from tests.explain.workers import explain_alone

SUBJECTS = Path(__file__).parent / "anew_subjects.py"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Queue", "self.kept = [0.0] * (100 + self.chunks)"),
        ("Number", "self.kept = 1 << (4000 + 8 * self.chunks)"),
        ("Text", 'self.kept = "levels: " + self.chunks * "."'),
    ],
)
def test_the_line_that_makes_it_is_named(tmp_path: Path, name: str, line: str) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:{name}", {}, paths=("x.kept",)).growths
    (growth,) = [growth for growth in found if growth.path == "x.kept"]
    assert growth.allocations[0].source == line
    assert growth.allocations[0].function == f"{name}.keep"


def test_nothing_is_told_of_a_path_that_is_not_known_to_leak(tmp_path: Path) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:Queue", {}, paths=("x.other",)).growths
    assert not [growth for growth in found if growth.path == "x.kept"]
