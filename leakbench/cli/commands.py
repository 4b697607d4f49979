"""The commands, each loaded only when it is called."""

from __future__ import annotations

import importlib
from typing import Final

import click

from leakbench.cli.exit_status import EXIT_STATUS_HELP

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
def cli() -> None:
    """Prove that a streaming speech model does not leak, or show where it does."""
