"""``leakbench releases``: what is on the package index."""

from __future__ import annotations

import click

from leakbench.bisect.releases import list_releases, projects_of_families
from leakbench.cli.terminal import Terminal
from leakbench.errors import ConfigError
from leakbench.subject.resolution import families


@click.command("releases")
@click.argument("project", required=False)
@click.option("--refresh", is_flag=True, help="Ask the index although today's listing is at hand.")
@click.option("--pre", is_flag=True, help="List pre-releases too.")
def command(project: str | None, refresh: bool, pre: bool) -> None:
    """List the releases of PROJECT on the package index, oldest first.

    Without PROJECT, those of every project that the installed families of subjects drive.
    """
    projects = (project,) if project else projects_of_families()
    if not projects:
        raise ConfigError("no installed family of subjects has releases; name a PROJECT")
    names = {spec: alias for family in families() for alias, spec in family.aliases().items()}
    Terminal().table(
        ("release", "also known as"),
        [
            (release.name, names.get(release.name, ""))
            for name in projects
            for release in list_releases(name, refresh=refresh, pre=pre)
        ],
    )
