"""What can go wrong, and the exit status each error ends in.

::

    LeakbenchError
    +-- UsageError           bad input, found before audio is driven   exit 2
    |   +-- ScenarioError        a scenario file or one of its keys
    |   +-- SubjectSpecError     a subject spec that names nothing
    |   +-- RecordingError       audio that cannot be read or used
    |   +-- ConfigError          leakbench.toml or an option
    |   +-- OutputError          a folder that cannot be written or read
    +-- RunError             the run itself failed                     exit 4
        +-- ProvisionError       a release that could not be installed
        +-- SubjectError         the subject raised, hung, or returned nonsense
        +-- StimulusError        the audio did not reach what the scenario promises
        +-- HarnessError         whatever nobody foresaw: a full disk, a fault of leakbench

A leak is a verdict, never an exception. Messages are one line: what, where,
expected, got, next step. Only ``leakbench.cli`` prints them and picks the exit
status.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath


class LeakbenchError(Exception):
    """Root of every error leakbench raises on purpose."""


class UsageError(LeakbenchError):
    """Bad input: fixed by calling again, corrected."""


class ScenarioError(UsageError):
    """A scenario that does not exist, does not parse, or contradicts itself."""


class SubjectSpecError(UsageError):
    """A subject spec that names nothing that can be driven."""


class RecordingError(UsageError):
    """Audio that is missing, unreadable, empty, or holds values that are not samples."""


class ConfigError(UsageError):
    """A configuration file or option outside what it may be."""


class OutputError(UsageError):
    """A run folder that cannot be written, or does not hold a run."""


class RunError(LeakbenchError):
    """The run failed for a reason that is not a verdict."""


class ProvisionError(RunError):
    """An environment for a subject could not be made."""


class SubjectError(RunError):
    """The subject raised, hung, was killed, or returned what is not a list of segments."""


class StimulusError(RunError):
    """The audio did not bring the subject where the scenario promises: nothing was measured."""


class HarnessError(RunError):
    """Leakbench or what it stands on failed in a way that nothing foresaw."""


def describe_exception(error: BaseException) -> str:
    """Return an exception that is not ours on one line: type, message, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({PurePath(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {_message(error):.300}{where}"


def _message(error: BaseException) -> str:
    try:
        return " ".join(str(error).split()) or "no message"
    except Exception:
        # A subject's own exception may fail at saying what it is.
        return "its message cannot be shown"
