"""The command: every tool on every workload, one after the other, and the report on them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import benchmarks.peers
from benchmarks.peers.measurement import TOOLS, measure
from benchmarks.peers.table import describe
from benchmarks.peers.workloads import WORKLOADS


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=benchmarks.peers.__doc__.splitlines()[0]
    )
    parser.add_argument("--chunks", type=int, default=400)
    parser.add_argument("--output", type=Path, default=Path("reports/benchmarks/peers.md"))
    arguments = parser.parse_args()
    answers = []
    for tool in TOOLS:
        for workload in WORKLOADS:
            answers.append(measure(tool, workload, arguments.chunks))
            print(f"{tool} on {workload}: {answers[-1].saw}", file=sys.stderr, flush=True)
    text = describe(answers, TOOLS, arguments.chunks)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
