"""``leakbench sweep``: one cell over many releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leakbench.bisect.bisection import sweep_line
from leakbench.bisect.candidates import line_between, split_range, thin
from leakbench.bisect.findings import SWEEP_FILE
from leakbench.cli.bisect import folder_of, make_prober, probing_options, show_findings
from leakbench.cli.faults import faults_kept_in
from leakbench.cli.progress import watch
from leakbench.cli.terminal import Terminal
from leakbench.errors import RunError
from leakbench.scenario import load_scenario


@click.command("sweep")
@click.option(
    "--subject-range",
    "between",
    required=True,
    metavar="SPEC..SPEC",
    help="The oldest and the newest: PROJECT==VERSION..PROJECT==VERSION, or two commits.",
)
@click.option("--every", type=click.IntRange(min=1), default=1, help="Measure each n-th only.")
@click.option("--at-most", type=click.IntRange(min=2), help="Measure this many, spread evenly.")
@probing_options
def command(
    between: str, every: int, at_most: int | None, output: Path | None, **cell: Any
) -> None:
    """Measure one cell over a range of releases or commits, both ends included.

    \b
    leakbench sweep --subject-range funasr==1.1.12..funasr==1.4.16 --scenario silence
    """  # noqa: D301 - click reads the control character
    if every > 1 and at_most is not None:
        raise click.UsageError("--every and --at-most both say what to leave out: name one")
    line = line_between(*split_range(between))
    places = thin(len(line.candidates), every=every, at_most=at_most)
    console = Terminal()
    folder = folder_of(output, cell["scenario"])
    with faults_kept_in(folder), watch(console) as observer:
        prober = make_prober(folder, line.candidates, observer, **cell)
        findings = sweep_line(
            line.candidates,
            prober,
            places=places,
            scenario=load_scenario(cell["scenario"]).name,
            command=prober.command,
        )
    show_findings(console, folder, findings, file=SWEEP_FILE)
    if all(row.skipped for row in findings.probes):
        raise RunError(f"none of the {len(places)} could be measured: see the table")
