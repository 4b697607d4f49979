"""Exit statuses: one place maps every outcome of every command to one of them."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from enum import IntEnum

import click

from leakbench.cli.signals import Interrupted
from leakbench.errors import LeakbenchError, UsageError
from leakbench.record.result import CellResult, Result


class ExitStatus(IntEnum):
    """What the exit status says."""

    AS_EXPECTED = 0
    UNEXPECTED = 1
    USAGE = 2
    UNDECIDED = 3
    FAILED = 4
    HUNG_UP = 128 + signal.SIGHUP
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


EXIT_STATUS_HELP = (
    "Exit status: 0 as expected; 1 a leak, or a control that did not leak; 2 usage or bad "
    "input; 3 undecided; 4 the subject or the harness failed; 129, 130, 143 ended by SIGHUP, "
    "Ctrl-C, SIGTERM."
)


def status_of_exception(error: BaseException) -> ExitStatus | None:
    """Return the status that a call ends in which raised `error`; None for what was not foreseen.

    Only a verdict is 1 or 3, and only a command knows it: it exits with a member of
    :class:`ExitStatus`. A number from anywhere else, such as the 1 of a library that gives up, is
    no verdict. Click itself exits with 0 after it has shown its help.
    """
    match error:
        case click.exceptions.Exit(exit_code=ExitStatus() | 0 as code):
            return ExitStatus(code)
        case click.Abort():
            # How click passes Ctrl-C on; an end of input that it takes for one is none.
            cause = error.__cause__
            return status_of_exception(cause) if isinstance(cause, KeyboardInterrupt) else None
        case Interrupted():
            return ExitStatus(128 + error.signal)
        case KeyboardInterrupt():
            return ExitStatus.INTERRUPTED
        case click.ClickException() | UsageError():
            return ExitStatus.USAGE
        case LeakbenchError():
            return ExitStatus.FAILED
    return None


def status_of_result(result: Result) -> ExitStatus:
    """Return the status a result ends in: the worst of its cells'."""
    return max(
        (status_of_cell(cell) for cell in result.cells),
        key=_SEVERITY.index,
        default=ExitStatus.FAILED,
    )


def status_of_cell(cell: CellResult) -> ExitStatus:
    """Return the status one cell ends in."""
    if cell.verdict == "error":
        return ExitStatus.USAGE if _was_refused(cell.endings) else ExitStatus.FAILED
    if cell.as_expected:
        return ExitStatus.AS_EXPECTED
    # An expected leak that was not found is a broken control, whatever else it looked like.
    if cell.verdict == "undecided" and cell.expect != "leak":
        return ExitStatus.UNDECIDED
    return ExitStatus.UNEXPECTED


_SEVERITY = (
    ExitStatus.AS_EXPECTED,
    ExitStatus.UNDECIDED,
    ExitStatus.UNEXPECTED,
    ExitStatus.FAILED,
    ExitStatus.USAGE,
)


def _was_refused(endings: Iterable[str]) -> bool:
    return "refused" in endings
