"""What ``run`` and ``gate`` have in common once the cells are known."""

from __future__ import annotations

import datetime
import itertools
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from leakbench.cli.exit_status import status_of_cell, status_of_result
from leakbench.cli.faults import faults_kept_in, written_to
from leakbench.cli.progress import watch
from leakbench.cli.signals import signals_held
from leakbench.cli.terminal import Terminal, verdict_text
from leakbench.conclude import conclude
from leakbench.errors import OutputError
from leakbench.plan import CELLS_FOLDER, REPORTS_FOLDER, Cell, Explain, Limits, Plan, write_plan
from leakbench.record.result import CellResult, Result, write_result
from leakbench.record.trace import LOG_FILE, STACKS_FILE
from leakbench.report.run_folder import gather_undecided
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
    variables: tuple[str, ...] = (),
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
        variables=variables,
        traced_frames=traced_frames,
        clear_caches=clear_caches,
        until_sure=until_sure,
        explain=explain,
        command=("leakbench", *sys.argv[1:]),
        started=now.isoformat(timespec="seconds"),
    )
    write_plan(folder, plan)
    with faults_kept_in(folder):
        _execute_plan(Terminal(), plan, folder)


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


def _execute_plan(console: Terminal, plan: Plan, folder: Path) -> NoReturn:
    began = time.monotonic()
    interruption: KeyboardInterrupt | None = None
    with watch(console) as observer:
        try:
            run_plan(plan, folder, observer)
        except KeyboardInterrupt as error:
            interruption = error
    with signals_held():
        result = conclude(folder, wall_seconds=time.monotonic() - began)
        keep_result(console, folder, result)
    if interruption is None:
        # Before the pages are written, for they tell what was found.
        try:
            with console.status("explaining the leaks ...", spinner=console.spinner):
                explain_leaks(plan, folder, result)
        except KeyboardInterrupt as error:
            interruption = error
    leaks = gather_leaks(folder, result)
    for found in leaks:
        if found.explanation is not None:
            _print_leaks(console, found)
    write_pages(folder)
    tell_github(console, folder, result, leaks)
    print_whereabouts(console, folder, result)
    if interruption is not None:
        raise interruption
    raise click.exceptions.Exit(status_of_result(result))


def keep_result(console: Terminal, folder: Path, result: Result) -> None:
    """Write the result of a run and print its verdicts, which are known even if that fails.

    Raises
    ------
    LeakbenchError
        When the result cannot be written.
    """
    # Verdicts first: what is still to be explained, and pictures, take a while.
    try:
        with written_to(folder):
            write_result(folder, result)
    finally:
        print_verdicts(console, folder, result)


def print_verdicts(console: Terminal, folder: Path, result: Result) -> None:
    """Print the table of a run, and what is short of what it must be."""
    console.table(
        ("subject", "scenario", "chunk", "verdict", "must be", "audio", "why"),
        (
            (
                cell.subject,
                cell.scenario,
                f"{cell.chunk_ms} ms",
                verdict_text(
                    cell.verdict,
                    "" if cell.as_expected else f" [status {status_of_cell(cell).value}]",
                ),
                cell.expect or "",
                format_duration(cell.audio_seconds),
                _why(cell) if cell.as_expected or console.is_log else "see below",
            )
            for cell in result.cells
        ),
    )
    undecided = gather_undecided(folder, result)
    for cell in result.cells:
        name = f"{cell.subject} x {cell.scenario}"
        # In a log it stands in the cell's row already, on one line.
        if not (cell.as_expected or console.is_log):
            console.say(f"{name}: {_why(cell)}")
        if cell.id in undecided:
            console.say(f"{name}: {plain_text(undecided[cell.id])}")
        if cell.verdict == "error":
            _say_where_to_look(console, folder, cell)


def _why(cell: CellResult) -> str:
    return cell.error or cell.reason


def _say_where_to_look(console: Terminal, folder: Path, cell: CellResult) -> None:
    """Name the logs and stacks of a cell's workers, which say more than one line can."""
    found = sorted((folder / CELLS_FOLDER / cell.id).glob("r*/*"))
    for path in (path for path in found if path.name in (LOG_FILE, STACKS_FILE)):
        if path.stat().st_size:
            console.say(f"see {path}")


def write_pages(folder: Path) -> None:
    """Draw the plots and write the pages of a run.

    Raises
    ------
    LeakbenchError
        When the folder cannot be written.
    """
    # matplotlib takes half a second to import: only once there is something to draw.
    from leakbench.report.folder import write_report

    with written_to(folder):
        write_report(folder)


def print_whereabouts(console: Terminal, folder: Path, result: Result) -> None:
    """Print what had no effect, how much was driven, where the results are, how to repeat it."""
    for warning in result.warnings:
        click.echo(f"leakbench: warning: {printable(warning)}", err=True)
    hours = result.audio_seconds / 3600
    speed = result.audio_seconds / result.wall_seconds if result.wall_seconds else 0.0
    console.say(
        f"drove {hours:.2f} audio-hours in {format_duration(result.wall_seconds)} "
        f"({speed:,.0f} times real time); results in {folder}"
    )
    console.again(result.command)


def tell_github(
    console: Terminal, folder: Path, result: Result, leaks: Sequence[CellLeaks]
) -> None:
    """Leave a summary and annotations where GitHub's runner says it wants them."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(markdown_summary(result, leaks, gather_undecided(folder, result)))
        except OSError as error:
            # The verdict stands, and so does everything in the run's folder.
            click.echo(
                f"leakbench: GITHUB_STEP_SUMMARY: {printable(summary)} cannot be written: "
                f"{error.strerror}; the run's folder has it too",
                err=True,
            )
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in workflow_annotations(result, leaks):
            console.workflow_command(line)


def _print_leaks(console: Terminal, found: CellLeaks) -> None:
    console.say(f"{found.cell.subject} x {found.cell.scenario}:")
    for paragraph in leak_paragraphs(found):
        console.say(plain_text(paragraph))
