"""Kinds of growth with known truth, through the command line with default options.

    python benchmarks/run_kinds.py [--only NAME ...] [--audio 20m] [--output FILE]

Each is driven in one process, as `leakbench run` does unless told otherwise. Right is: the truth
by the exit status, the leak by a metric that must show it, its rate within 2 % (5 % for RSS), and,
where the explanation must name something, that it does. Writes a table; exits with 1 if any is
wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "kinds"
sys.path.insert(0, str(HERE))

from catalogue import BOUNDED, LEAKS, Case  # noqa: E402

TOLERANCE = {"rss_bytes": 0.05}
VERDICTS = {0: "flat", 1: "leak", 3: "undecided"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run said of a case."""

    case: Case
    verdict: str
    metric: str = ""
    """That showed the leak."""
    rate: str = ""
    error: float | None = None
    """Of the rate."""
    explained: bool | None = None
    """Whether the explanation names what it must; None where nothing is asked."""
    minutes: float = 0.0
    wall_seconds: float = 0.0
    why: str = ""

    @property
    def is_undecided(self) -> bool:
        """Whether the run could not tell."""
        return self.verdict == "undecided"

    @property
    def is_wrong(self) -> bool:
        """Whether anything said is not so."""
        if self.is_undecided:
            return False
        if self.verdict != ("leak" if self.case.leaks else "flat"):
            return True
        if not self.case.leaks:
            return False
        off = self.error is not None and abs(self.error) > TOLERANCE.get(self.metric, 0.02)
        return not self.metric or off or self.explained is False


def drive(case: Case, audio: str, folder: Path) -> Outcome:
    """Run one case and read what came of it."""
    output = folder / case.name
    options = ["--subject", f"{HERE / case.file}:{case.name}", "--scenario", case.scenario]
    done = subprocess.run(
        [sys.executable, "-m", "leakbench", "run", *options, "--audio", audio, "--output", output],
        capture_output=True,
        text=True,
        timeout=900,
        # Where the kinds find what they are hung on.
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *_inherited()])},
    )
    verdict = VERDICTS.get(done.returncode, f"status {done.returncode}")
    try:
        cell = json.loads((output / "result.json").read_text())["cells"][0]
    except (OSError, ValueError):
        return Outcome(case=case, verdict=verdict, why=done.stderr.strip()[-200:])
    found = {
        "minutes": cell["audio_seconds"] / 60,
        "wall_seconds": cell["wall_seconds"],
        "why": cell["error"] or cell["reason"],
    }
    if verdict != "leak" or not case.leaks:
        return Outcome(case=case, verdict=verdict, **found)
    shown = [m for m in cell["metrics"] if m["verdict"] == "leak" and m["gated"]]
    shown = [m for m in shown if m["metric"] in case.metrics and _is_at(m["path"], case)]
    if not shown:
        return Outcome(case=case, verdict=verdict, **found)
    best = min(shown, key=lambda m: abs(error_of(m, case, cell) or 0.0))
    return Outcome(
        case=case,
        verdict=verdict,
        metric=best["metric"],
        rate=f"{best['rate']:,.5g} a {best['rate_per']}" if best["rate"] else "",
        error=error_of(best, case, cell),
        explained=explains(output, case),
        **found,
    )


def _inherited() -> list[str]:
    return [path for path in [os.environ.get("PYTHONPATH", "")] if path]


def _is_at(path: str, case: Case) -> bool:
    return path == case.path or "heap_bytes" in case.metrics


def error_of(metric: Mapping[str, Any], case: Case, cell: Mapping[str, Any]) -> float | None:
    """Return the error of a rate: by what it comes with, or by the hour where that is not told."""
    if case.rate is None:
        return None
    if metric["rate_per"] == case.per and metric["rate"]:
        return metric["rate"] / case.rate - 1
    hours = cell["audio_seconds"] / 3600
    an_hour = {
        "chunk": 3600 / (cell["chunk_ms"] / 1000),
        "segment": cell["segments"] / hours,
        "stream": cell["streams"] / hours,
    }[case.per]
    return (metric["slope_per_audio_hour"] or 0.0) / (case.rate * an_hour) - 1


def explains(output: Path, case: Case) -> bool | None:
    """Return whether the explanation names what it must."""
    if not case.tells:
        return None
    files = output.rglob("explanation.json")
    return any(case.tells in file.read_text(encoding="utf-8") for file in files)


def format_table(outcomes: list[Outcome], audio: str) -> str:
    """Return the report."""
    wrong = [o for o in outcomes if o.is_wrong]
    undecided = [o for o in outcomes if o.is_undecided]
    leaks = sum(o.case.leaks for o in outcomes)
    lines = [
        "# Kinds of growth",
        "",
        f"{leaks} kinds of leak and {len(outcomes) - leaks} bounded twins, each through "
        f"`leakbench run --audio {audio}` with default options, one process: {len(wrong)} wrong, "
        f"{len(undecided)} undecided. `python benchmarks/run_kinds.py` makes this table.",
        "",
        "| kind | truth | said | shown by | rate | rate off by | explained | audio | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for o in outcomes:
        error = "" if o.error is None else f"{100 * o.error:+.1f} %"
        named = {None: "", True: "yes", False: "no"}[o.explained]
        lines.append(
            f"| {o.case.name}, {o.case.scenario} | {'leak' if o.case.leaks else 'flat'} | "
            f"{'**' if o.is_wrong else ''}{o.verdict}{'**' if o.is_wrong else ''} | {o.metric} | "
            f"{o.rate} | {error} | {named} | {o.minutes:.1f} min | {o.wall_seconds:.1f} |"
        )
    return "\n".join(lines) + "\n"


def describe(outcome: Outcome) -> str:
    """Return a line on one case."""
    mark = "WRONG" if outcome.is_wrong else "undecided" if outcome.is_undecided else "ok"
    error = "" if outcome.error is None else f"{outcome.error:+.2%}"
    named = {None: "", True: "explained", False: "NOT EXPLAINED"}[outcome.explained]
    why = "" if mark == "ok" else f":: {outcome.why:.200}"
    parts = (outcome.verdict, outcome.metric, outcome.rate, error, named, why)
    said = "  ".join(filter(None, parts))
    return f"{mark:9} {outcome.case.name:22} {outcome.minutes:5.1f} min  {said}"


def main() -> int:
    """Drive every case and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--audio", default="20m")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for case in (*LEAKS, *BOUNDED):
            if not options.only or case.name in options.only:
                outcome = drive(case, options.audio, Path(folder))
                outcomes.append(outcome)
                print(describe(outcome), flush=True)
    table = format_table(outcomes, options.audio)
    if options.output:
        options.output.write_text(table, encoding="utf-8")
    return int(any(o.is_wrong for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
