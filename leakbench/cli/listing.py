"""``leakbench list``: what can be driven, and through what."""

from __future__ import annotations

import click
from rich.table import Table

from leakbench import controls
from leakbench.cli.terminal import make_console
from leakbench.scenario import load_scenario, shipped_scenarios
from leakbench.subject.resolution import families
from leakbench.units import format_duration


@click.group("list")
def command() -> None:
    """List the subjects or scenarios that come with leakbench."""


@command.command("subjects")
def subjects() -> None:
    """List the short names of subjects, the forms of spec, and the shipped controls."""
    table = Table("subject", "stands for", box=None)
    for family in families():
        for alias, spec in family.aliases().items():
            table.add_row(alias, spec)
    table.add_row("package.module:NAME", "your own subject, from the import path")
    table.add_row("path/to/file.py:NAME", "your own subject, from a file")
    for name in controls.SUBJECTS:
        doc = (getattr(controls, name).__doc__ or "").splitlines()[0]
        table.add_row(f"leakbench.controls:{name}", doc.removeprefix("Return ").rstrip("."))
    make_console().print(table)


@command.command("scenarios")
def scenarios() -> None:
    """List the shipped scenarios."""
    table = Table("scenario", "period", "chunk", "audio", "what it drives", box=None)
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        table.add_row(
            name,
            format_duration(scenario.period_seconds) if scenario.period_seconds else "recording",
            f"{scenario.chunk_ms} ms",
            format_duration(scenario.audio_seconds),
            scenario.description,
        )
    make_console().print(table)
