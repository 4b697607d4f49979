"""``leakbench report``: rebuild everything a run shows from the samples in its folder."""

from __future__ import annotations

from pathlib import Path

import click

from leakbench.cli.execution import print_verdicts, print_whereabouts, write_pages
from leakbench.cli.exit_status import status_of_result
from leakbench.cli.terminal import make_console
from leakbench.conclude import conclude
from leakbench.record.result import write_result


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Judge the samples in FOLDER again and rebuild its result, plots and tables.

    Works on a run that is still going on, was interrupted, or was killed. Exits as the run
    itself does.
    """
    result = conclude(folder)
    write_result(folder, result)
    console = make_console()
    print_verdicts(console, result)
    write_pages(folder)
    print_whereabouts(console, folder, result)
    raise click.exceptions.Exit(status_of_result(result))
