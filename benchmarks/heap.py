"""The fixed VAD's heap on every shipped scenario: how soon one process proves it flat.

    python benchmarks/heap.py [--subject NAME ...] [--scenario NAME ...] [--chunk-ms N ...]
                              [--recordings FILE] [--output reports/benchmarks/heap.md]

Each cell is driven for half an hour of audio in one process, with the gate's budgets. Then the heap
is judged look by look, as a run does: after how much audio, and after how many seconds of driving,
is growth proved within 16 KiB an hour, and within 1 KiB an hour, beyond what the gate lets
``stats.output_data_buf`` grow? ``recorded`` is driven where a recording is given.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from leakbench.conclude import conclude
from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.plan import Cell, Plan, replicate_folder, write_plan
from leakbench.plan.config import CONFIG_FILE, load_config
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.trace import Begin, Trace, read_begin, read_trace
from leakbench.runner.observer import SilentObserver
from leakbench.runner.schedule import run_plan
from leakbench.units import format_bytes, format_duration
from leakbench.verdict import Verdict
from leakbench.verdict.banded import judge_banded
from leakbench.verdict.grid import even_grid

SUBJECTS = ("fixed", "latest+upstream+segments")
SCENARIOS = ("silence", "noise", "alternating", "bursts", "long-speech", "reconnect", "recorded")
AUDIO_SECONDS = 1860.0
"""Half an hour after the longest warm-up."""
KIB = 1024.0
HEAP = metric_of("heap_bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", nargs="*", default=SUBJECTS)
    parser.add_argument("--scenario", nargs="*", default=SCENARIOS)
    parser.add_argument("--chunk-ms", type=int, nargs="*", default=[600, 60])
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    lines = [
        "| subject | scenario | chunk | verdict | within 16 KiB/h after | driving | "
        "within 1 KiB/h after | bound after half an hour |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    for subject in options.subject:
        for scenario in options.scenario:
            for chunk_ms in options.chunk_ms:
                if scenario != "recorded" or options.recordings is not None:
                    lines.append(drive(subject, scenario, chunk_ms, options.recordings))
                    print(lines[-1], flush=True)
    lines += [
        "",
        "One process a cell. Audio counts from the first chunk; driving is the worker's own time "
        "from then on. With segments the bound is beyond the 400 B a segment that the gate lets "
        "`stats.output_data_buf` of `fixed` grow.",
        "",
        "Again: `python benchmarks/heap.py --recordings FILE`",
    ]
    print("\n".join(lines[-4:]))
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def drive(subject: str, scenario: str, chunk_ms: int, recordings: Path | None) -> str:
    """Return the row of one cell."""
    config = load_config(Path(__file__).parents[1] / CONFIG_FILE)
    request = CellRequest(
        subject=subject,
        scenario=scenario,
        chunk_ms=chunk_ms,
        audio_seconds=AUDIO_SECONDS,
        at_least_seconds=AUDIO_SECONDS,
        recordings=recordings if scenario == "recorded" else None,
        rules=tuple(budget.rule for budget in config.budgets if budget.is_for(subject)),
    )
    with tempfile.TemporaryDirectory(prefix="leakbench-heap-") as scratch:
        folder = Path(scratch)
        plan = Plan(cells=build_cells([request]), jobs=1)
        write_plan(folder, plan)
        run_plan(plan, folder, SilentObserver())
        cell = conclude(folder).cells[0]
        heap = next(m for m in cell.metrics if m.metric == "heap_bytes")
        allowed = (heap.budget_per_audio_hour or 0.0) - 16 * KIB
        begin, trace = read(folder, plan.cells[0])
    proofs = [prove(trace, begin, allowed + budget) for budget in (16 * KIB, KIB)]
    within = [format_duration(proof[0]) if proof else "**not**" for proof in proofs]
    driving = format_duration(proofs[0][1]) if proofs[0] else ""
    bound = format_bytes(max((heap.high or 0.0) - allowed, 0.0))
    return (
        f"| {subject} | {scenario} | {chunk_ms} ms | {cell.verdict} | {within[0]} | {driving} | "
        f"{within[1]} | {bound}/h |"
    )


def read(folder: Path, cell: Cell) -> tuple[Begin, Trace]:
    """Return what the one process of `cell` left."""
    home = replicate_folder(folder, cell, 0)
    begin = read_begin(home)
    assert begin is not None
    return begin, read_trace(home)


def prove(trace: Trace, begin: Begin, budget_per_hour: float) -> tuple[float, float] | None:
    """Return the audio and driving seconds after which the heap was proved within a budget."""
    column = trace.column(PROCESS_PATH, HEAP.name).at_phase(begin.phase)
    column = column.since(begin.warmup_seconds)
    wall = {sample.audio_seconds: sample.wall_seconds for sample in trace.samples}
    for count in range(3, len(column) + 1):
        seen = column.since(0.0).where(column.audio_seconds <= column.audio_seconds[count - 1])
        grid, step = even_grid(seen, begin.period_seconds)
        judged = judge_banded(
            grid.values,
            period_seconds=step * begin.period_seconds,
            budget_per_hour=budget_per_hour,
            noise=HEAP.noise,
            horizon_seconds=AUDIO_SECONDS,
        )
        if judged.verdict is Verdict.FLAT:
            audio_seconds = float(column.audio_seconds[count - 1])
            return audio_seconds, wall[audio_seconds]
    return None


if __name__ == "__main__":
    main()
