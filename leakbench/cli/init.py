"""``leakbench init``: a gate to begin with, in a repository of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from leakbench.cli.starter import write_starter
from leakbench.cli.terminal import Terminal
from leakbench.text import command_line


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
def command(folder: Path) -> None:
    """Write a subject, a scenario and a leakbench.toml to begin with into FOLDER.

    Files that are there already are never overwritten.
    """
    console = Terminal()
    for path in write_starter(folder):
        console.say(f"wrote {path}")
    inside = "" if folder == Path() else f"{command_line(('cd', str(folder)))} && "
    console.say(f"next: put your model into my_vad.py, then `{inside}leakbench gate`")
