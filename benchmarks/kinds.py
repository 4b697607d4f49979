"""Kinds of growth with known truth, through the command line with default options.

    python benchmarks/kinds.py [--only NAME ...] [--real] [--audio 20m] [--jobs N] [--output FILE]

Each is driven in one process, as `leakbench run` does unless told otherwise. Right is: the truth
by the exit status; a leak by a metric that must show it, at the right place; its rate within 2 %
(5 % for RSS); and an explanation that names the right line first. With `--real`, models that people
use are driven instead, in interpreters of their own that are made in leakbench's cache. Writes a
table; exits with 1 if any is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent / "kinds"
sys.path.insert(0, str(HERE))

from cases import Case  # noqa: E402
from catalogue import BOUNDED, LEAKS, REAL  # noqa: E402
from outcomes import Outcome, drive, read_outcome  # noqa: E402, F401 - the last for its tests


def main() -> int:
    """Drive every case and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--real", action="store_true", help="models that people use")
    parser.add_argument("--audio", default="20m")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    cases = [
        case
        for case in (REAL if options.real else (*LEAKS, *BOUNDED))
        if not options.only or case.name in options.only
    ]
    outcomes = list(drive_all(cases, options.audio, options.jobs))
    if options.output:
        again = " --real" if options.real else ""
        table = format_table(outcomes, options.audio, again)
        options.output.write_text(table, encoding="utf-8")
    print(summarize(outcomes))
    return int(any(outcome.faults for outcome in outcomes))


def drive_all(cases: Sequence[Case], audio: str, jobs: int) -> Iterator[Outcome]:
    """Drive cases, some at the same time; tell of each when those before it are told of."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(lambda case: drive(case, audio, Path(folder)), cases):
            print(describe(outcome), flush=True)
            yield outcome


def describe(outcome: Outcome) -> str:
    """Return a line on one case."""
    mark = ", ".join(outcome.faults) or ("undecided" if outcome.is_undecided else "ok")
    error = "" if outcome.error is None else f"{outcome.error:+.2%}"
    why = "" if mark == "ok" else f":: {outcome.reason:.300} :: {outcome.line}"
    parts = (outcome.verdict, outcome.metric, outcome.rate, error, why)
    said = "  ".join(filter(None, parts))
    return f"{mark:12} {outcome.case.title:24} {outcome.minutes:5.1f} min  {said}"


def summarize(outcomes: Sequence[Outcome]) -> str:
    """Return how many are wrong and undecided."""
    leaks = sum(outcome.case.leaks for outcome in outcomes)
    wrong = sum(bool(outcome.faults) for outcome in outcomes)
    undecided = sum(outcome.is_undecided for outcome in outcomes)
    return (
        f"{leaks} kinds of leak and {len(outcomes) - leaks} bounded twins: "
        f"{wrong} wrong, {undecided} undecided."
    )


def format_table(outcomes: Sequence[Outcome], audio: str, again: str = "") -> str:
    """Return the report."""
    lines = [
        "# Kinds of growth",
        "",
        f"Each through `leakbench run --audio {audio}` with default options, one process; what "
        f"begins late with `--at-least {audio}` too. {summarize(outcomes)}",
        "",
        "| kind | truth | said | shown by | rate | rate off by | first line named | audio | time |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *map(format_row, outcomes),
        "",
        f"Again: `python benchmarks/kinds.py{again}`",
    ]
    return "\n".join(lines) + "\n"


def format_row(outcome: Outcome) -> str:
    """Return the row of one case; what is wrong is in bold."""
    faults = ", ".join(outcome.faults)
    expected = outcome.case.rate
    error = "" if outcome.error is None else f"{100 * outcome.error:+.1f} %"
    _, _, source = outcome.line.partition(": ")
    # A line of code may hold what ends a cell of the table.
    source = source.replace("|", "\\|")
    cells = (
        f"{outcome.case.title}, {outcome.case.scenario}",
        "leak" if outcome.case.leaks else "flat",
        f"{outcome.verdict}{f' **{faults}**' if faults else ''}",
        outcome.metric,
        outcome.rate or (f"{expected:,.5g} a {outcome.case.per}" if expected else ""),
        error,
        f"`{source}`" if source else "",
        f"{outcome.minutes:.1f} min",
        f"{outcome.wall_seconds:.0f} s",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
