"""The gate inside a test suite: ``@pytest.mark.leak`` and the ``leakbench`` fixture.

Installed with leakbench. A suite that uses neither pays for this module alone: whatever
measures and judges is imported by the first test that needs it. docs/ci.md is the guide.
"""

from __future__ import annotations

import inspect
import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from leakbench.hosts.inprocess import Watch
    from leakbench.hosts.library import BudgetLike
    from leakbench.record.result import CellResult

MARK: Final = "leak"
SUBJECT_ARGUMENT: Final = "subject"
"""The argument that a marked test receives its subject in, where it returns none."""

_MARK_HELP: Final = (
    f"{MARK}(scenario, audio=None, budget=(), ...): drive the subject that the test returns, or "
    f"receives as {SUBJECT_ARGUMENT!r}, through a scenario in a worker process; fail unless it is "
    "proved flat. Takes the arguments of leakbench.run."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the folder for what failed."""
    parser.getgroup("leakbench").addoption(
        "--leakbench-output",
        type=Path,
        metavar="DIR",
        help="Folder for the samples and plots of failed leak tests (default: in pytest's cache).",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, for suites with strict markers."""
    config.addinivalue_line("markers", _MARK_HELP)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a marked test for its subject and drive that."""
    mark = pyfuncitem.get_closest_marker(MARK)
    if mark is None:
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}
    returned = pyfuncitem.obj(**arguments)
    subject = arguments.get(SUBJECT_ARGUMENT) if returned is None else returned
    if subject is None and not mark.args and not mark.kwargs:
        return True  # Somebody else's mark of this name: the test was called, and that is all.
    _check_leak(pyfuncitem, subject, mark)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Judge what a passing test watched and did not judge itself."""
    yield
    bench = getattr(item, "funcargs", {}).get("leakbench")
    if isinstance(bench, Bench):
        bench.close()


@pytest.fixture(name="leakbench")
def _leakbench() -> Bench:
    """Watch objects of the test's own process: ``leakbench.watch(cache=cache).feed(step)``."""
    return Bench()


class Bench:
    """What the ``leakbench`` fixture gives a test."""

    def __init__(self) -> None:
        self._watches: list[GuardedWatch] = []

    def watch(
        self,
        subject: object = None,
        /,
        *,
        budget: BudgetLike = (),
        warmup_rounds: int | None = None,
        round_seconds: float | None = None,
        **objects: object,
    ) -> GuardedWatch:
        """Watch objects while the test drives them; judged when the test ends, if not before.

        Parameters
        ----------
        subject
            Something with ``roots()``, as a :class:`~leakbench.subject.Subject` has.
        budget
            Growth to allow, as for :func:`leakbench.run`; a chunk is one round.
        warmup_rounds
            Rounds at the start that no verdict uses; None for 2.
        round_seconds
            Audio that one round stands for; needed by budgets over time.
        objects
            What to watch, by name. A function is called at every look for what is there then.
        """
        from leakbench.hosts.inprocess import WARMUP_ROUNDS, Watch
        from leakbench.hosts.library import budget_rules

        watch = Watch(
            {**_roots(subject), **objects},
            rules=budget_rules(budget),
            warmup_rounds=WARMUP_ROUNDS if warmup_rounds is None else warmup_rounds,
            round_seconds=round_seconds,
        )
        guarded = GuardedWatch(watch)
        self._watches.append(guarded)
        return guarded

    def close(self) -> None:
        """Judge every watch that has not been judged."""
        for watch in self._watches:
            watch.close()


class GuardedWatch:
    """A :class:`~leakbench.hosts.inprocess.Watch` that fails the test unless it is proved flat."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._is_judged = False

    def feed(
        self,
        step: Callable[..., object],
        /,
        *arguments: object,
        rounds: int | None = None,
    ) -> None:
        """Call `step` once a round with `arguments`, and look after each round.

        30 rounds where not told: enough for a cache that filled after the warm-up to show that
        it is full.
        """
        from leakbench.hosts.inprocess import ROUNDS

        self._watch.feed(step, *arguments, rounds=ROUNDS if rounds is None else rounds)

    def look(self) -> None:
        """Look at the objects: a round of the same work has ended."""
        self._watch.look()

    def close(self) -> None:
        """Judge the rounds so far, once, and fail the test unless they are flat."""
        __tracebackhide__ = True
        if self._is_judged:
            return
        self._is_judged = True
        assessment = self._watch.judge()
        if assessment.outcome == "flat":
            return
        from leakbench.hosts.failure import describe_growth

        lines = describe_growth(assessment.metrics, unit="round", scale=self._watch.per_round)
        advice = "" if assessment.outcome == "leak" else "; feed more rounds of the same work"
        headline = f"{assessment.outcome} after {self._watch.rounds} rounds{advice}"
        pytest.fail("\n".join([headline, *lines]), pytrace=False)

    def __enter__(self) -> GuardedWatch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        if error is None:
            self.close()
        else:
            self._is_judged = True


def _roots(subject: object) -> Mapping[str, object]:
    if subject is None:
        return {}
    roots = getattr(subject, "roots", None)
    if not callable(roots):
        from leakbench.errors import UsageError

        raise UsageError(
            f"watch() takes something with roots(), or objects by name: got "
            f"{type(subject).__name__}; write watch(name=...)"
        )
    # Asked again at every look: start() may have made new ones.
    return {name: lambda name=name: roots()[name] for name in roots()}


def _check_leak(item: pytest.Function, subject: Any, mark: pytest.Mark) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="leakbench-"))
    try:
        message = _drive(item, subject, mark, scratch / "run")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if message:
        pytest.fail(message, pytrace=False)


def _drive(item: pytest.Function, subject: Any, mark: pytest.Mark, folder: Path) -> str:
    """Run the cell and return why the test fails; nothing where it passes."""
    from leakbench.errors import LeakbenchError
    from leakbench.hosts.failure import describe_cell

    try:
        cell = _run(item, subject, mark, folder)
    except LeakbenchError as error:
        return f"leakbench: {error}"
    item.user_properties.append(("leakbench_verdict", cell.verdict))
    if cell.as_expected:
        return ""
    kept = _keep(item, folder)
    return "\n".join([*describe_cell(cell), *_plots(kept, cell), f"samples   {kept}"])


def _run(item: pytest.Function, subject: Any, mark: pytest.Mark, folder: Path) -> CellResult:
    from leakbench.errors import ConfigError
    from leakbench.hosts.library import run

    if subject is None:
        raise ConfigError(
            f"{item.name}: a test marked {MARK} must return a subject (a spec, a class or a "
            f"function that makes one), or receive it as {SUBJECT_ARGUMENT!r}; got None"
        )
    # Other tests run beside this one: xdist has given each core its own already.
    jobs = 1 if hasattr(item.config, "workerinput") else None
    known = set(inspect.signature(run).parameters) - {"subject", "output", "observer"}
    unknown = [name for name in mark.kwargs if name not in known]
    if unknown or len(mark.args) > 1 or bool(mark.args) == ("scenario" in mark.kwargs):
        wrong = f"unknown {', '.join(unknown)}" if unknown else "expected one scenario"
        raise ConfigError(f"{item.name}: mark {MARK}: {wrong}; it takes {', '.join(sorted(known))}")
    return run(subject, *mark.args, **{"jobs": jobs, **mark.kwargs, "output": folder})


def _keep(item: pytest.Function, folder: Path) -> Path:
    """Move a failed run to where people find it, in place of an earlier one of this test."""
    chosen = item.config.getoption("--leakbench-output")
    cache = getattr(item.config, "cache", None)
    if chosen is not None:
        root = Path(item.config.invocation_params.dir, chosen)
    elif cache is not None:
        root = cache.mkdir("leakbench")
    else:
        root = Path(tempfile.mkdtemp(prefix="leakbench-failed-"))
    kept = root / re.sub(r"[^A-Za-z0-9.=_-]+", "-", item.nodeid).strip("-")
    root.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(kept, ignore_errors=True)
    shutil.move(folder, kept)
    return kept


def _plots(folder: Path, cell: CellResult) -> list[str]:
    # matplotlib takes half a second to import: only once there is something to draw.
    from leakbench.report.folder import write_report

    if not cell.metrics:
        return []
    drawn = write_report(folder)
    return [f"plot      {path}" for path in drawn if path.name == f"{cell.id}.png"]
