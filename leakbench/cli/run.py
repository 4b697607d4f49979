"""``leakbench run``: drive subjects through scenarios and judge what they held."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import click

from leakbench.cli.execution import execute
from leakbench.cli.options import DURATION, EXPLAIN, RATE, SIZE, VARIABLES
from leakbench.plan import Explain, Limits
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.verdict.assess import BudgetRule


@click.command("run")
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    required=True,
    metavar="SPEC",
    help="What to drive: original, fixed, latest, funasr==X, funasr@PATH, "
    "package.module:NAME or path/to/file.py:NAME. Repeatable.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    required=True,
    metavar="NAME|FILE",
    help="What to drive it through: a shipped scenario or a TOML file. Repeatable.",
)
@click.option("--audio", type=DURATION, help="Audio to drive at most, such as 10m or 2h.")
@click.option("--at-least", type=DURATION, help="Audio to drive in any case.")
@click.option("--chunk-ms", type=click.IntRange(min=1), help="Length of a chunk.")
@click.option(
    "--model",
    default="embedded",
    show_default=True,
    help="embedded, the folder of a model, or a name on the model hub.",
)
@click.option(
    "--recordings",
    type=click.Path(path_type=Path),
    help="A wav or flac file, or a folder of them, for a recorded scenario.",
)
@click.option(
    "--replicates",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes for each cell, each with its own audio; one is enough unless "
    "its heap is so noisy that only several can decide.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="cores",
    help="Workers at the same time.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the synthetic audio.")
@click.option("--expect", type=click.Choice(["flat", "leak"]), help="What the cells must show.")
@click.option(
    "--leaks-in",
    multiple=True,
    metavar="PATTERN",
    help="With --expect leak: a path that must leak. Repeatable.",
)
@click.option(
    "--budget",
    "budgets",
    type=RATE,
    multiple=True,
    metavar="[PATH:METRIC=]LIMIT",
    help="Growth to allow, such as 'process:heap_bytes=64 KiB/h' or "
    "'stats.output_data_buf=400 B/segment'. Repeatable.",
)
@click.option(
    "--until-sure",
    is_flag=True,
    help="Go on to the maximum of audio, with more replicates, while undecided.",
)
@click.option(
    "--tracemalloc",
    "traced_frames",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=1,
    default=None,
    metavar="[FRAMES]",
    help="Trace Python allocations instead of measuring the process; slow.",
)
@click.option(
    "--clear-caches/--no-clear-caches",
    default=True,
    show_default=True,
    help="Clear caches of the interpreter and the standard library before the process is "
    "looked at.",
)
@click.option(
    "--memory-limit",
    type=SIZE,
    default="4 GiB",
    show_default=True,
    help="Resident memory at which a subject is stopped.",
)
@click.option(
    "--chunk-limit",
    type=DURATION,
    default="30s",
    show_default=True,
    help="Time for one chunk after which a subject is stopped.",
)
@VARIABLES
@EXPLAIN
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for samples, result and plots.  [default: reports/run-TIME]",
)
def command(
    subjects: tuple[str, ...],
    scenarios: tuple[str, ...],
    audio: float | None,
    at_least: float | None,
    chunk_ms: int | None,
    model: str,
    recordings: Path | None,
    replicates: int,
    jobs: int,
    seed: int,
    expect: Literal["flat", "leak"] | None,
    leaks_in: tuple[str, ...],
    budgets: tuple[BudgetRule, ...],
    until_sure: bool,
    traced_frames: int | None,
    clear_caches: bool,
    memory_limit: int,
    chunk_limit: float,
    variables: tuple[str, ...],
    explain: Explain,
    output: Path | None,
) -> None:
    """Drive subjects through scenarios and say whether they leak.

    \b
    leakbench run --subject original --subject fixed --scenario silence
    leakbench run --subject my_vad.py:MyVad --scenario alternating --audio 2h
    """  # noqa: D301
    if leaks_in and expect != "leak":
        raise click.UsageError("--leaks-in says where a leak is expected: add --expect leak")
    cells = build_cells(
        [
            CellRequest(
                subject=subject,
                scenario=scenario,
                chunk_ms=chunk_ms,
                model=model,
                recordings=recordings,
                audio_seconds=audio,
                at_least_seconds=at_least or 0.0,
                replicates=replicates,
                seed=seed,
                expect=expect,
                leaks_in=leaks_in,
                rules=budgets,
            )
            for scenario in scenarios
            for subject in subjects
        ]
    )
    execute(
        cells,
        output=output,
        name="run",
        jobs=jobs,
        variables=variables,
        limits=Limits(memory_bytes=memory_limit, chunk_seconds=chunk_limit),
        traced_frames=traced_frames or 0,
        clear_caches=clear_caches,
        until_sure=until_sure,
        explain=explain,
    )
