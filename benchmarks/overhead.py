"""What being measured costs a subject: the worker's loop against a bare ``generate`` loop.

    python benchmarks/overhead.py [--subject latest] [--pairs 20] [--chunk-ms 600] [--output FILE]

Both loops run in one process over the same audio with the same model, turn by turn, each
turn from a fresh stream, so that the machine's moods fall on both alike. The figure is the
ratio of the wall times of a pair; the table shows its median with the middle half of the pairs,
and the same of processor time, which other processes disturb less. The bare loop is what a user
writes: read a chunk, ``AutoModel.generate(input=chunk, cache=cache, ...)``, and nothing else.

Where a machine is too busy for a ratio to tell two percent, the last column does: the time of a
measured turn over the time within its calls of ``generate``, less the same of the bare loop.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

TARGETS = {600: 1.02, 60: 1.05}


class Seconds(NamedTuple):
    """Time by two clocks."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Seconds:
        """Read both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall - other.wall, self.processor - other.processor)


class Stopwatch:
    """A function that sums up the wall seconds of its calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        began = time.perf_counter()
        try:
            return self._function(*args, **kwargs)
        finally:
            self.seconds += time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", default="latest")
    parser.add_argument("--scenario", default="alternating")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--audio-minutes", type=float, default=10.0)
    parser.add_argument("--chunk-ms", type=int, nargs="*", default=list(TARGETS), choices=TARGETS)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        measure(arguments, arguments.inside)
        return
    lines = [
        f"{arguments.subject} x {arguments.scenario}, {arguments.audio_minutes:g} min of audio a "
        f"turn, {arguments.pairs} pairs: median ratio (middle half), measured to bare",
        "",
        "| chunk | wall time | processor time | target | outside `generate` |",
        "| --- | --- | --- | --- | --- |",
        *(run_inside(arguments, chunk_ms) for chunk_ms in arguments.chunk_ms),
        "",
        f"Again: `python benchmarks/overhead.py --pairs {arguments.pairs} "
        f"--audio-minutes {arguments.audio_minutes:g}`",
    ]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")


def run_inside(arguments: argparse.Namespace, chunk_ms: int) -> str:
    """Measure in a process with the environment that the runner gives its workers."""
    from leakbench.runner.process import worker_environment
    from leakbench.scenario import load_scenario
    from leakbench.subject.resolution import resolve_subject

    subject = resolve_subject(
        arguments.subject,
        model="embedded",
        chunk_ms=chunk_ms,
        generate=load_scenario(arguments.scenario).generate,
    )
    done = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--inside", str(chunk_ms)],
        env={**os.environ, **worker_environment({}, path=subject.path)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


def measure(arguments: argparse.Namespace, chunk_ms: int) -> None:
    from leakbench.funasr.subject import FunasrSubject
    from leakbench.record.heartbeat import Heartbeat
    from leakbench.record.trace import TraceWriter
    from leakbench.scenario import load_scenario
    from leakbench.scenario.audio.rendering import render
    from leakbench.scenario.audio.stimulus import ChunkReader
    from leakbench.worker.driver import Drive, drive
    from leakbench.worker.sampling import Sampler
    from leakbench.worker.schedule import Schedule

    scenario = load_scenario(arguments.scenario)
    options: dict[str, Any] = {
        "model": "embedded",
        "chunk_ms": chunk_ms,
        "generate": dict(scenario.generate),
    }
    subject = FunasrSubject(**options)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        stimulus = render(
            scenario,
            chunk_ms=chunk_ms,
            sample_rate=subject.sample_rate,
            seed=0,
            recordings=None,
            destination=folder / "stimulus.f32",
        )
        chunks = round(arguments.audio_minutes * 60_000 / chunk_ms)
        schedule = Schedule.plan(
            chunks_per_period=stimulus.chunks_per_period,
            phase=scenario.phase_chunk(chunk_ms),
            warmup_periods=scenario.warmup_periods,
            period_seconds=stimulus.period_seconds,
            process_interval_seconds=6.0,
        )

        def bare() -> Seconds:
            cache: dict[str, Any] = {}
            with ChunkReader(stimulus) as reader:
                began = Seconds.now()
                for _ in range(chunks):
                    subject.model.generate(
                        input=reader.read(),
                        cache=cache,
                        is_final=False,
                        chunk_size=chunk_ms,
                        **scenario.generate,
                    )
                return Seconds.now() - began

        def measured() -> Seconds:
            writer = TraceWriter(folder)
            heartbeat = Heartbeat(folder, create=True)
            heartbeat.allow(chunks)
            sampler = Sampler(schedule, subject, writer, chunk_seconds=chunk_ms / 1000)
            sampler.begin()
            plan = Drive(chunks=chunks, stream_chunks=None, chunk_seconds=chunk_ms / 1000)
            with ChunkReader(stimulus) as reader:
                began = Seconds.now()
                drive(
                    subject,
                    reader,
                    plan,
                    sampler=sampler,
                    writer=writer,
                    heartbeat=heartbeat,
                    stop_requested=lambda: False,
                )
                seconds = Seconds.now() - began
            writer.close()
            heartbeat.close()
            return seconds

        bare()
        measured()
        wall, processor, outside = [], [], []
        generate = subject.model.generate
        for pair in range(arguments.pairs):
            seconds, shares = {}, {}
            for turn in (bare, measured) if pair % 2 == 0 else (measured, bare):
                subject.model.generate = within = Stopwatch(generate)
                seconds[turn] = turn()
                shares[turn] = seconds[turn].wall / within.seconds
            wall.append(seconds[measured].wall / seconds[bare].wall)
            processor.append(seconds[measured].processor / seconds[bare].processor)
            outside.append(1 + shares[measured] - shares[bare])
    print(
        f"| {chunk_ms} ms | {middle(wall)} | {middle(processor)} | {TARGETS[chunk_ms]} "
        f"| {middle(outside)} |"
    )


def middle(ratios: list[float]) -> str:
    low, median, high = statistics.quantiles(ratios, n=4)
    return f"{median:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    main()
