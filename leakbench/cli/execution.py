"""What ``run`` and ``gate`` have in common once the cells are known."""

from __future__ import annotations

import datetime
import itertools
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from leakbench.cli.exit_status import status_of_cell, status_of_result
from leakbench.cli.progress import watch
from leakbench.cli.terminal import as_text, make_console, say
from leakbench.conclude import conclude
from leakbench.errors import OutputError
from leakbench.plan import REPORTS_FOLDER, Cell, Explain, Limits, Plan, write_plan
from leakbench.record.result import Result, write_result
from leakbench.report.summary import markdown_summary, workflow_annotations
from leakbench.report.words.leak_text import leak_paragraphs
from leakbench.report.words.leaks import CellLeaks, gather_leaks
from leakbench.report.words.phrases import plain_text
from leakbench.runner.explaining import explain_leaks
from leakbench.runner.schedule import run_plan
from leakbench.text import printable
from leakbench.units import format_duration


def execute(
    cells: Sequence[Cell],
    *,
    output: Path | None,
    name: str,
    jobs: int,
    limits: Limits | None = None,
    traced_frames: int = 0,
    clear_caches: bool = True,
    until_sure: bool = False,
    explain: Explain = "unexpected",
) -> None:
    """Drive the cells, judge them, explain leaks, show the result and exit with its status.

    Raises
    ------
    click.exceptions.Exit
        Always, with the result's status.
    """
    now = datetime.datetime.now(datetime.UTC)
    folder = (output or new_folder(REPORTS_FOLDER, f"{name}-{now:%Y%m%d-%H%M%S}")).absolute()
    plan = Plan(
        cells=tuple(cells),
        jobs=jobs,
        limits=limits or Limits(),
        traced_frames=traced_frames,
        clear_caches=clear_caches,
        until_sure=until_sure,
        explain=explain,
        command=("leakbench", *sys.argv[1:]),
        started=now.isoformat(timespec="seconds"),
    )
    console = make_console()
    write_plan(folder, plan)
    began = time.monotonic()
    interrupted: KeyboardInterrupt | None = None
    with watch(console) as observer:
        try:
            run_plan(plan, folder, observer)
        except KeyboardInterrupt as error:
            interrupted = error
    result = conclude(folder, wall_seconds=time.monotonic() - began)
    write_result(folder, result)
    # Verdicts first: what is still to be explained, and pictures, take a while.
    print_verdicts(console, result)
    if interrupted is None:
        # Before the pages are written, for they tell what was found.
        try:
            with console.status("explaining the leaks ..."):
                explain_leaks(plan, folder, result)
        except KeyboardInterrupt as error:
            interrupted = error
    leaks = gather_leaks(folder, result)
    for found in leaks:
        if found.explanation is not None:
            _print_leaks(console, found)
    write_pages(folder)
    tell_github(result, leaks)
    print_whereabouts(console, folder, result)
    if interrupted is not None:
        raise interrupted
    raise click.exceptions.Exit(status_of_result(result))


def new_folder(parent: Path, name: str) -> Path:
    """Make a folder of that name, or with a number after it where there is one already.

    Raises
    ------
    OutputError
        When it cannot be made.
    """
    for number in itertools.count(1):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
        return folder
    raise AssertionError("there is always another number")


def print_verdicts(console: Console, result: Result) -> None:
    """Print the table of a run, and what is short of what it must be."""
    console.print(_table(result))
    for cell in result.cells:
        if cell.error or not cell.as_expected:
            say(console, f"{cell.subject} x {cell.scenario}: {cell.error or cell.reason}")


def write_pages(folder: Path) -> None:
    """Draw the plots and write the pages of a run.

    Raises
    ------
    OutputError
        When the folder cannot be written.
    """
    # matplotlib takes half a second to import: only once there is something to draw.
    from leakbench.report.folder import write_report

    try:
        write_report(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def print_whereabouts(console: Console, folder: Path, result: Result) -> None:
    """Print what had no effect, how much was driven, where the results are, how to repeat it."""
    for warning in result.warnings:
        click.echo(f"leakbench: warning: {printable(warning)}", err=True)
    hours = result.audio_seconds / 3600
    speed = result.audio_seconds / result.wall_seconds if result.wall_seconds else 0.0
    say(
        console,
        f"drove {hours:.2f} audio-hours in {format_duration(result.wall_seconds)} "
        f"({speed:,.0f} times real time); results in {folder}",
    )
    say(console, f"again: {shlex.join(result.command)}")


def tell_github(result: Result, leaks: Sequence[CellLeaks]) -> None:
    """Leave a summary and annotations where GitHub's runner says it wants them."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(markdown_summary(result, leaks))
        except OSError as error:
            click.echo(f"leakbench: {summary}: no summary was left: {error.strerror}", err=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in workflow_annotations(result, leaks):
            click.echo(line)


def _print_leaks(console: Console, found: CellLeaks) -> None:
    lines = [f"{found.cell.subject} x {found.cell.scenario}:"]
    lines += map(plain_text, leak_paragraphs(found))
    for line in lines:
        say(console, line)


_COLOURS = {"flat": "green", "leak": "red", "undecided": "yellow", "error": "magenta"}


def _table(result: Result) -> Table:
    table = Table("subject", "scenario", "chunk", "verdict", "must be", "audio", "why", box=None)
    for cell in result.cells:
        mark = "" if cell.as_expected else f" [status {status_of_cell(cell).value}]"
        table.add_row(
            as_text(cell.subject),
            as_text(cell.scenario),
            f"{cell.chunk_ms} ms",
            Text.assemble((cell.verdict, _COLOURS[cell.verdict]), mark),
            cell.expect or "",
            format_duration(cell.audio_seconds),
            as_text(cell.error or cell.reason),
        )
    return table
