"""How often the verdict is wrong, and how much audio it needs: on series of known truth.

    python benchmarks/calibration.py [--quick] [--sets N] [--seed N] [--only TEXT] [--output DIR]

Needs ``pip install ruptures pymannkendall`` beside leakbench. Writes ``calibration.md`` and
``calibration.json``; the same seed writes the same tables.
"""

from __future__ import annotations

import argparse
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from rivals import RIVALS, judge_late_window
from simulated import Array, Kind, hours, kinds

from leakbench.verdict import Series, Verdict, judge_statistical
from leakbench.verdict.looks import Look, last_look, next_look_seconds

HOURS: Final = 8
"""The longest run: 8 audio-hours, as many as the power target allows."""
REPLICATES: Final = (8, 4, 1)
SKETCH: Final = "as sketched, K = 8"
"""The column of the procedure that ours started from."""
FIRST_LOOK: Final = {True: 600.0, False: 3600.0}
"""First look in seconds, for a heap-like kind and for another."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one rule said of one kind."""

    sets: int
    verdicts: Mapping[str, int]
    false_flat: int
    """FLAT while growth was above the budget."""
    audio_hours: float
    """Median audio of one replicate at a decision; NaN where there was none."""

    def share(self, verdict: str) -> float:
        """Return the share of sets with `verdict`."""
        return self.verdicts.get(verdict, 0) / self.sets


Judge: TypeAlias = Callable[[Kind, Sequence[Series], Look, int], str]
"""(kind, replicates, look, looks in all) to a verdict."""


def judge_ours(kind: Kind, series: Sequence[Series], look: Look, looks: int) -> str:
    """Judge by the procedure that leakbench ships."""
    return judge_statistical(
        series,
        budget_per_hour=1.0,
        # A heap is sampled at a fixed phase of its stimulus, so every sample is a floor.
        cycle_seconds=60.0 if kind.heap else None,
        share=look.share,
        horizon_seconds=HOURS * 3600.0,
    ).verdict.value


def judge_as_sketched(kind: Kind, series: Sequence[Series], look: Look, looks: int) -> str:
    """Judge by the procedure that ours started from; it needs 40 samples."""
    if min(len(audio) for audio, _ in series) < 40:
        return "undecided"
    return judge_late_window(series, looks)


def tally_sequentially(kind: Kind, drawn: Array, replicates: int, judge: Judge) -> Tally:
    """Look at each set, shape (sets, >= replicates, samples), again until it is decided."""
    seconds = hours(drawn.shape[-1]) * 3600
    looks = plan_looks(kind, float(seconds[-1]))
    said: Counter[str] = Counter()
    audio, false_flat = [], 0
    for values in drawn:
        verdict, hour = "undecided", 0.0
        for look in looks:
            seen = [(seconds <= look.seconds) & ~np.isnan(each) for each in values[:replicates]]
            series = [(seconds[mask], each[mask]) for mask, each in zip(seen, values, strict=False)]
            verdict, hour = judge(kind, series, look, len(looks)), look.seconds / 3600
            if verdict in ("flat", "leak"):
                audio.append(hour)
                break
        said[verdict] += 1
        false_flat += verdict == "flat" and is_above(kind, hour)
    return Tally(len(drawn), said, false_flat, float(np.median(audio)) if audio else math.nan)


def plan_looks(kind: Kind, horizon: float) -> list[Look]:
    """Return every look of a run of `horizon` seconds."""
    first, reached, looks = FIRST_LOOK[kind.heap], 0.0, []
    while reached < horizon:
        reached = next_look_seconds(reached, first_seconds=first, horizon_seconds=horizon)
        look = last_look(reached, first_seconds=first, horizon_seconds=horizon)
        assert look is not None
        looks.append(look)
    return looks


def tally_rival(kind: Kind, drawn: Array, name: str) -> Tally:
    """Run a rule of `rivals` on the first replicate of each set, over the whole run."""
    rule, times = RIVALS[name], hours(drawn.shape[-1])
    said: Counter[str] = Counter()
    for values in drawn[:, 0]:
        there = ~np.isnan(values)
        said["leak" if rule(times[there], values[there]) else "flat"] += 1
    false_flat = said["flat"] if is_above(kind, HOURS) else 0
    return Tally(len(drawn), said, false_flat, float(HOURS))


def is_above(kind: Kind, hour: float) -> bool:
    """Whether FLAT is wrong of `kind` after `hour`.

    At exactly the budget it is: that is where a test of the budget errs most. A late leak
    must have begun before the last quarter of the record, or nothing can have seen it.
    """
    if kind.slope_at is not None:
        return kind.slope_at(hour) > 1.0
    if kind.truth == "late":
        return hour > kind.starts / 0.75
    return kind.truth in ("budget", "leak")


def main() -> None:
    """Parse the command line, run every kind, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=100, help="sets of 8 replicates a kind")
    parser.add_argument("--rival-sets", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only kinds whose name holds this text")
    parser.add_argument("--quick", action="store_true", help="20 sets a kind, half a minute")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parents[1] / "reports" / "calibration"
    )
    options = parser.parse_args()
    sets = 20 if options.quick else options.sets
    rows: dict[str, dict[str, Tally]] = {}
    chosen = [kind for kind in kinds() if options.only in kind.name]
    for kind in chosen:
        # Each kind has its own stream, so that leaving one out changes no other.
        rng = np.random.default_rng([options.seed, zlib.crc32(kind.name.encode())])
        drawn = kind.draw(rng, sets, max(REPLICATES), HOURS * 60)
        rows[kind.name] = {
            **{
                f"ours, K = {k}": tally_sequentially(kind, drawn, k, judge_ours) for k in REPLICATES
            },
            SKETCH: tally_sequentially(kind, drawn, max(REPLICATES), judge_as_sketched),
            **{name: tally_rival(kind, drawn[: options.rival_sets], name) for name in RIVALS},
        }
        print(kind.name, flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    command = f"python benchmarks/calibration.py --sets {sets} --seed {options.seed}"
    summary = summarise(chosen, rows)
    (options.output / "calibration.json").write_text(
        json.dumps(as_json(command, chosen, rows, summary), indent=1, allow_nan=False) + "\n"
    )
    (options.output / "calibration.md").write_text(
        as_markdown(command, chosen, rows, summary, sets)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One figure that was promised, beside what came out."""

    what: str
    target: str
    found: Mapping[str, str]
    """Rule to result."""


def summarise(chosen: Sequence[Kind], rows: Mapping[str, Mapping[str, Tally]]) -> list[Target]:
    """Pool kinds into the figures that have targets."""
    rules = list(next(iter(rows.values())))

    def pool(kinds_: Sequence[Kind], count: str) -> dict[str, str]:
        found = {}
        for rule in rules:
            tallies = [rows[kind.name][rule] for kind in kinds_]
            total = sum(tally.sets for tally in tallies)
            hits = sum(
                tally.false_flat if count == "false_flat" else tally.verdicts.get(count, 0)
                for tally in tallies
            )
            found[rule] = f"{100 * hits / total:.2f} % ({hits}/{total})" if total else "-"
        return found

    flat = [k for k in chosen if k.truth == "flat"]
    budget = [k for k in chosen if k.truth == "budget"]
    within = [k for k in chosen if k.truth == "fills" and "24 h" not in k.name]
    slower = [k for k in chosen if "24 h" in k.name]
    leaks = [k for k in chosen if k.truth in ("leak", "late")]
    twice = [k for k in chosen if k.heap and "leak 2 B" in k.name]
    tests = (
        ("false LEAK, all of the next three", "<= 0.1 %", [*flat, *within, *budget], "leak"),
        ("false LEAK, flat kinds", "<= 0.1 %", flat, "leak"),
        ("false LEAK, plateaus up to 12 h and logarithmic", "<= 0.1 %", within, "leak"),
        ("LEAK at exactly the budget", "<= 0.1 %", budget, "leak"),
        ("false LEAK, plateau of 24 h (three times the run)", "UNDECIDED", slower, "leak"),
        ("false FLAT at exactly the budget", "<= 1 %", budget, "false_flat"),
        ("false FLAT, leaks", "<= 1 %", leaks, "false_flat"),
        ("power at twice the budget, heap", ">= 99 %", twice, "leak"),
        ("FLAT, flat kinds", "", flat, "flat"),
        ("LEAK, leaks of every size", "", leaks, "leak"),
    )
    return [
        Target(what=what, target=target, found=pool(members, count))
        for what, target, members, count in tests
        if members
    ]


def as_json(
    command: str,
    chosen: Sequence[Kind],
    rows: Mapping[str, Mapping[str, Tally]],
    summary: Sequence[Target],
) -> dict[str, Any]:
    """Return everything that was found."""
    return {
        "command": command,
        "targets": [
            {"what": row.what, "target": row.target, "found": row.found} for row in summary
        ],
        "kinds": [
            {
                "kind": kind.name,
                "truth": kind.truth,
                "rules": {
                    rule: {
                        "sets": tally.sets,
                        **{
                            verdict.value: tally.verdicts.get(verdict.value, 0)
                            for verdict in Verdict
                        },
                        "false_flat": tally.false_flat,
                        "median_audio_hours": (
                            None if math.isnan(tally.audio_hours) else tally.audio_hours
                        ),
                    }
                    for rule, tally in rows[kind.name].items()
                },
            }
            for kind in chosen
        ],
    }


def as_markdown(
    command: str,
    chosen: Sequence[Kind],
    rows: Mapping[str, Mapping[str, Tally]],
    summary: Sequence[Target],
    sets: int,
) -> str:
    """Return the tables for people."""
    ours = [*(f"ours, K = {k}" for k in REPLICATES), SKETCH]
    rules = [*ours, *RIVALS]
    series = sets * max(REPLICATES) * len(chosen)
    lines = [
        "# Calibration of the verdict",
        "",
        f"`{command}`: {series:,} series of {HOURS} audio-hours, sampled once an audio-minute.",
        "K is the number of replicated processes; looks come at 1, 2, 4 and 8 h (heap: from",
        "10 min on). 'As sketched' is the procedure that ours started from: late window only, no",
        "horizon. The others see one whole series and cannot say UNDECIDED.",
        "",
        f"| pooled | target | {' | '.join(rules)} |",
        f"| --- | --- |{' --- |' * len(rules)}",
    ]
    lines += [
        f"| {row.what} | {row.target} | {' | '.join(row.found[rule] for rule in rules)} |"
        for row in summary
    ]
    lines += [
        "",
        "Per kind, in %. L: LEAK, F: FLAT, U: UNDECIDED (of which S: SATURATING), and the median",
        "audio-hours of a replicate at a decision. One figure: L, all else is FLAT.",
        "",
        f"| kind | {' | '.join(rules)} |",
        f"| --- |{' --- |' * len(rules)}",
    ]
    for kind in chosen:
        cells = [_cell(rows[kind.name][rule]) for rule in ours]
        cells += [f"{100 * rows[kind.name][rule].share('leak'):.0f}" for rule in RIVALS]
        lines.append(f"| {kind.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(tally: Tally) -> str:
    leak, flat, slowing, undecided = (
        100 * tally.share(verdict) for verdict in ("leak", "flat", "saturating", "undecided")
    )
    text = f"L {leak:.1f} F {flat:.1f} U {undecided + slowing:.1f}"
    if slowing:
        text += f" (S {slowing:.1f})"
    return text if math.isnan(tally.audio_hours) else f"{text}, {tally.audio_hours:.2g} h"


if __name__ == "__main__":
    main()
