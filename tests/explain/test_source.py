"""The function that a line is in, from a file's source."""

from pathlib import Path

import pytest

from leakbench.explain.source import function_at

SOURCE = """\
TABLE = [n for n in range(3)]

class Outer:
    size = len(TABLE)

    def method(self):
        def inner(value):
            return (lambda: value)()

        return [inner(n) for n in TABLE]

def last(): return 1
"""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (1, ""),
        (4, ""),
        (6, "Outer.method"),
        (8, "Outer.method.inner"),
        (10, "Outer.method"),
        (12, "last"),
    ],
)
def test_a_line_is_in_its_innermost_named_function(tmp_path: Path, line: int, name: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(SOURCE)
    assert function_at(str(file), line) == name


@pytest.mark.parametrize("text", ["def broken(:", "\0"])
def test_what_cannot_be_compiled_has_no_functions(tmp_path: Path, text: str) -> None:
    file = tmp_path / "module.py"
    file.write_text(text)
    assert function_at(str(file), 1) == ""
    assert function_at(str(tmp_path / "missing.py"), 1) == ""
