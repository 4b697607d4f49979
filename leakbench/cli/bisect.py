"""``leakbench bisect``: which release or commit first leaked, or was first fixed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from leakbench.bisect.bisection import bisect_line
from leakbench.bisect.candidates import Candidate, line_between
from leakbench.bisect.findings import (
    BISECT_FILE,
    ChangeRow,
    Findings,
    search_folder,
    write_findings,
)
from leakbench.bisect.probing import CellProber
from leakbench.cli.exit_status import ExitStatus
from leakbench.cli.faults import faults_kept_in, written_to
from leakbench.cli.options import DURATION
from leakbench.cli.progress import BarsObserver, PlainObserver, watch
from leakbench.cli.terminal import Field, Terminal, verdict_text
from leakbench.plan import REPORTS_FOLDER
from leakbench.plan.matrix import CellRequest
from leakbench.scenario import load_scenario
from leakbench.units import format_duration

_OPTIONS: Final = (
    click.option(
        "--scenario",
        required=True,
        metavar="NAME|FILE",
        help="What to drive each through: a shipped scenario or a TOML file.",
    ),
    click.option("--audio", "audio_seconds", type=DURATION, help="Audio for each, at most."),
    click.option(
        "--at-least",
        "at_least_seconds",
        type=DURATION,
        default=0.0,
        help="Audio for each in any case: more finds slower paths beside a fast leak.",
    ),
    click.option("--chunk-ms", type=click.IntRange(min=1), help="Length of a chunk."),
    click.option(
        "--model",
        default="embedded",
        show_default=True,
        help="embedded, the folder of a model, or a name on the model hub.",
    ),
    click.option(
        "--recordings",
        type=click.Path(path_type=Path),
        help="A wav or flac file, or a folder of them, for a recorded scenario.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the synthetic audio."),
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=os.cpu_count() or 1,
        show_default="cores",
        help="Measured at the same time.",
    ),
    click.option(
        "--output",
        type=click.Path(path_type=Path),
        help="Folder of everything measured; a second call re-uses it.  "
        "[default: reports/since-SCENARIO]",
    ),
)


def probing_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a cell that is measured over several releases."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command("bisect")
@click.option("--good", required=True, metavar="SPEC", help="One that does not leak.")
@click.option("--bad", required=True, metavar="SPEC", help="One that leaks, older or newer.")
@click.option(
    "--path",
    "pattern",
    metavar="PATTERN",
    help="Look for a leak in these paths, not in the cell as a whole.",
)
@probing_options
def command(good: str, bad: str, pattern: str | None, output: Path | None, **cell: Any) -> None:
    """Find the first release or commit that leaks, or the first that no longer does.

    SPEC is PROJECT==VERSION, or a commit of a local checkout: NAME@CHECKOUT:REV or
    path/to/file.py:NAME:REV. The working tree is not touched.

    \b
    leakbench bisect --scenario silence --good funasr==1.3.15 --bad funasr==1.3.14
    leakbench bisect --scenario silence --good vad.py:Vad:v1.0 --bad vad.py:Vad:HEAD
    """  # noqa: D301 - click reads the control character
    line = line_between(good, bad)
    console = Terminal()
    folder = folder_of(output, cell["scenario"])
    with faults_kept_in(folder), watch(console) as observer:
        prober = make_prober(folder, line.candidates, observer, **cell)
        findings = bisect_line(
            line,
            prober,
            pattern=pattern,
            jobs=cell["jobs"],
            scenario=load_scenario(cell["scenario"]).name,
            command=prober.command,
        )
    show_findings(console, folder, findings, file=BISECT_FILE)
    exact = findings.change is not None and not findings.change.between
    raise click.exceptions.Exit(ExitStatus.AS_EXPECTED if exact else ExitStatus.UNDECIDED)


def folder_of(output: Path | None, scenario: str) -> Path:
    """Return where a search keeps what it measures: the same for every call on a scenario."""
    return output or search_folder(REPORTS_FOLDER, load_scenario(scenario).name)


def make_prober(
    folder: Path,
    candidates: Sequence[Candidate],
    observer: BarsObserver | PlainObserver,
    *,
    jobs: int,
    **cell: Any,
) -> CellProber:
    """Return what measures `candidates` as the options `cell` say."""
    return CellProber(
        folder=folder,
        candidates=candidates,
        request=CellRequest(subject="", **cell),
        observer=observer,
        jobs=jobs,
        command=("leakbench", *sys.argv[1:]),
    )


def show_findings(console: Terminal, folder: Path, findings: Findings, *, file: str) -> None:
    """Write the JSON and the plot of a search and print its table and its sentences.

    Raises
    ------
    LeakbenchError
        When the folder cannot be written.
    """
    # matplotlib takes half a second to import: only once there is something to draw.
    from leakbench.report.plots.figures import save_figure
    from leakbench.report.plots.release_steps import plot_release_steps

    with written_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_findings(folder / file, findings)
        save_figure(plot_release_steps(findings), (folder / file).with_suffix(""))
    console.table(
        ("candidate", "verdict", "audio", *findings.paths[:_COLUMNS], ""), _rows(findings)
    )
    for sentence in sentences(findings):
        console.say(sentence)
    console.say(f"table, plot and figures in {folder}")
    console.again(findings.command)


def sentences(findings: Findings) -> list[str]:
    """Return what was found, a line each: the answer first, then every path."""
    lines = []
    if findings.change is not None:
        lines.append(f"{_change_text(findings.change, 'the cell')}")
    changed = {change.path for change in findings.changes}
    lines += [_change_text(change, change.path) for change in findings.changes]
    lines += [
        f"{path}: leaks in every one measured" for path in findings.paths if path not in changed
    ]
    if not findings.paths:
        lines.append("no path leaks in any of them")
    looked_at, of = len(findings.probes), len(findings.line)
    lines.append(
        f"{looked_at} of {of} looked at, {findings.measured} of them now, "
        f"in {format_duration(findings.wall_seconds)}"
    )
    return lines


def _change_text(change: ChangeRow, path: str) -> str:
    what = "first fixed" if change.kind == "fixed" else "first leaking"
    where = f"{what} in {change.after}"
    if change.between:
        where = (
            f"{what} in {change.after} or one of the {len(change.between)} before it "
            f"without figures ({', '.join(change.between)})"
        )
    return (
        f"{change.path or path}: {where}; "
        f"{change.rate_before} in {change.before}, {change.rate_after} in {change.after}"
    )


_COLUMNS: Final = 3
"""Paths that have a column of their own; the sentences tell of all."""


def _rows(findings: Findings) -> Iterator[tuple[Field, ...]]:
    for row in findings.probes:
        paths = findings.paths[:_COLUMNS]
        yield (
            row.name,
            verdict_text(row.verdict, " (kept)" if row.reused else ""),
            format_duration(row.audio_seconds),
            *(row.rates[path].text if path in row.rates else "" for path in paths),
            f"skipped: {row.reason}" if row.skipped else row.detail,
        )
