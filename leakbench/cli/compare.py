"""``leakbench compare``: two runs, or several, side by side."""

from __future__ import annotations

from pathlib import Path

import click

from leakbench.cli.exit_status import ExitStatus
from leakbench.cli.faults import written_to
from leakbench.cli.terminal import Terminal


@click.command("compare")
@click.argument("folders", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("reports/comparison"),
    show_default=True,
    help="Folder for the page, Markdown, JSON and overlays.",
)
def command(folders: tuple[Path, ...], output: Path) -> None:
    """Compare the run folders BEFORE and AFTER, or the first of several with each other one.

    Exits with 1 when a later run leaks where an earlier one did not.
    """
    if len(folders) < 2:
        raise click.UsageError("name two run folders or more, BEFORE first")
    # Drawing takes matplotlib, which takes half a second to import.
    from leakbench.report.comparison.folder import compare_folders, write_comparison
    from leakbench.report.comparison.text import comparison_text

    compared = compare_folders(folders)
    with written_to(output):
        write_comparison(compared, output)
    console = Terminal()
    for runs in compared:
        for line in comparison_text(runs.comparison).split("\n"):
            console.say(line)
    console.say(f"page, Markdown, JSON and overlays in {output}")
    if any(runs.comparison.regressed for runs in compared):
        raise click.exceptions.Exit(ExitStatus.UNEXPECTED)
