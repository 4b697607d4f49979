"""What ``from leakbench import ...`` offers, pinned: names only ever join."""

import importlib
import inspect
import subprocess
import sys

import leakbench

NAMES = [
    "BudgetRule",
    "CellResult",
    "Judgement",
    "LeakbenchError",
    "Limits",
    "MetricResult",
    "Part",
    "Reach",
    "Result",
    "RunError",
    "Samples",
    "Scenario",
    "Segments",
    "Subject",
    "UsageError",
    "Verdict",
    "judge",
    "load_scenario",
    "parse_table",
    "read_result",
    "run",
]
PARAMETERS_OF_RUN = [
    "subject",
    "scenario",
    "audio",
    "at_least",
    "chunk_ms",
    "budget",
    "replicates",
    "jobs",
    "seed",
    "expect",
    "leaks_in",
    "model",
    "recordings",
    "limits",
    "output",
    "observer",
]


def test_the_public_names_are_these() -> None:
    assert sorted(leakbench.__all__) == NAMES
    assert set(NAMES) <= set(dir(leakbench))


def test_every_public_name_is_where_the_table_says_and_is_documented() -> None:
    for name, home in leakbench._HOMES.items():
        value = getattr(leakbench, name)
        assert value is getattr(importlib.import_module(home), name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), name


def test_the_parameters_of_run_are_these_and_all_but_two_are_by_name() -> None:
    parameters = inspect.signature(leakbench.run).parameters
    assert list(parameters) == PARAMETERS_OF_RUN
    by_name = [p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert by_name == PARAMETERS_OF_RUN[2:]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(leakbench, "no_such_name")


def test_importing_leakbench_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import leakbench; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new - sys.stdlib_module_names), 'leakbench.errors' in sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert loaded.stdout.split() == ["leakbench", "False"]


def test_every_public_name_can_be_had_without_torch_or_matplotlib() -> None:
    code = (
        "import sys, leakbench\n"
        "for name in leakbench.__all__: getattr(leakbench, name)\n"
        "print(*sorted({'torch', 'matplotlib', 'click', 'rich'} & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert loaded.stdout.split() == []
