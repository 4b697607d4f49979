"""The fixed VAD's heap on every shipped scenario: proved flat, after how much audio and time.

    python benchmarks/heap.py [--subject fixed] [--replicates 4] [--recordings FILE]
                              [--output reports/benchmarks/heap.md]

One cell at a time, as ``leakbench run`` would drive it with the gate's budgets: until every object
path and the heap of all replicates are decided. Wall time is that of the cell, loading included.
``recorded`` is driven where a recording is given.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from leakbench.conclude import conclude
from leakbench.plan import Plan, write_plan
from leakbench.plan.config import CONFIG_FILE, load_config
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.result import CellResult
from leakbench.runner.observer import SilentObserver
from leakbench.runner.schedule import run_plan
from leakbench.units import format_amount, format_duration
from leakbench.verdict.budgets import BudgetRule

SCENARIOS = (
    "silence",
    "noise",
    "alternating",
    "bursts",
    "long-speech",
    "reconnect",
    "recorded",
)
AUDIO_SECONDS = 4 * 3600.0
"""At most, of each replicate."""
TARGET_SECONDS = 600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", default="fixed")
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--scenario", nargs="*", default=SCENARIOS)
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    config = load_config(Path(__file__).parents[1] / CONFIG_FILE)
    rules = tuple(budget.rule for budget in config.budgets if budget.is_for(arguments.subject))
    lines = [
        "| scenario | verdict | heap | slope | interval | budget | audio | wall time |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    for scenario in arguments.scenario:
        if scenario == "recorded" and arguments.recordings is None:
            continue
        lines.append(drive(arguments, scenario, rules))
        print(lines[-1], flush=True)
    lines += [
        "",
        f"Subject {arguments.subject}, {arguments.replicates} processes a cell, "
        f"{arguments.jobs} at a time; target {TARGET_SECONDS / 60:g} minutes a cell. The budget is "
        "64 KiB/h and, where there are segments, what the gate lets `stats.output_data_buf` grow.",
        "",
        f"Again: `python benchmarks/heap.py --replicates {arguments.replicates} --recordings FILE`",
    ]
    print("\n".join(lines[-4:]))
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def drive(arguments: argparse.Namespace, scenario: str, rules: tuple[BudgetRule, ...]) -> str:
    """Return the row of one cell."""
    request = CellRequest(
        subject=arguments.subject,
        scenario=scenario,
        replicates=arguments.replicates,
        audio_seconds=AUDIO_SECONDS,
        recordings=arguments.recordings if scenario == "recorded" else None,
        rules=rules,
    )
    with tempfile.TemporaryDirectory(prefix="leakbench-heap-") as scratch:
        folder = Path(scratch)
        plan = Plan(cells=build_cells([request]), jobs=arguments.jobs)
        write_plan(folder, plan)
        began = time.monotonic()
        run_plan(plan, folder, SilentObserver())
        wall_seconds = time.monotonic() - began
        cell = conclude(folder).cells[0]
    return row(scenario, cell, wall_seconds)


def row(scenario: str, cell: CellResult, wall_seconds: float) -> str:
    heap = next(m for m in cell.metrics if m.metric == "heap_bytes")
    slope, low, high, budget = (
        "" if value is None else f"{format_amount(value, 'bytes')}/h"
        for value in (
            heap.slope_per_audio_hour,
            heap.low,
            heap.high,
            heap.budget_per_audio_hour,
        )
    )
    return (
        f"| {scenario} | {cell.verdict} | {heap.verdict} | {slope} | {low} to {high} | {budget} "
        f"| {format_duration(cell.audio_seconds)} | {format_duration(wall_seconds)} |"
    )


if __name__ == "__main__":
    main()
