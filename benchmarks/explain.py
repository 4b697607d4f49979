"""Leaks whose place is known, explained: the right holder and the right line, or not.

    python benchmarks/explain.py [--subject fixed] [--only NAME ...] [--output reports/explain.md]

Every leak of ``leakbench selftest`` is hung on a fixed FunASR VAD; beside them the same release
with an ``output_dir``, which collects a key a chunk outside its cache, and the release that
leaks by itself. Each is driven until it is decided, then explained. ``cost`` is the processor
time of explaining over that of the cell, loading included: a worker that has driven all its audio
is gone, and the one that explains instead loads again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import tempfile
from dataclasses import dataclass
from pathlib import Path

from leakbench.conclude import conclude
from leakbench.hosts.selftest import CLEAN_SCENARIO, INJECTIONS, LEAKING_SECONDS, injected_cell
from leakbench.plan import Cell, Plan, explain_folder, write_plan
from leakbench.plan.config import CONFIG_FILE, load_config
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.explanation import Explanation
from leakbench.runner.explaining import explain_cell
from leakbench.runner.observer import SilentObserver
from leakbench.runner.schedule import run_plan
from leakbench.scenario import load_scenario
from leakbench.subject.resolution import resolve_subject
from leakbench.worker.stages.stage import FINDINGS_FILE

OUTPUT_DIR_SCENARIO = """
description = "silence, with results written to a folder"
chunk_ms = 600
period_seconds = 6.0
warmup_periods = 2
audio_seconds = 1200

[[parts]]
kind = "silence"
seconds = 6.0

[generate]
dynamic_silence = false
output_dir = "{folder}"
"""

SOURCES = {
    "float-per-chunk": "self.held.append(float(self.chunks) + 0.5)",
    "object-per-segment": 'self.held.append({"segment": self.segments + 0.5})',
    "object-per-tenth-segment": 'self.held.append({"segment": self.segments + 0.5})',
    "object-per-stream": 'self.held.append({"stream": len(self.held) + 0.5})',
    "storage-per-minute": "self.held.append(np.zeros(_KIB, dtype=np.uint8))",
    "pinned-view": "self.held.append(samples[:1])",
    "cycle-per-chunk": "one.append([one])",
    "key-per-chunk": 'self.held[f"chunk {self.chunks}"] = None',
    "while-silent": "self.held.append(float(self.chunks) + 0.5)",
    "late-leak": "self.held.append(float(self.chunks) + 0.5)",
    "outside-roots": "owner.chunk_history.append(float(self.chunks) + 0.5)",
    "native-per-minute": "self._malloc(_KIB)",
}
"""The line that holds or makes what each injected leak keeps."""
HOLDERS = {"outside-roots": "AutoModel.chunk_history"}
"""Holder of each injected leak that is not in the root of the controls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A leak, and what an explanation must say of it."""

    name: str
    cell: Cell
    holder: str
    """Path or chain of the growth; empty for native growth."""
    sources: tuple[str, ...]
    """Lines that must be named, all of them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", default="fixed")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    lines = [
        "| leak | holder found | line found | share | answer | cost |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    print("\n".join(lines), flush=True)
    answers = []
    with tempfile.TemporaryDirectory() as scratch:
        for case in cases(arguments.subject, Path(scratch)):
            if arguments.only and case.name not in arguments.only:
                continue
            row, answer = explain_case(case, Path(scratch) / case.name)
            print(row, flush=True)
            lines.append(row)
            answers.append(answer)
    kinds = ("right", "wrong", "unexplained")
    again = " ".join(["python benchmarks/explain.py", f"--subject {arguments.subject}"])
    if arguments.only:
        again += " --only " + " ".join(arguments.only)
    summary = ", ".join(f"{answers.count(kind)} {kind}" for kind in kinds)
    lines += ["", f"{summary}, of {len(answers)}. Again: `{again}`"]
    print("\n".join(lines[-2:]))
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def cases(spec: str, scratch: Path) -> list[Case]:
    scenario = load_scenario(CLEAN_SCENARIO)
    subject = resolve_subject(
        spec, model="embedded", chunk_ms=scenario.chunk_ms, generate=scenario.generate
    )
    # What the gate lets the release itself grow is no part of the injected leak.
    config = load_config(Path(__file__).parents[1] / CONFIG_FILE)
    rules = tuple(budget.rule for budget in config.budgets if budget.is_for(spec))
    found = []
    for injection in INJECTIONS:
        cell = injected_cell(subject, injection, rules=rules)
        if injection.in_heap:
            # A leak a minute needs some minutes for its rate to stand out.
            cell = dataclasses.replace(cell, at_least_seconds=LEAKING_SECONDS)
        found.append(
            Case(
                name=injection.leak,
                cell=cell,
                holder=HOLDERS.get(injection.leak, "" if injection.in_heap else injection.path),
                sources=(SOURCES[injection.leak],) if injection.leak in SOURCES else (),
            )
        )
    toml = scratch / "output-dir.toml"
    toml.write_text(OUTPUT_DIR_SCENARIO.format(folder=scratch / "written"), encoding="utf-8")
    written, original = build_cells(
        [
            # As long as the heap of several processes takes to prove that something grows.
            CellRequest(subject=spec, scenario=str(toml), at_least_seconds=1200.0),
            CellRequest(subject="original", scenario="silence", at_least_seconds=60.0),
        ]
    )
    return [
        *found,
        Case(
            name="output_dir",
            cell=written,
            holder="AutoModel.model.writer",
            sources=("self.keys.add(key)",),
        ),
        Case(
            name="original",
            cell=original,
            holder="stats.scores",
            sources=('cache["stats"].scores = torch.cat((cache["stats"].scores, scores), dim=1)',),
        ),
    ]


def explain_case(case: Case, folder: Path) -> tuple[str, str]:
    """Return the table's row of a case, and its answer: right, wrong or unexplained."""
    plan = Plan(cells=(case.cell,), jobs=1, explain="every")
    write_plan(folder, plan)
    began = _children_seconds()
    run_plan(plan, folder, SilentObserver())
    cell_seconds = _children_seconds() - began
    explain_seconds = 0.0
    findings = explain_folder(folder, case.cell) / FINDINGS_FILE
    if findings.exists():  # explained by the worker that measured
        explain_seconds = json.loads(findings.read_text(encoding="utf-8"))["processor_seconds"]
        cell_seconds -= explain_seconds
    before = _children_seconds()
    result = conclude(folder).cells[0]
    explanation = explain_cell(plan, folder, case.cell, result)
    explain_seconds += _children_seconds() - before
    holder, line, share, answer = judge(case, explanation)
    ratio = explain_seconds / cell_seconds
    return f"| {case.name} | {holder} | {line} | {share} | {answer} | {ratio:.2f} |", answer


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def judge(case: Case, explanation: Explanation) -> tuple[str, str, str, str]:
    if explanation.error:
        return explanation.error, "", "", "unexplained"
    if not case.holder:
        return judge_native(case, explanation)
    growth = next(
        (
            growth
            for growth in explanation.growths
            if growth.path == case.holder or growth.chain.startswith(case.holder)
        ),
        None,
    )
    if growth is None:
        others = ", ".join(f"`{growth.chain}`" for growth in explanation.growths)
        return others, "", "", "wrong" if others else "unexplained"
    named = {line.source: line for line in growth.allocations}
    missing = [source for source in case.sources if source not in named]
    shown = missing or list(case.sources)
    first = named.get(case.sources[0])
    return (
        f"`{growth.path or growth.chain}`, held by `{growth.chain}`",
        f"`{(next(iter(named), '') if missing else shown[0])}`",
        f"{first.share:.1%}" if first else "",
        "wrong" if missing else "right",
    )


def judge_native(case: Case, explanation: Explanation) -> tuple[str, str, str, str]:
    native = explanation.native_bytes_per_hour
    if native is None:
        return "", "", "", "unexplained"
    lines = {growth.line.source: growth for growth in explanation.native if growth.line}
    (source,) = case.sources
    named = lines.get(source)
    found = source if named else next(iter(lines), "")
    share = f"{named.bytes_per_hour / native:.1%}" if named else ""
    answer = "right" if named else "wrong" if lines else "unexplained"
    return f"native, {native / 1024:,.0f} KiB/h", f"`{found}`" if found else "", share, answer


if __name__ == "__main__":
    main()
