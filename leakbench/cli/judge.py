"""``leakbench judge``: anyone's measurements, judged like our own."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Sequence
from typing import Final

import click

from leakbench.cli.exit_status import EXIT_STATUS_HELP, ExitStatus
from leakbench.cli.options import DURATION, GROWTH, SIZE
from leakbench.cli.terminal import Terminal
from leakbench.errors import UsageError
from leakbench.record.result import Outcome
from leakbench.report.rows import shorten
from leakbench.text import printable
from leakbench.units import Budget, format_amount, format_duration
from leakbench.verdict.judge import judge, judgement_as_json
from leakbench.verdict.judgement import Judgement
from leakbench.verdict.projection import Projection, TimeToLimit, project, time_to_limit
from leakbench.verdict.table import Series, parse_table

_STANDARD_INPUT: Final = "-"
_LINE_AT_MOST: Final = 200
"""Characters of what is said of a file: what is in it may be one line of megabytes."""
_NAME_AT_MOST: Final = 60
"""Characters of the file's name in it."""
_STATUS: Final[dict[Outcome, ExitStatus]] = {
    "flat": ExitStatus.AS_EXPECTED,
    "leak": ExitStatus.UNEXPECTED,
    "undecided": ExitStatus.UNDECIDED,
}


@click.command("judge", epilog=EXIT_STATUS_HELP)
@click.argument("file", metavar="FILE.csv")
@click.option(
    "--budget",
    type=GROWTH,
    required=True,
    metavar="LIMIT",
    help="Growth to allow, such as '1 MiB/h' or '100 elements/day'.",
)
@click.option(
    "--cycle",
    "cycle_seconds",
    type=DURATION,
    help="The longest cycle that is no leak, such as a segment.  [default: 60s or five samples]",
)
@click.option(
    "--warmup",
    "warmup_seconds",
    type=DURATION,
    default=0.0,
    help="Audio at the start to leave out.",
)
@click.option("--limit", type=SIZE, help="Say when so much memory is full, such as '512 MiB'.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    file: str,
    budget: Budget,
    cycle_seconds: float | None,
    warmup_seconds: float,
    limit: int | None,
    as_json: bool,
) -> None:
    r"""Judge whether measurements grow faster than the budget.

    FILE.csv has the columns audio_seconds,value and, where there are several processes,
    replicate; others are ignored. A - reads standard input. Values are in the budget's unit:
    bytes, elements or seconds. A run in real time has its seconds of wall time for audio_seconds.

    \b
    leakbench judge rss.csv --budget '1 MiB/h' --limit '512 MiB'
    """
    if limit is not None and budget.quantity != "bytes":
        raise click.UsageError(f"--limit is in bytes, but {budget} counts {budget.quantity}")
    series = _read_series(file)
    judgement = judge(series, budget, cycle_seconds=cycle_seconds, warmup_seconds=warmup_seconds)
    projections, full = _look_ahead(series, judgement, limit)
    if as_json:
        click.echo(json.dumps(_as_json(judgement, projections, full), indent=2, allow_nan=False))
    else:
        terminal = Terminal()
        for line in describe(judgement, budget, projections, full):
            terminal.say(line)
    raise click.exceptions.Exit(_STATUS[judgement.verdict.outcome])


def describe(
    judgement: Judgement,
    budget: Budget,
    projections: Sequence[Projection],
    full: TimeToLimit | None,
) -> list[str]:
    """Return what was found, a line each: the verdict first."""

    def amount(count: float) -> str:
        return format_amount(count, budget.quantity)

    lines = [f"{judgement.verdict.outcome}: {judgement.reason}"]
    if judgement.slope_per_hour is None or judgement.low is None or judgement.high is None:
        return [*lines, f"budget    {budget}"]
    lines += [
        f"estimate  {amount(judgement.slope_per_hour)}/h",
        f"interval  {amount(judgement.low)}/h to {amount(judgement.high)}/h",
        f"budget    {budget}",
    ]
    lines += [
        f"{f'in {format_duration(ahead.hours * 3600)}':<10}{amount(ahead.expected)} "
        f"({amount(ahead.low)} to {amount(ahead.high)})"
        for ahead in projections
    ]
    if full is not None:
        lines.append(_describe_limit(full))
    return lines


def _describe_limit(full: TimeToLimit) -> str:
    limit = f"limit     {format_amount(full.limit_bytes, 'bytes')}"
    if full.expected_seconds == 0:
        return f"{limit} is full already"
    if full.soonest_seconds is None:
        return f"{limit} is never full"
    soonest, latest = (
        _duration_or_never(full.soonest_seconds),
        _duration_or_never(full.latest_seconds),
    )
    if full.expected_seconds is None:
        return f"{limit} is not full at this growth; in {soonest} at the soonest"
    return f"{limit} is full in {format_duration(full.expected_seconds)} ({soonest} to {latest})"


def _duration_or_never(seconds: float | None) -> str:
    return "never" if seconds is None else format_duration(seconds)


def _read_series(file: str) -> tuple[Series, ...]:
    """Read a file's series.

    Raises
    ------
    UsageError
        Of one short line, whatever is in the file.
    """
    name = "standard input" if file == _STANDARD_INPUT else shorten(file, _NAME_AT_MOST)
    try:
        return _parse_file(file, name)
    except UsageError as error:
        raise UsageError(shorten(printable(str(error)), _LINE_AT_MOST)) from error


def _parse_file(file: str, name: str) -> tuple[Series, ...]:
    try:
        # utf-8-sig: spreadsheets put a byte order mark first.
        with click.open_file(file, encoding="utf-8-sig") as text:
            lines = iter(text)
            first = next(lines, "")
            if first.lstrip()[:1] in ("{", "["):
                raise UsageError(
                    f"{name}: expected CSV with columns audio_seconds,value, got JSON; write a "
                    "line for each sample"
                )
            return parse_table(itertools.chain([first], lines), source=name)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name}: expected CSV in UTF-8, got other bytes at {error.start}"
        ) from error
    except csv.Error as error:
        raise UsageError(f"{name}: expected CSV: {error}") from error


def _look_ahead(
    series: Sequence[Series], judgement: Judgement, limit: int | None
) -> tuple[tuple[Projection, ...], TimeToLimit | None]:
    """Project the process that holds the most now."""
    slope = judgement.slope_per_hour
    if slope is None:
        return (), None
    current = max(float(values[-1]) for _, values in series)
    low, high = judgement.low, judgement.high
    full = (
        None
        if limit is None
        else time_to_limit(current, limit, slope_per_hour=slope, low=low, high=high)
    )
    return project(current, slope_per_hour=slope, low=low, high=high), full


def _as_json(
    judgement: Judgement, projections: Sequence[Projection], full: TimeToLimit | None
) -> dict[str, object]:
    return {
        **judgement_as_json(judgement),
        "projection": [
            {"hours": a.hours, "low": a.low, "expected": a.expected, "high": a.high}
            for a in projections
        ],
        "time_to_limit": full
        and {
            "limit_bytes": full.limit_bytes,
            "soonest_seconds": full.soonest_seconds,
            "expected_seconds": full.expected_seconds,
            "latest_seconds": full.latest_seconds,
        },
    }
