"""How often the verdict on one process is wrong: bounded series that never repeat, and leaks.

    python benchmarks/banded.py [--sets N] [--seed N] [--jobs N] [--output DIR]

Each series has 200 values, 6 s of audio apart, 20 min in all, and is asked about as a run is:
after 5 values and whenever there are a tenth more. The process's heap is judged against 16 KiB/h
at bands from 16 B to 1 MiB, objects against no growth at all. Writes ``banded.md``; the same seed
writes the same table.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from wobbling import KINDS, WEAK, Array

from leakbench.metrics import metric_of
from leakbench.units import SECONDS_PER_HOUR, format_bytes
from leakbench.verdict import Judgement, Verdict, judge_exact
from leakbench.verdict.banded import judge_banded

LOOKS: Final = 200
PERIOD_SECONDS: Final = 6.0
HORIZON_SECONDS: Final = LOOKS * PERIOD_SECONDS
QUIET_PERIODS: Final = 12
HEAP: Final = metric_of("heap_bytes")
HEAP_BANDS: Final = (16.0, 256.0, 4096.0, 65536.0, 2.0**20)
OBJECT_BANDS: Final = (32.0, 4096.0, 2.0**20)
BUDGET: Final = HEAP.budget.per_hour() if HEAP.budget else 0.0
LEAKS: Final = (0.0, 5.0, 20.0)
"""Growth over the horizon in bands; of the heap at least 2 and 5 budgets."""
AT_LEAST: Final = {0.0: 0.0, 5.0: 2.0, 20.0: 5.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row: many series of one kind."""

    kind: str
    of_heap: bool
    band: float
    leak: float
    sets: int
    seed: int

    @property
    def growth_per_look(self) -> float:
        """The leak, from one value to the next."""
        growth = self.leak * self.band / LOOKS
        if self.of_heap:
            hours = PERIOD_SECONDS / SECONDS_PER_HOUR
            growth = max(growth, AT_LEAST[self.leak] * BUDGET * hours)
        return growth


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was said of a task's series."""

    task: Task
    verdicts: Counter[str]
    looks: float
    """Median looks at the decision."""
    error: float
    """Median error of the rate of what was found to leak."""


def ask(values: Array, *, of_heap: bool) -> Judgement:
    """Judge what there is so far."""
    if of_heap:
        return judge_banded(
            values,
            period_seconds=PERIOD_SECONDS,
            budget_per_hour=BUDGET,
            noise=HEAP.noise,
            horizon_seconds=HORIZON_SECONDS,
        )
    return judge_exact(
        values,
        period_seconds=PERIOD_SECONDS,
        quiet_periods=QUIET_PERIODS,
        horizon_seconds=HORIZON_SECONDS,
    )


def drive(values: Array, *, of_heap: bool) -> tuple[Judgement, int]:
    """Ask again and again until it is decided, as a run does."""
    count = 5
    while True:
        judged = ask(values[:count], of_heap=of_heap)
        sure = judged.verdict is Verdict.FLAT or judged.audio_wanted_seconds is None
        if (judged.verdict.decided and sure) or count == len(values):
            return judged, count
        count = min(max(count + 1, int(1.1 * count)), len(values))


def tally(task: Task) -> Row:
    """Judge every series of a task."""
    draw = (KINDS | WEAK)[task.kind]
    growth = task.growth_per_look
    said: Counter[str] = Counter()
    looks, errors = [], []
    for number in range(task.sets):
        name = f"{task.kind} {task.of_heap} {task.band} {task.leak} {number}"
        rng = np.random.default_rng([task.seed, zlib.crc32(name.encode())])
        values = np.round(1e6 + task.band * draw(rng, LOOKS) + growth * np.arange(LOOKS))
        judged, count = drive(values, of_heap=task.of_heap)
        said[judged.verdict.outcome] += 1
        looks.append(count)
        if judged.verdict is Verdict.LEAK and growth and judged.slope_per_hour:
            per_hour = growth * SECONDS_PER_HOUR / PERIOD_SECONDS
            errors.append(abs(judged.slope_per_hour / per_hour - 1))
    return Row(
        task=task,
        verdicts=said,
        looks=float(np.median(looks)),
        error=float(np.median(errors)) if errors else float("nan"),
    )


def plan_tasks(kinds: Iterable[str], sets: int, seed: int) -> list[Task]:
    """Return every row of the table."""
    bands = [(True, band) for band in HEAP_BANDS] + [(False, band) for band in OBJECT_BANDS]
    return [
        Task(kind=kind, of_heap=of_heap, band=band, leak=leak, sets=sets, seed=seed)
        for kind in kinds
        for of_heap, band in bands
        for leak in LEAKS
    ]


def share(rows: Sequence[Row], verdict: str) -> float:
    """Return the share of all series of `rows` with a verdict."""
    total = sum(row.task.sets for row in rows)
    return sum(row.verdicts[verdict] for row in rows) / total if total else float("nan")


def format_table(rows: Sequence[Row], sets: int, seed: int) -> str:
    """Return the whole report."""
    pooled = [row for row in rows if row.task.kind in KINDS]
    still = [row for row in pooled if not row.task.leak]
    leaks = [row for row in pooled if row.task.leak]
    series = sum(row.task.sets for row in rows)
    lines = [
        "# One process, bounded series that never repeat",
        "",
        f"`python benchmarks/banded.py --sets {sets} --seed {seed}`: {series:,} series of 200"
        " values, 6 s of audio apart. `heap` is judged against 16 KiB/h, `objects` against no"
        " growth. A leak of 5 or 20 bands rises by that over the 20 min; of the heap by 2 or 5"
        " budgets where that is more.",
        "",
        "| pooled | target | heap | objects |",
        "| --- | --- | --- | --- |",
        *_pooled("false LEAK, no leak", "<= 0.1 %", still, "leak"),
        *_pooled("false FLAT, leaks", "<= 1 %", leaks, "flat"),
        *_pooled("FLAT, no leak", "", still, "flat"),
        *_pooled("LEAK, leaks", "", leaks, "leak"),
        "",
        "| kind | of | no leak: FLAT, undecided, LEAK | looks |"
        " leak: LEAK, undecided, FLAT | looks | rate off by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for kind in dict.fromkeys(row.task.kind for row in rows):
        for of_heap in (True, False):
            own = [r for r in rows if (r.task.kind, r.task.of_heap) == (kind, of_heap)]
            without, under = [r for r in own if not r.task.leak], [r for r in own if r.task.leak]
            lines.append(
                f"| {kind} | {'heap' if of_heap else 'objects'} | "
                f"{_shares(without, ('flat', 'undecided', 'leak'))} | {_looks(without)} | "
                f"{_shares(under, ('leak', 'undecided', 'flat'))} | {_looks(under)} | "
                f"{100 * float(np.nanmedian([r.error for r in under])):.1f} % |"
            )
    lines += [
        "",
        "| heap, no leak, by band | FLAT | undecided | LEAK |",
        "| --- | --- | --- | --- |",
    ]
    for band in HEAP_BANDS:
        own = [r for r in still if r.task.of_heap and r.task.band == band]
        cells = " | ".join(f"{100 * share(own, v):.1f} %" for v in ("flat", "undecided", "leak"))
        lines.append(f"| {format_bytes(band)} | {cells} |")
    return "\n".join(lines) + "\n"


def _pooled(name: str, target: str, rows: Sequence[Row], verdict: str) -> list[str]:
    shares = [share([r for r in rows if r.task.of_heap is heap], verdict) for heap in (True, False)]
    return [f"| {name} | {target} | " + " | ".join(f"{100 * s:.2f} %" for s in shares) + " |"]


def _shares(rows: Sequence[Row], verdicts: Sequence[str]) -> str:
    return ", ".join(f"{100 * share(rows, verdict):.1f}" for verdict in verdicts) + " %"


def _looks(rows: Sequence[Row]) -> str:
    return f"{np.median([row.looks for row in rows]):.0f}"


def main() -> None:
    """Parse the command line, judge every series, write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=100, help="series a row")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parents[1] / "reports" / "calibration"
    )
    options = parser.parse_args()
    tasks = plan_tasks((*KINDS, *WEAK), options.sets, options.seed)
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(tally, tasks, chunksize=4))
    text = format_table(rows, options.sets, options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "banded.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
