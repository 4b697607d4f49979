"""What the contracts of import-linter cannot say, and how long code may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "leakbench"
FILES = {
    ".".join(("leakbench", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
WORKER_MAY = {"leakbench", "numpy", "psutil"}
MODULE_LINES, FUNCTION_LINES = 400, 60


def wing(name: str) -> str:
    """Return the package or module right below leakbench."""
    return name.split(".")[1] if "." in name else ""


def calls(name: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)}


def test_judgement_opens_and_prints_nothing() -> None:
    for name in FILES:
        if wing(name) == "verdict":
            assert not calls(name) & {"open", "print", "input"}, name


def test_only_the_command_line_prints_and_exits() -> None:
    for name in FILES:
        if wing(name) != "cli":
            said = calls(name) & {"print", "exit", "sys.exit", "sys.stdout.write"}
            assert not said, f"{name} calls {', '.join(said)}"


@pytest.mark.parametrize("name", sorted(FILES))
def test_modules_and_functions_stay_short(name: str) -> None:
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    functions = [node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef)]
    assert not [f"{f.name}: {length(f)} lines" for f in functions if length(f) > FUNCTION_LINES]


def length(function: ast.FunctionDef) -> int:
    """Return the lines of a function, without the contract that its docstring states."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def test_a_worker_needs_numpy_and_psutil_alone() -> None:
    code = (
        "import sys\n"
        "import leakbench.worker.__main__, leakbench.controls\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(loaded - sys.stdlib_module_names - {'__main__', '__mp_main__'}))"
    )
    # Isolated but for our own folder: what .pth files load is no import of ours.
    done = subprocess.run(
        [sys.executable, "-S", "-c", _with_site_packages(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    # What sysconfig keeps its figures in has the platform's name.
    loaded = {name for name in done.stdout.split() if not name.startswith("_sysconfigdata")}
    assert loaded <= WORKER_MAY


def _with_site_packages(code: str) -> str:
    folders = [str(PACKAGE.parent), *(folder for folder in sys.path if "site-packages" in folder)]
    return f"import sys; sys.path += {folders!r}\n{code}"
