"""How long from the command to the verdict, start-up included.

    python benchmarks/time_to_verdict.py [--runs 5] [--output FILE]

Times ``leakbench run --subject original --scenario silence --expect leak`` as a user calls it,
with environments in place, until the line with the verdict is out. Beside each run, turn by
turn, the least that anyone pays: a process that imports the release and loads the model.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET_SECONDS = 15.0

LOAD = """
from leakbench.funasr.subject import FunasrSubject
FunasrSubject(model="embedded", chunk_ms=600)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    verdict, load, driven = [], [], []
    for _ in range(arguments.runs):
        load.append(time_load())
        seconds, audio = time_verdict()
        verdict.append(seconds)
        driven.append(audio)
    beyond = [all_of_it - loading for all_of_it, loading in zip(verdict, load, strict=True)]
    text = (
        f"command to verdict, {arguments.runs} runs, median (range):\n\n"
        "| | seconds |\n| --- | --- |\n"
        f"| command to verdict (target {TARGET_SECONDS:g}) | {spread(verdict)} |\n"
        f"| importing FunASR and loading the model, alone | {spread(load)} |\n"
        f"| everything else | {spread(beyond)} |\n\n"
        f"Audio driven: {statistics.median(driven):.0f} s. "
        f"Again: `python benchmarks/time_to_verdict.py --runs {arguments.runs}`\n"
    )
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


def time_verdict() -> tuple[float, float]:
    """Return the seconds until the verdict is printed, and the seconds of audio it took."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "run"
        command = [
            *(sys.executable, "-u", "-m", "leakbench", "run", "--subject", "original"),
            *("--scenario", "silence", "--expect", "leak", "--output", str(output)),
        ]
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "600 ms" in line and " leak " in line)
            seconds = time.perf_counter() - began
            process.stdout.read()
        if process.returncode:
            raise SystemExit(f"leakbench exited with {process.returncode}: {line}")
        cell = json.loads((output / "result.json").read_text())["cells"][0]
        return seconds, cell["audio_seconds"]


def time_load() -> float:
    from leakbench.runner.process import worker_environment
    from leakbench.subject.resolution import resolve_subject

    subject = resolve_subject("original", model="embedded", chunk_ms=600, generate={})
    began = time.perf_counter()
    subprocess.run(
        [subject.python, "-c", LOAD],
        env={**os.environ, **worker_environment({}, path=subject.path)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


if __name__ == "__main__":
    main()
