"""``leakbench gate``: run a configured matrix, each cell against what it must show."""

from __future__ import annotations

import os
from pathlib import Path

import click

from leakbench.cli.execution import execute
from leakbench.cli.options import EXPLAIN, VARIABLES
from leakbench.errors import ConfigError
from leakbench.plan import Explain
from leakbench.plan.config import CONFIG_FILE, load_config
from leakbench.plan.matrix import build_cells, requests_of_config


@click.command("gate")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=CONFIG_FILE,
    show_default=True,
    help="The matrix, its expectations and its budgets.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Workers at the same time.")
@VARIABLES
@EXPLAIN
@click.option("--output", type=click.Path(path_type=Path), help="Folder for the run.")
def command(
    path: Path,
    jobs: int | None,
    variables: tuple[str, ...],
    explain: Explain,
    output: Path | None,
) -> None:
    """Run the gate that leakbench.toml describes; exit 0 only if every cell is as it must be."""
    config = load_config(path)
    if not config.cells:
        raise ConfigError(f"{path}: no [[cell]] in it; a gate without cells gates nothing")
    execute(
        build_cells(list(requests_of_config(config))),
        output=output or config.output,
        name="gate",
        jobs=jobs or config.jobs or os.cpu_count() or 1,
        variables=(*config.variables, *variables),
        explain=explain,
    )
