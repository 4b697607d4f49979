"""Exit statuses: one table for every command."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from leakbench.errors import LeakbenchError, UsageError
from leakbench.record.result import CellResult, Result


class ExitStatus(IntEnum):
    """What the exit status says."""

    AS_EXPECTED = 0
    UNEXPECTED = 1
    USAGE = 2
    UNDECIDED = 3
    FAILED = 4


EXIT_STATUS_HELP = (
    "Exit status: 0 as expected; 1 a leak, or a control that did not leak; 2 usage or bad "
    "input; 3 undecided; 4 the subject or the harness failed; 130, 143, 129 ended by Ctrl-C, "
    "SIGTERM, SIGHUP."
)


def status_of_error(error: LeakbenchError) -> ExitStatus:
    """Return the status an error ends in."""
    return ExitStatus.USAGE if isinstance(error, UsageError) else ExitStatus.FAILED


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
