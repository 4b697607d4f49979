"""The same clean subjects again and again, beside busy neighbours: no alarm, and always decided.

    python benchmarks/repeat.py [--runs 100] [--neighbours 2] [--output FILE]

Drives the model that `leakbench init` writes through the scenarios of the configuration that it
writes, and a subject that computes for a while at each chunk, as a gate would, while other
processes keep every core busy. Processor time must not be found to rise. Exits with 1 if a run is
not flat.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from leakbench import CellResult, run
from leakbench.cli.starter import write_starter

SCENARIOS = ("silence", "alternating", "bursts", "reconnect")
BURN = "import time\nwhile True:\n    sum(range(10**6)); time.sleep(0.05)\n"


@contextlib.contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Have `count` processes compute and rest in turn for as long as the block runs."""
    started = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def drive(runs: int, folder: Path) -> Iterator[tuple[str, CellResult]]:
    """Yield what is said of each run."""
    write_starter(folder)
    slow = Path(__file__).parent / "kinds" / "outside.py"
    for number in range(runs):
        scenario = SCENARIOS[number % len(SCENARIOS)]
        spec = f"{folder / 'my_vad.py'}:MyVad"
        yield "what init writes", run(spec, scenario, audio="10m", seed=number)
        yield "computes at each chunk", run(f"{slow}:SameTime", "alternating", seed=number)


def main() -> int:
    """Drive all of them and count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--neighbours", type=int, default=2)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    said: Counter[tuple[str, str]] = Counter()
    amiss = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, neighbours(options.neighbours):
        for name, cell in drive(options.runs, Path(folder)):
            said[name, cell.verdict] += 1
            if cell.verdict != "flat":
                amiss.append(
                    f"- {name}, {cell.scenario}, seed {cell.seed}: {cell.verdict}: {cell.reason}"
                )
                print(amiss[-1], flush=True)
    lines = [f"- {name}: {count} runs {verdict}" for (name, verdict), count in sorted(said.items())]
    text = "\n".join(
        [
            f"{sum(said.values())} runs of clean subjects beside {options.neighbours} busy "
            f"neighbours, {time.monotonic() - began:.0f} s:",
            "",
            *lines,
            *amiss,
            "",
            f"Again: `python benchmarks/repeat.py --runs {options.runs}`",
        ]
    )
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    return int(bool(amiss))


if __name__ == "__main__":
    sys.exit(main())
