"""Clean runs of the real VAD, each with audio of its own: none may be called a leak.

    python benchmarks/clean.py [--runs 200] [--jobs 2] [--recordings FILE] [--output FILE]

Runs go through releases, fixes, scenarios and chunk lengths in turn, with a seed each, as
`leakbench run` would drive them with the gate's budgets, in one process each. Exits with
1 if any is a leak.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from leakbench.conclude import conclude
from leakbench.plan import Plan, write_plan
from leakbench.plan.config import CONFIG_FILE, Config, load_config
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.result import CellResult
from leakbench.runner.observer import SilentObserver
from leakbench.runner.schedule import run_plan

SUBJECTS = (
    "fixed",
    "latest",
    "original+ring-buffer",
    "original+memory-pool",
    "latest+upstream+segments",
    "original+sliding-window",
    "original+periodic-cleanup",
)
DRIVEN = (
    ("silence", 600),
    ("alternating", 600),
    ("bursts", 600),
    ("reconnect", 600),
    ("noise", 600),
    ("silence", 60),
    ("alternating", 60),
    ("recorded", 600),
)
"""Scenario and chunk length in ms."""
AUDIO_SECONDS = 600.0
AT_A_TIME = 10
"""Cells of one plan: a run that fails loses no more."""


def requests(config: Config, recordings: Path | None) -> Iterator[CellRequest]:
    """Yield one run after the other, for ever."""
    # 7 subjects and 8 ways to drive them have no common factor: every pair comes in turn.
    for number in itertools.count():
        subject = SUBJECTS[number % len(SUBJECTS)]
        scenario, chunk_ms = DRIVEN[number % len(DRIVEN)]
        if scenario == "recorded" and recordings is None:
            continue
        yield CellRequest(
            subject=subject,
            scenario=scenario,
            chunk_ms=chunk_ms,
            seed=number,
            # Five periods of a recording take longer.
            audio_seconds=None if scenario == "recorded" else AUDIO_SECONDS,
            recordings=recordings if scenario == "recorded" else None,
            rules=tuple(budget.rule for budget in config.budgets if budget.is_for(subject)),
        )


def drive(batch: Sequence[CellRequest], jobs: int) -> tuple[CellResult, ...]:
    """Drive some of them."""
    with tempfile.TemporaryDirectory(prefix="leakbench-clean-") as scratch:
        folder = Path(scratch)
        plan = Plan(cells=build_cells(list(batch)), jobs=jobs)
        write_plan(folder, plan)
        run_plan(plan, folder, SilentObserver())
        return conclude(folder).cells


def main() -> int:
    """Drive all of them and write what was said."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    config = load_config(Path(__file__).parents[1] / CONFIG_FILE)
    began = time.monotonic()
    said: Counter[tuple[str, str]] = Counter()
    amiss = []
    wanted = itertools.islice(requests(config, options.recordings), options.runs)
    while batch := list(itertools.islice(wanted, AT_A_TIME)):
        for cell in drive(batch, options.jobs):
            said[f"{cell.scenario} {cell.chunk_ms} ms", cell.verdict] += 1
            if cell.verdict != "flat":
                amiss.append(f"- {cell.subject} x {cell.id}, seed {cell.seed}: {cell.verdict}: "
                             f"{cell.error or cell.reason}")  # fmt: skip
                print(amiss[-1], flush=True)
    verdicts = ("flat", "undecided", "leak", "error")
    lines = [
        f"| driven | {' | '.join(verdicts)} |",
        f"| --- |{' --- |' * len(verdicts)}",
        *(
            f"| {way} | {' | '.join(str(said[way, verdict]) for verdict in verdicts)} |"
            for way in dict.fromkeys(way for way, _ in said)
        ),
        "",
        f"{sum(said.values())} runs of at most {AUDIO_SECONDS:g} s of audio (recorded: 900 s), "
        "each in one process: "
        f"{sum(n for (_, v), n in said.items() if v == 'leak')} called a leak. "
        f"Of {', '.join(SUBJECTS)}. {time.monotonic() - began:.0f} s.",
        *amiss,
        "",
        f"Again: `python benchmarks/clean.py --runs {options.runs} --recordings FILE`",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    return int(any(verdict == "leak" for _, verdict in said))


if __name__ == "__main__":
    sys.exit(main())
