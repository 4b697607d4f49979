"""The command line: parse, call, print, and pick the exit status. Nothing else prints."""

from __future__ import annotations

import importlib
import signal
import sys
import tempfile
import traceback
from types import FrameType
from typing import Final

import click

from leakbench.cli.exit_status import EXIT_STATUS_HELP, ExitStatus, status_of_error
from leakbench.cli.outlet import open_outlets
from leakbench.errors import LeakbenchError
from leakbench.text import printable

_MODULES: Final = {
    "run": "leakbench.cli.run",
    "gate": "leakbench.cli.gate",
    "report": "leakbench.cli.report",
    "compare": "leakbench.cli.compare",
    "history": "leakbench.cli.history",
    "judge": "leakbench.cli.judge",
    "releases": "leakbench.cli.releases",
    "bisect": "leakbench.cli.bisect",
    "sweep": "leakbench.cli.sweep",
    "list": "leakbench.cli.listing",
    "init": "leakbench.cli.init",
    "selftest": "leakbench.cli.selftest",
    "completion": "leakbench.cli.completion",
}


class _Commands(click.Group):
    """Loads a command's module only when it is called, so that ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command


@click.group(
    cls=_Commands,
    epilog=EXIT_STATUS_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="leakbench", prog_name="leakbench")
def _cli() -> None:
    """Prove that a streaming speech model does not leak, or show where it does."""


def main() -> None:
    """Run the command line and exit with one of the documented statuses.

    Whatever is not foreseen is a failure of the harness, never a verdict.
    """
    open_outlets()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        # Not standalone: click then hands back what a command exits with instead of exiting.
        status = ExitStatus(_cli.main(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = ExitStatus.USAGE
    except click.ClickException as error:
        click.echo(f"leakbench: {_one_line(error)}", err=True)
        status = ExitStatus.USAGE
    except (click.Abort, KeyboardInterrupt) as error:
        # click makes an Abort of every interrupt.
        interrupt = error.__cause__ if isinstance(error, click.Abort) else error
        number = interrupt.signal if isinstance(interrupt, _Interrupted) else signal.SIGINT
        click.echo(f"leakbench: ended by {number.name}", err=True)
        sys.exit(128 + number)
    except LeakbenchError as error:
        click.echo(f"leakbench: {printable(str(error))}", err=True)
        status = status_of_error(error)
    except Exception as error:
        click.echo(f"leakbench: {_unforeseen(error)}", err=True)
        status = ExitStatus.FAILED
    sys.exit(status)


class _Interrupted(KeyboardInterrupt):
    """Another signal than that of Ctrl-C, which does the same."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = signal.Signals(number)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise _Interrupted(number)


def _unforeseen(error: Exception) -> str:
    """Return a line on an error that nobody foresaw, its traceback left in a file."""
    said = f"unexpected {type(error).__name__}: {printable(str(error)):.300}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="leakbench-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return f"{said}; its traceback could not be written"
    return f"{said}; its traceback is in {file.name}"


def _one_line(error: click.ClickException) -> str:
    said = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{said} (see `{context.command_path} --help`)" if context else said
