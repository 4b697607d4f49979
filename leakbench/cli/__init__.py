"""The command line: parse, call, print, and pick the exit status. Nothing else prints."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from leakbench.cli.exit_status import EXIT_STATUS_HELP, ExitStatus, status_of_error
from leakbench.errors import LeakbenchError

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
    """Run the command line and exit with one of the documented statuses."""
    try:
        # Not standalone: click then hands back what a command exits with instead of exiting.
        status = ExitStatus(_cli.main(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = ExitStatus.USAGE
    except click.ClickException as error:
        click.echo(f"leakbench: {_one_line(error)}", err=True)
        status = ExitStatus.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("leakbench: interrupted", err=True)
        sys.exit(130)
    except LeakbenchError as error:
        click.echo(f"leakbench: {error}", err=True)
        status = status_of_error(error)
    except BrokenPipeError:
        # The reader of our output went away (`leakbench list | head`); that is no failure.
        sys.stderr.close()
        status = ExitStatus.AS_EXPECTED
    sys.exit(status)


def _one_line(error: click.ClickException) -> str:
    said = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{said} (see `{context.command_path} --help`)" if context else said
