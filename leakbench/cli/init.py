"""``leakbench init``: a gate to begin with, in a repository of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from leakbench.cli.starter import write_starter


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def command(folder: Path) -> None:
    """Write a subject, a scenario and a leakbench.toml to begin with into FOLDER.

    Files that are there already are never overwritten.
    """
    for path in write_starter(folder):
        click.echo(f"wrote {path}")
    inside = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"next: put your model into my_vad.py, then `{inside}leakbench gate`")
