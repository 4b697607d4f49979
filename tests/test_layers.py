"""The rules of ARCHITECTURE.md: who may import what, and who may print."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "leakbench"
FILES = {
    ".".join(("leakbench", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}

INFERENCE = {"torch", "funasr", "torchaudio", "funasr_onnx", "onnxruntime", "onnx"}
"""What only subjects and fixes may know."""
WORKER_MAY = {"leakbench", "numpy", "psutil"}
PURE = {"__future__", "collections", "dataclasses", "enum", "functools", "itertools", "math"} | {
    *("bisect", "csv", "re", "statistics", "typing", "numpy", "scipy", "leakbench"),
}
"""What judgement needs: nothing that reads, writes, waits or asks for the time."""
VERDICT_MAY = {"errors", "units", "trace", "result", "verdict"}
REPORT_MAY_NOT = {"audio", "cli", "library", "probes", "pytest_plugin", "runner", "worker"}
HOMES = {
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "scipy": {"verdict"},
    "click": {"cli"},
    "rich": {"cli"},
    "soundfile": {"audio"},
    "soxr": {"audio"},
    "pytest": {"pytest_plugin"},
    **{model: {"funasr", "fixes"} for model in INFERENCE},
}
"""Where a tool may be imported."""


def is_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def statements(tree: ast.AST, *, deferred: bool) -> Iterator[ast.AST]:
    """Yield every node that runs; without what functions import when they are called."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt) and is_type_checking(node):
            continue
        if not deferred and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield node
        yield from statements(node, deferred=deferred)


def imports(name: str, *, deferred: bool = True) -> set[str]:
    """Return the dotted names that a module imports, each as deep as it names a module."""
    found = set()
    package = name if FILES[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in statements(TREES[name], deferred=deferred):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, *filter(None, [node.module])]) if node.level else node.module
            assert base is not None
            deeper = {f"{base}.{alias.name}" for alias in node.names} & set(FILES)
            found |= deeper or {base}
    return found


def top(name: str) -> str:
    return name.partition(".")[0]


def part(name: str) -> str:
    """Return the package or module right below leakbench."""
    return name.split(".")[1] if "." in name else ""


MODULES = sorted(FILES)


def ours(name: str) -> set[str]:
    """Return the parts of leakbench that a module imports."""
    return {part(imported) for imported in imports(name) if top(imported) == "leakbench"} - {""}


def test_no_imports_go_round() -> None:
    arrows = {name: imports(name, deferred=False) & set(FILES) for name in MODULES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for imported in sorted(arrows[name] - {name}):
                visit(imported, (*trail, name))
            done.add(name)

    for name in MODULES:
        visit(name, ())


def test_tools_stay_where_they_belong() -> None:
    strays = [
        f"{name} imports {imported}"
        for name in MODULES
        for imported in imports(name)
        if part(name) not in HOMES.get(top(imported), {part(name)})
    ]
    assert not strays


def test_judgement_reads_nothing_and_waits_for_nothing() -> None:
    strays = [
        f"{name} imports {imported}"
        for name in MODULES
        if part(name) == "verdict"
        for imported in imports(name)
        if top(imported) not in PURE
    ]
    assert not strays
    for name in MODULES:
        if part(name) == "verdict":
            assert not calls(name) & {"open", "print", "input"}, name
            assert ours(name) <= VERDICT_MAY, name


def test_reports_are_made_from_what_is_on_disk() -> None:
    for name in MODULES:
        if part(name) == "report":
            assert not ours(name) & REPORT_MAY_NOT, name


def test_nothing_below_the_command_line_knows_of_it() -> None:
    knowing = {part(name) for name in MODULES if "cli" in ours(name)}
    assert knowing <= {"cli", "__main__"}


def test_only_the_command_line_prints_and_exits() -> None:
    for name in MODULES:
        if part(name) != "cli":
            said = calls(name) & {"print", "exit", "sys.exit", "sys.stdout.write"}
            assert not said, f"{name} calls {', '.join(said)}"


def calls(name: str) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)}


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
    assert set(done.stdout.split()) <= WORKER_MAY


def _with_site_packages(code: str) -> str:
    folders = [str(PACKAGE.parent), *(folder for folder in sys.path if "site-packages" in folder)]
    return f"import sys; sys.path += {folders!r}\n{code}"
