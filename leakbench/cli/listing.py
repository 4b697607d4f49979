"""``leakbench list``: what can be driven, and through what."""

from __future__ import annotations

import click

from leakbench import controls
from leakbench.cli.terminal import Terminal
from leakbench.scenario import load_scenario, shipped_scenarios
from leakbench.subject.resolution import families
from leakbench.units import format_duration


@click.group("list")
def command() -> None:
    """List the subjects or scenarios that come with leakbench."""


@command.command("subjects")
def subjects() -> None:
    """List the short names of subjects, the forms of spec, and the shipped controls."""
    rows = [(alias, spec) for family in families() for alias, spec in family.aliases().items()]
    rows.append(("package.module:NAME", "your own subject, from the import path"))
    rows.append(("path/to/file.py:NAME", "your own subject, from a file"))
    for name in controls.SUBJECTS:
        doc = (getattr(controls, name).__doc__ or "").splitlines()[0]
        rows.append((f"leakbench.controls:{name}", doc.removeprefix("Return ").rstrip(".")))
    Terminal().table(("subject", "stands for"), rows)


@command.command("scenarios")
def scenarios() -> None:
    """List the shipped scenarios."""
    found = [load_scenario(name) for name in shipped_scenarios()]
    Terminal().table(
        ("scenario", "period", "chunk", "audio", "what it drives"),
        (
            (
                scenario.name,
                format_duration(scenario.period_seconds)
                if scenario.period_seconds
                else "recording",
                f"{scenario.chunk_ms} ms",
                format_duration(scenario.audio_seconds),
                scenario.description,
            )
            for scenario in found
        ),
    )
