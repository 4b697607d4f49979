"""``leakbench bisect``: which release or commit first leaked, or was first fixed."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
from leakbench.cli.options import DURATION
from leakbench.cli.progress import BarsObserver, PlainObserver, watch
from leakbench.cli.terminal import as_text, make_console, say
from leakbench.errors import OutputError
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
    console = make_console()
    folder = folder_of(output, cell["scenario"])
    with watch(console) as observer:
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


def show_findings(console: Console, folder: Path, findings: Findings, *, file: str) -> None:
    """Write the JSON and the plot of a search and print its table and its sentences.

    Raises
    ------
    OutputError
        When the folder cannot be written.
    """
    # matplotlib takes half a second to import: only once there is something to draw.
    from leakbench.report.plots.figures import save_figure
    from leakbench.report.plots.release_steps import plot_release_steps

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_findings(folder / file, findings)
        save_figure(plot_release_steps(findings), (folder / file).with_suffix(""))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error
    console.print(_table(findings))
    for sentence in sentences(findings):
        say(console, sentence)
    console.print(f"table, plot and figures in {folder}", highlight=False, soft_wrap=True)
    say(console, f"again: {shlex.join(findings.command)}")


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


_COLOURS: Final = {"flat": "green", "leak": "red", "undecided": "yellow", "error": "magenta"}


def _table(findings: Findings) -> Table:
    table = Table("candidate", "verdict", "audio", *findings.paths[:3], "", box=None)
    table.columns[0].no_wrap = True
    for row in findings.probes:
        rates = [row.rates[path].text if path in row.rates else "" for path in findings.paths[:3]]
        why = f"skipped: {row.reason}" if row.skipped else row.detail
        table.add_row(
            row.name,
            Text.assemble((row.verdict, _COLOURS[row.verdict]), " (kept)" if row.reused else ""),
            format_duration(row.audio_seconds),
            *rates,
            as_text(why),
        )
    return table
