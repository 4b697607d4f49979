"""What goes wrong, made one line and one of the errors that an exit status stands for."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from leakbench.cli.exit_status import status_of_exception
from leakbench.cli.traceback_file import fault_line
from leakbench.errors import HarnessError, OutputError, UsageError

_WRONG_FOLDER: Final = (
    errno.EACCES,
    errno.EEXIST,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
)
"""Errors that another folder would not have; a full or broken disk is nobody's usage."""


@contextmanager
def faults_kept_in(folder: Path | None) -> Iterator[None]:
    """Keep the traceback of whatever is not foreseen in a run's folder.

    Raises
    ------
    HarnessError
        In its place: one line, with the traceback's file.
    UsageError
        Where the caller has to mend it: see `_usage`.
    """
    try:
        yield
    except BaseException as error:
        if status_of_exception(error) is not None:
            raise
        raise _usage(error) or HarnessError(fault_line(error, folder)) from error


def _usage(error: BaseException) -> UsageError | None:
    """Return the error of two that can meet any command at any place; None for any other."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        # Only callers name files so: our own names are cut.
        return UsageError(f"{error.filename}: {error.strerror}")
    if isinstance(error, FileNotFoundError) and not _is_somewhere():
        return UsageError("the current folder is gone; change to one that exists")
    return None


def _is_somewhere() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


@contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Have one line where `folder` cannot be written.

    Raises
    ------
    OutputError
        When another folder could be.
    HarnessError
        When that is not up to the folder.
    """
    try:
        yield
    except OSError as error:
        kind = OutputError if error.errno in _WRONG_FOLDER else HarnessError
        raise kind(f"{folder}: cannot be written: {error.strerror or error}") from error
