"""``leakbench report``: rebuild everything a run shows from the samples in its folder."""

from __future__ import annotations

from pathlib import Path

import click

from leakbench.cli.execution import keep_result, print_whereabouts, write_pages
from leakbench.cli.exit_status import status_of_result
from leakbench.cli.terminal import Terminal
from leakbench.conclude import conclude


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Judge the samples in FOLDER again and rebuild its result, plots and tables.

    Works on a run that is still going on, was interrupted, or was killed. Exits as the run
    itself does.
    """
    console = Terminal()
    result = conclude(folder)
    keep_result(console, folder, result)
    write_pages(folder)
    print_whereabouts(console, folder, result)
    raise click.exceptions.Exit(status_of_result(result))
