"""One call of the command line, from arguments to an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import click

from leakbench.cli.commands import cli
from leakbench.cli.exit_status import ExitStatus, status_of_exception
from leakbench.cli.faults import faults_kept_in
from leakbench.cli.outlet import own_outlets
from leakbench.cli.signals import signals_raise
from leakbench.report.rows import shorten
from leakbench.text import printable

_LINE_AT_MOST: Final = 1_000
"""Characters of the line that says what went wrong: several paths fit in, a file's text does not.
"""


def call(arguments: Sequence[str]) -> ExitStatus:
    """Run a command, print what went wrong on one line, and return what to exit with."""
    with own_outlets():
        try:
            with signals_raise(), faults_kept_in(None):
                # Not standalone: click then hands back what a command exits with.
                returned = cli.main(list(arguments), prog_name="leakbench", standalone_mode=False)
        except BaseException as error:
            _say(error)
            return status_of_exception(error) or ExitStatus.FAILED
        return ExitStatus(returned or ExitStatus.AS_EXPECTED)


def _say(error: BaseException) -> None:
    match error:
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return
        case click.ClickException():
            said = _one_line(error)
        case click.Abort() | KeyboardInterrupt():
            said = _interruption(error)
        case _:
            said = str(error)
    sys.stderr.write(f"leakbench: {shorten(printable(said), _LINE_AT_MOST)}\n")


def _interruption(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, click.Abort) else error
    by = f" by {cause}" if cause is not None and str(cause) else ""
    return f"interrupted{by}"


def _one_line(error: click.ClickException) -> str:
    said = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{said} (see `{context.command_path} --help`)" if context else said
