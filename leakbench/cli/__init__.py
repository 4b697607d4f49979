"""The command line: parse, call, print, and pick the exit status. Nothing else prints."""

from __future__ import annotations

import sys
from typing import Final

_FAILED: Final = 4
_INTERRUPTED: Final = 130


def main() -> None:
    """Run the command line and exit with one of the documented statuses."""
    try:
        # Here, where a broken installation is one line too, and no status that means a leak.
        from leakbench.cli.call import call

        status = int(call(sys.argv[1:]))
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except BaseException as error:
        status = _FAILED
        _say(error)
    sys.exit(status)


def _say(error: BaseException) -> None:
    """Say what nothing else could: that this installation cannot even begin."""
    try:
        from leakbench.cli.traceback_file import fault_line

        line = fault_line(error)
    except BaseException:
        line = f"{type(error).__name__}: {error}"
    try:
        sys.stderr.write(f"leakbench: cannot begin: {ascii(line)[1:-1]}\n")
    except (OSError, AttributeError):
        # Nobody listens: the status has to do.
        return
