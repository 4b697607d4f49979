"""What the harness itself keeps: its worker over hours of a subject that keeps nothing.

    python benchmarks/own_growth.py [--hours 5] [--output reports/benchmarks/own_growth.md]

Drives the bounded control to the end, though it is decided after a minute. Whatever then grows in
the worker, by its objects or its heap, is the harness's.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from leakbench.conclude import conclude
from leakbench.metrics import PROCESS_PATH
from leakbench.plan import Plan, replicate_folder, write_plan
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.trace import Trace, read_trace
from leakbench.runner.observer import SilentObserver
from leakbench.runner.schedule import run_plan
from leakbench.units import format_bytes

SUBJECT, SCENARIO = "leakbench.controls:bounded", "silence"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=5.0)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    seconds = arguments.hours * 3600
    request = CellRequest(
        subject=SUBJECT, scenario=SCENARIO, audio_seconds=seconds, at_least_seconds=seconds
    )
    with tempfile.TemporaryDirectory(prefix="leakbench-own-") as scratch:
        folder = Path(scratch)
        plan = Plan(cells=build_cells([request]), jobs=1)
        write_plan(folder, plan)
        run_plan(plan, folder, SilentObserver())
        cell = conclude(folder).cells[0]
        trace = read_trace(replicate_folder(folder, plan.cells[0], 0))
    growing = [
        m.path
        for m in cell.metrics
        if m.path != PROCESS_PATH and m.first is not None and m.last != m.first
    ]
    lines = [
        f"{SUBJECT} x {SCENARIO}, {cell.audio_seconds / 3600:.1f} audio-hours, "
        f"{len(trace.samples):,} samples: {len(cell.metrics)} figures, "
        + (f"growing: {', '.join(growing)}" if growing else "no object path differs at the end"),
        "",
        "| up to | heap grew by | RSS grew by |",
        "| --- | --- | --- |",
        *rows(trace, arguments.hours),
        "",
        f"Again: `python benchmarks/own_growth.py --hours {arguments.hours:g}`",
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


def rows(trace: Trace, hours: float) -> list[str]:
    """Return a row for each tenth of the run, from the first look at the process on."""
    columns = [trace.column(PROCESS_PATH, metric) for metric in ("heap_bytes", "rss_bytes")]
    found = []
    for tenth in range(1, 11):
        until = hours * 3600 * tenth / 10
        grown = (
            column.values[column.audio_seconds <= until + 1e-6][-1] - column.values[0]
            for column in columns
        )
        found.append(
            f"| {until / 3600:.1f} h | " + " | ".join(format_bytes(float(b)) for b in grown) + " |"
        )
    return found


if __name__ == "__main__":
    main()
