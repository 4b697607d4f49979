"""Sessions that anyone runs from a fresh checkout with nothing but Python and nox."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "types", "tests", "wheel", "leak"]
nox.options.reuse_existing_virtualenvs = True

CONSTRAINTS = "constraints.txt"
PLUGIN_TEST = """
import pytest


@pytest.mark.leak(scenario="silence")
def test_a_bounded_subject():
    return "leakbench.controls:bounded"


@pytest.mark.xfail(strict=True, reason="it leaks")
@pytest.mark.leak(scenario="silence")
def test_a_leaking_subject():
    return "leakbench.controls:leaky"
"""
PYPROJECT = nox.project.load_toml("pyproject.toml")


def _install(session: nox.Session, *groups: str) -> None:
    session.install(
        "-c",
        CONSTRAINTS,
        "-e",
        ".[funasr]",
        *nox.project.dependency_groups(PYPROJECT, *groups),
    )


@nox.session
def leak(session: nox.Session) -> None:
    """Run the leak gate: the original VAD must leak, the fixed ones must be flat."""
    _install(session)
    session.run("leakbench", "gate", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the test suite; pass a path or a pytest option to run part of it."""
    _install(session, "test")
    # Two files at a time, since most tests wait for workers of their own; whole files, since
    # tests of one file share a release driven through every case; in the order collected, which
    # has the short ones last.
    together = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    session.run("pytest", "-m", "not slow", *together, *session.posargs)


@nox.session(name="tests-slow")
def tests_slow(session: nox.Session) -> None:
    """Run the tests that drive hours of audio."""
    _install(session, "test")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Break files, tables and arguments by the thousand; pass a number of examples for more."""
    _install(session, "test")
    examples = next(iter(session.posargs), "3000")
    files = ("tests/cli/test_fuzz.py", "tests/cli/test_broken_files.py")
    env = {"LEAKBENCH_FUZZ_EXAMPLES": examples}
    session.run("pytest", "-m", "slow or not slow", "-n", "2", *files, env=env)


@nox.session
def mutants(session: nox.Session) -> None:
    """Mutate what decides, and see that tests notice; pass names of mutants to try only those."""
    _install(session, "test")
    session.install("mutmut==3.8.1")
    session.run("mutmut", "run", "--max-children", "2", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff, and who imports whom with import-linter."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy, strictly."""
    session.install(
        "-c",
        CONSTRAINTS,
        "-e",
        ".",
        *nox.project.dependency_groups(PYPROJECT, "lint"),
        "nox",
        "pytest",
    )
    session.run("mypy")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build a wheel, install it alone, and use it in an empty folder, as a user would."""
    with tempfile.TemporaryDirectory() as dist:
        session.run("pip", "wheel", "-q", "--no-deps", "--wheel-dir", dist, ".")
        session.install("-c", CONSTRAINTS, *map(str, Path(dist).glob("*.whl")), "pytest")
    # Outside the checkout, so that what is imported is what was installed.
    with tempfile.TemporaryDirectory() as empty, session.chdir(empty):
        bounded, leaky = "leakbench.controls:bounded", "leakbench.controls:leaky"
        session.run("leakbench", "run", "--subject", bounded, "--scenario", "silence")
        session.run(
            *("leakbench", "run", "--subject", leaky, "--scenario", "bursts", "--expect", "leak")
        )
        session.run("leakbench", "init")
        session.run("leakbench", "gate")
        Path("test_leaks.py").write_text(PLUGIN_TEST, encoding="utf-8")
        session.run("pytest", "-q", "--strict-markers", "test_leaks.py")


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure how much of the code the test suite runs."""
    _install(session, "test", "coverage")
    session.run("pytest", "-m", "not slow", "--cov", "--cov-report=term-missing", *session.posargs)
