"""One kind through the command line, and whether what it said is so."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cases import PROCESS, Case

from leakbench.record.explanation import AllocationLine, Explanation, read_explanation
from leakbench.record.result import CellResult, MetricResult, read_result
from leakbench.subject.environments import make_venv

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
VERDICTS: Final = {0: "flat", 1: "leak", 3: "undecided"}
TOLERANCE: Final = 0.02
RSS_TOLERANCE: Final = 0.05
LIMIT_SECONDS: Final = 1800
"""For a run of which nothing else has been heard."""
_OPENED_AS: Final = {"temp_bytes": "temp_files", "shared_bytes": "mapped_bytes"}
"""Metric to the one under which an explanation lists what was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run said of a case."""

    case: Case
    verdict: str
    """By the exit status."""
    metric: str = ""
    """That showed the leak."""
    rate: str = ""
    error: float | None = None
    """Of the rate; None where no rate is expected."""
    line: str = ""
    """Named first by the explanation."""
    is_explained: bool = True
    """Whether that line, and the advice, are what they must be."""
    named_first: str = ""
    """The metric that the cell's reason names."""
    minutes: float = 0.0
    """Audio driven."""
    wall_seconds: float = 0.0
    """Of the whole command, explanation and reports included."""
    reason: str = ""

    @property
    def is_undecided(self) -> bool:
        """Whether the run could not tell."""
        return self.verdict == "undecided"

    @property
    def faults(self) -> tuple[str, ...]:
        """What was said and is not so."""
        truth = "leak" if self.case.leaks else "flat"
        if self.is_undecided:
            return ()
        if self.verdict != truth:
            return (f"said {self.verdict}",)
        if not self.case.leaks:
            return ()
        if not self.metric:
            return ("not by the right metric",)
        allowed = RSS_TOLERANCE if self.metric == "rss_bytes" else TOLERANCE
        is_off = self.error is not None and abs(self.error) > allowed
        faults = ("rate" if is_off else "", "" if self.is_explained else "explanation")
        return tuple(filter(None, faults))


def drive(case: Case, audio: str, folder: Path) -> Outcome:
    """Run one case with default options and read what came of it."""
    output = folder / case.title
    options = ("--subject", f"{HERE / case.file}:{case.name}", "--scenario", case.scenario)
    # What begins late is found only if the run is still going on.
    whole = ("--at-least", audio) if case.onset_chunks else ()
    command = (
        *(*interpreter_of(case), "run", *options, "--audio", audio, *whole),
        *("--output", str(output)),
    )
    began = time.monotonic()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        cwd=folder,
        # Where the kinds find what they are hung on.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _import_path()))},
    )
    seconds = time.monotonic() - began
    verdict = VERDICTS.get(done.returncode, f"status {done.returncode}")
    if not (output / "result.json").exists():
        return Outcome(case=case, verdict=verdict, reason=done.stderr.strip()[-300:])
    (cell,) = read_result(output).cells
    explanation = read_explanation(output / "cells" / cell.id)
    outcome = read_outcome(case, verdict, cell, explanation, done.stdout)
    return dataclasses.replace(outcome, wall_seconds=seconds)


def interpreter_of(case: Case) -> tuple[str, ...]:
    """Return the command for leakbench, by another interpreter where a case needs packages."""
    python: Path | str = sys.executable
    if case.packages:
        # Editable: what runs there is this checkout, as it is by then.
        own = ("--editable", str(ROOT), "memray")
        pins = ("--constraint", str(ROOT / "constraints.txt"))
        python = make_venv("kinds", [*own, *case.packages, *pins])
    return (str(python), "-m", "leakbench")


def _import_path() -> Iterator[str | Path]:
    yield HERE
    if inherited := os.environ.get("PYTHONPATH"):
        yield inherited


def read_outcome(
    case: Case, verdict: str, cell: CellResult, explanation: Explanation | None, printed: str
) -> Outcome:
    """Return what a run of `case` said: by its status, its result, its explanation and in print."""
    shown = [m for m in cell.metrics if shows(m, case)]
    best = min(shown, key=lambda m: abs(error_of(m, case, cell) or 0.0), default=None)
    lines = lines_of(explanation, best) if explanation and best else []
    line = f"{lines[0].function}: {lines[0].source}" if lines else ""
    return Outcome(
        case=case,
        verdict=verdict,
        metric=best.metric if best else "",
        rate=f"{best.rate:,.5g} a {best.rate_per}" if best and best.rate else "",
        error=error_of(best, case, cell) if best else None,
        line=line,
        is_explained=case.tells in line and case.advises in " ".join(printed.split()),
        named_first=cell.reason.partition(":")[0],
        minutes=cell.audio_seconds / 60,
        reason=cell.error or cell.reason,
    )


def shows(metric: MetricResult, case: Case) -> bool:
    """Whether `metric` is one that must show the leak of `case`, and does."""
    # What a path holds is in the heap too, which may show it where the path does not.
    is_there = metric.path in (case.path, PROCESS)
    is_leak = metric.verdict == "leak" and metric.gated
    return is_leak and is_there and metric.metric in case.metrics


def error_of(metric: MetricResult, case: Case, cell: CellResult) -> float | None:
    """Return the error of a rate: by what it comes with, or by the hour where that is not told."""
    if case.rate is None:
        return None
    if metric.rate_per == case.per and metric.rate:
        return metric.rate / case.rate - 1
    hours = cell.audio_seconds / 3600
    an_hour = {
        "chunk": 3600 / (cell.chunk_ms / 1000),
        "segment": cell.segments / hours,
        "stream": cell.streams / hours,
        "period": 3600 / cell.period_seconds,
    }[case.per]
    return (metric.slope_per_audio_hour or 0.0) / (case.rate * an_hour) - 1


def lines_of(explanation: Explanation, leak: MetricResult) -> list[AllocationLine]:
    """Return the lines that an explanation names for `leak`, in the order in which it does."""
    if leak.metric == "cpu_seconds":
        return list(explanation.busy)
    found: list[tuple[float, list[AllocationLine]]]
    if leak.path != PROCESS:
        below = [g for g in explanation.growths if is_below(g.path, leak.path)]
        found = [(0, list(g.allocations)) for g in below]
    elif leak.metric in ("heap_bytes", "rss_bytes"):
        found = [(g.bytes_per_hour, list(g.allocations)) for g in explanation.growths]
        found += [(n.bytes_per_hour, [n.line] if n.line else []) for n in explanation.native]
    else:
        listed = _OPENED_AS.get(leak.metric, leak.metric)
        found = [(0, list(o.openers)) for o in explanation.opened if o.metric == listed]
    found.sort(key=lambda entry: -entry[0])
    return [line for _, lines in found for line in lines]


def is_below(path: str, above: str) -> bool:
    """Whether `path` is `above`, or of something that it holds."""
    return path.startswith(above) and path[len(above) :][:1] in ("", ".", "[")
