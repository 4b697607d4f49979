"""The fixes beside the original and upstream's fix: time a chunk, bytes held, parity.

    python benchmarks/fixes.py [--turns 16] [--output reports/benchmarks/fixes.md]
                               [--plot docs/images/fixes.svg]

Each release has a process of its own; they take turns, in an order drawn anew each round, over
the same audio: speech-like bursts, then silence. A turn is a fresh stream. Times are processor
time, which on a busy machine repeats better than wall time: of the whole ``generate`` call, and of
the state machine in it, which is the model's ``forward`` without the network. A fix changes only
the latter, so what it costs is the difference of the latter to the first fixed release's, in the
same round, as a share of that release's whole chunk; with its t interval.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scipy import stats

FOUR = ("ring-buffer", "sliding-window", "periodic-cleanup", "memory-pool")
VARIANTS: tuple[tuple[str, str | None], ...] = (
    ("original", None),
    *(("original", fix) for fix in FOUR),
    ("fixed", None),
    ("latest", None),
    ("latest", "upstream+segments"),
)
CHUNK_MS = (600, 60)
BURST_SECONDS, SILENCE_SECONDS, LONG_SECONDS = 12, 6, 600
FRAME_BYTES, SAMPLE_BYTES = 4, 4
CONFIDENCE = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=16)
    parser.add_argument("--output", type=Path, default=Path("reports/benchmarks/fixes.md"))
    parser.add_argument("--plot", type=Path, help="draw the long silence, as SVG, into this file")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        serve()
        return
    workers = {release: Worker(release) for release in dict.fromkeys(r for r, _ in VARIANTS)}
    sections = [compare(workers, chunk_ms, arguments.turns) for chunk_ms in CHUNK_MS]
    minutes = {
        name_of(release, fix): workers[release].run(kind="long", fix=fix, chunk_ms=600)
        for release, fix in VARIANTS
    }
    sections.append(describe_growth(minutes))
    if arguments.plot:
        plot_growth(minutes, arguments.plot)
    for worker in workers.values():
        worker.close()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    text = "# The fixes, measured\n\n" + __doc__.partition("\n\n")[2].partition("\n\n")[2]
    arguments.output.write_text(text + "\n" + "\n".join(sections), encoding="utf-8")
    print(arguments.output.read_text(encoding="utf-8"))


class Worker:
    """A process with one release loaded, that runs a turn when told."""

    def __init__(self, release: str) -> None:
        from leakbench.runner.process import worker_environment
        from leakbench.subject.resolution import resolve_subject

        subject = resolve_subject(release, model="embedded", chunk_ms=600, generate={})
        self._process = subprocess.Popen(
            [subject.python, __file__, "--inside"],
            env={**os.environ, **worker_environment({}, path=subject.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, **turn: Any) -> dict[str, Any]:
        """Run a turn and return what it found."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(turn) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compare(workers: Mapping[str, Worker], chunk_ms: int, turns: int) -> str:
    """Return the table of one chunk size."""
    order = random.Random(0)
    whole: dict[tuple[str, str | None], list[float]] = {variant: [] for variant in VARIANTS}
    machine: dict[tuple[str, str | None], list[float]] = {variant: [] for variant in VARIANTS}
    for _ in range(turns):
        for release, fix in order.sample(VARIANTS, len(VARIANTS)):
            turn = workers[release].run(kind="time", fix=fix, chunk_ms=chunk_ms)
            whole[release, fix].append(turn["whole"])
            machine[release, fix].append(turn["machine"])
    held = {
        (release, fix): workers[release].run(kind="hold", fix=fix, chunk_ms=chunk_ms)
        for release, fix in VARIANTS
    }
    lines = [
        f"## {chunk_ms} ms chunks",
        "",
        f"{turns} turns of {BURST_SECONDS + SILENCE_SECONDS} s each. The least that the state "
        f"machine can still read: {minimum_bytes(chunk_ms)} B (a decibel and a score for each "
        "frame of a chunk).",
        "",
        "| subject | time a chunk | state machine | cost beside 1.3.15 | 95 % interval "
        "| bytes held at rest | at most | same segments |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    chunk_seconds = statistics.median(whole["fixed", None])
    for variant in VARIANTS:
        cost, low, high = cost_interval(machine[variant], machine["fixed", None], chunk_seconds)
        found = held[variant]
        same = found["events"] == held["original", None]["events"]
        lines.append(
            f"| {name_of(*variant)} | {statistics.median(whole[variant]) * 1e3:.2f} ms "
            f"| {statistics.median(machine[variant]) * 1e3:.2f} ms "
            f"| {cost:+.1%} | {low:+.1%} to {high:+.1%} "
            f"| {found['rest']:,} | {found['peak']:,} | {'yes' if same else 'no'} |"
        )
    return "\n".join([*lines, ""])


def describe_growth(minutes: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Return the table of what a long silence does."""
    last = LONG_SECONDS // 60
    lines = [
        f"## {last} min of silence, 600 ms chunks",
        "",
        "| subject | time a chunk, first minute | last minute | bytes held after 1 min "
        f"| after {last} min |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, found in minutes.items():
        spent, held = found["seconds"], found["bytes"]
        lines.append(
            f"| {name} | {spent[0] * 1e3:.1f} ms | {spent[-1] * 1e3:.1f} ms "
            f"| {held[0]:,} | {held[-1]:,} |"
        )
    return "\n".join([*lines, ""])


def plot_growth(minutes: Mapping[str, Mapping[str, list[float]]], file: Path) -> None:
    """Draw bytes held and time a chunk, minute by minute, beside each other."""
    from matplotlib.figure import Figure

    from leakbench.report.plots import scales, style
    from leakbench.report.plots.figures import save_figure

    figure = Figure(figsize=(10.65, 4.2), facecolor=style.PAPER)
    held, spent = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.085, right=0.985, top=0.92, bottom=0.27, wspace=0.2)
    colours = (style.BEFORE_COLOUR, *style.AFTER_COLOURS, style.BLACK, style.MUTED)
    for number, (name, found) in enumerate(minutes.items()):
        look = {
            "color": colours[number],
            "linestyle": style.LINE_STYLES[number % len(style.LINE_STYLES)],
            "marker": "osD^vPX*"[number],
            "markersize": 4,
            "label": name,
        }
        at = range(1, len(found["bytes"]) + 1)
        held.plot(at, found["bytes"], **look)
        spent.plot(at, [seconds * 1e3 for seconds in found["seconds"]], **look)
    levels = [level for found in minutes.values() for level in found["bytes"]]
    scales.log_ticks(held, "storage_bytes", min(levels), max(levels))
    held.set_title("Held below cache['stats']", loc="left", fontsize=10)
    spent.set_title("Processor time a chunk, ms", loc="left", fontsize=10)
    spent.set_ylim(bottom=0)
    for axes in (held, spent):
        axes.set_xlabel("minutes of silence, 600 ms chunks")
        axes.grid(color=style.GRID, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    handles, names = held.get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=4, frameon=False, fontsize=9)
    save_figure(figure, file.with_suffix(""))[0].unlink()


def cost_interval(
    seconds: Sequence[float], base: Sequence[float], chunk_seconds: float
) -> tuple[float, float, float]:
    """Return the mean paired difference as a share of a chunk, and its t interval."""
    shares = [(a - b) / chunk_seconds for a, b in zip(seconds, base, strict=True)]
    centre = statistics.fmean(shares)
    error = statistics.stdev(shares) / math.sqrt(len(shares))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(shares) - 1)) * error
    return centre, centre - reach, centre + reach


def minimum_bytes(chunk_ms: int) -> int:
    return chunk_ms // 10 * 2 * FRAME_BYTES


def name_of(release: str, fix: str | None) -> str:
    return f"{release}+{fix}" if fix else release


def serve() -> None:
    """Run turns read from standard input until it ends; answers go to standard output."""
    import contextlib
    import io

    import numpy as np

    from leakbench import fixes
    from leakbench.funasr.subject import FunasrSubject

    with contextlib.redirect_stdout(io.StringIO()):
        model = FunasrSubject().model
    random_bits = np.random.default_rng(7)
    rate = 16000
    bursts = random_bits.standard_normal(BURST_SECONDS * rate) * 0.07
    # A burst every 3 s, half of it sound.
    bursts *= np.arange(len(bursts)) % (3 * rate) < 1.5 * rate
    audio = np.concatenate((bursts, np.zeros(SILENCE_SECONDS * rate))).astype(np.float32)
    long = np.zeros(LONG_SECONDS * rate, dtype=np.float32)
    kinds = {"time": time_turn, "hold": hold_turn, "long": long_turn}
    for line in sys.stdin:
        turn = json.loads(line)
        if turn["fix"]:
            fixes.apply(model, turn["fix"])
        with contextlib.redirect_stdout(io.StringIO()):
            samples = long if turn["kind"] == "long" else audio
            answer = kinds[turn["kind"]](model, samples, turn["chunk_ms"])
        if turn["fix"]:
            fixes.remove(model)
        print(json.dumps(answer), flush=True)


def feed(model: Any, audio: Any, chunk_ms: int) -> Any:
    """Feed a fresh stream; yield its cache, a chunk's segments and its processor time."""
    cache: dict[str, Any] = {}
    length = chunk_ms * 16
    for begin in range(0, len(audio) - length + 1, length):
        chunk = audio[begin : begin + length].copy()
        started = time.process_time()
        result = model.generate(
            input=chunk, cache=cache, is_final=False, chunk_size=chunk_ms, dynamic_silence=False
        )
        yield cache, result[0]["value"], time.process_time() - started


def time_turn(model: Any, audio: Any, chunk_ms: int) -> dict[str, Any]:
    vad = model.model
    network, forward = Stopwatch(vad.encoder.forward), Stopwatch(vad.forward)
    vad.encoder.forward, vad.forward = network, forward
    try:
        # A median over a turn's chunks would hide what comes in few of them, as a cleanup does.
        whole = statistics.fmean(spent for *_, spent in feed(model, audio, chunk_ms))
    finally:
        del vad.encoder.forward, vad.forward
    return {"whole": whole, "machine": (forward.seconds - network.seconds) / forward.calls}


class Stopwatch:
    """A function that counts its calls and sums up their processor time."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.calls = 0
        self.seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        started = time.process_time()
        try:
            return self._function(*args, **kwargs)
        finally:
            self.seconds += time.process_time() - started
            self.calls += 1


def hold_turn(model: Any, audio: Any, chunk_ms: int) -> dict[str, Any]:
    events, held = [], []
    for cache, segments, _ in feed(model, audio, chunk_ms):
        events.append(segments)
        held.append(bytes_held(cache))
    return {"events": events, "rest": held[-1], "peak": max(held)}


def long_turn(model: Any, audio: Any, chunk_ms: int) -> dict[str, Any]:
    """Return the median time of a chunk and the bytes held, minute by minute."""
    spent, held = [], []
    minute = 60000 // chunk_ms
    for cache, _, seconds in feed(model, audio, chunk_ms):
        spent.append(seconds)
        if len(spent) % minute == 0:
            held.append(bytes_held(cache))
    return {
        "seconds": [
            statistics.median(spent[begin : begin + minute])
            for begin in range(0, len(spent) - minute + 1, minute)
        ],
        "bytes": held,
    }


def bytes_held(cache: Mapping[str, Any]) -> int:
    """Return the bytes below ``stats``, without the chunk's waveform, which all keep."""
    from leakbench.probes.objects import measure_objects

    kept = {name: each for name, each in vars(cache["stats"]).items() if name != "waveform"}
    size = measure_objects({"stats": kept})["stats"]
    return size.python_bytes + size.storage_bytes


if __name__ == "__main__":
    main()
