"""``leakbench history``: what many runs held, over time and versions."""

from __future__ import annotations

from pathlib import Path

import click

from leakbench.cli.faults import written_to
from leakbench.cli.terminal import Terminal
from leakbench.errors import OutputError


@click.command("history")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("reports"), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("reports/history"),
    show_default=True,
    help="Folder for the table, the JSON and the plot.",
)
def command(folder: Path, output: Path) -> None:
    """Show growth, held bytes and time a chunk of the runs below FOLDER, by date and version.

    A change of level is marked.
    """
    from leakbench.report.history.history import history_markdown, run_folders_below, trace_history
    from leakbench.report.history.plot import write_history
    from leakbench.report.run_folder import read_run

    runs = run_folders_below(folder)
    if not runs:
        raise OutputError(f"{folder}: expected run folders with a result.json, found none")
    with written_to(output):
        write_history(runs, output)
    console = Terminal()
    for line in history_markdown(trace_history(read_run(run) for run in runs)).split("\n"):
        console.say(line)
    console.say(f"table, JSON and plot in {output}")
