"""What one look at a subject's objects costs, beside ``pympler.asizeof`` on the same objects.

    python benchmarks/walk.py [--model DIR --release DIR] [--rounds 200]

Without a model the objects are stand-ins of the shape of a FunASR VAD cache: bounded, as
the fixed releases keep it, and with 64,000 scores in a list, as the original one has after
1,000 chunks of 600 ms. With ``--model`` and ``--release`` (a folder with the package
``funasr``) the real model is driven over silence first and its cache is walked.

The two are timed in turn, so that whatever else the machine does falls on both; the ratio is
the median over the pairs. The probe sees tensors' storage and every path, asizeof neither.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pympler.asizeof import asizeof

from leakbench.probes.objects import ObjectProbe
from leakbench.probes.process import ProcessProbe

CHUNK_SAMPLES = 9600
LEAKED_SCORES = 64_000


class Stats:
    """Attributes, as the model's own state has them."""

    def __init__(self, scores: int) -> None:
        for n in range(18):
            setattr(self, f"count_{n}", 1000 * n)
        self.decibel = [-60.5 + n for n in range(scores)]
        self.scores = np.zeros((1, 41, 248), dtype=np.float32)
        self.data_buf_all = np.zeros(6800, dtype=np.float32)
        self.data_buf = self.data_buf_all[160:]
        self.output_data_buf = [{"start_ms": n * 1000, "buffer": []} for n in range(3)]
        self.frame_probs: list[float] = []


def stand_in(scores: int) -> Mapping[str, object]:
    return {
        "frontend": {f"cache_{n}": np.zeros(640, dtype=np.float32) for n in range(10)},
        "encoder": {f"cache_layer_{n}": np.zeros((1, 128, 19, 1)) for n in range(4)},
        "windows_detector": {"win_state": [0] * 20, "win_sum": 0},
        "stats": Stats(scores),
    }


def driven_cache(model: Path, release: Path, chunks: int) -> Mapping[str, object]:
    sys.path.insert(0, str(release))
    from leakbench.funasr.features import install_stand_in

    install_stand_in()
    from funasr import AutoModel

    loaded = AutoModel(
        model=str(model), disable_update=True, disable_pbar=True, log_level="ERROR", device="cpu"
    )
    cache: dict[str, Any] = {}
    silence = np.zeros(CHUNK_SAMPLES, dtype=np.float32)
    for _ in range(chunks):
        loaded.generate(input=silence.copy(), cache=cache, is_final=False, chunk_size=600)
    return cache


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def compare(name: str, roots: Mapping[str, object], rounds: int) -> str:
    probe = ObjectProbe()
    paths = len(probe.measure(roots))
    # Before asizeof runs: it gives every tensor an attribute dict.
    alone = min(seconds(lambda: probe.measure(roots)) for _ in range(rounds))
    asizeof(roots)
    pairs = [
        (seconds(lambda: probe.measure(roots)), seconds(lambda: asizeof(roots)))
        for _ in range(rounds)
    ]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    return (
        f"{name:<28}{paths:>6}{alone * 1e6:>12.0f}{ours * 1e6:>12.0f}"
        f"{theirs * 1e6:>12.0f}{ratio:>8.2f}"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path)
    arguments.add_argument("--release", type=Path)
    arguments.add_argument("--chunks", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=200)
    options = arguments.parse_args()
    columns = f"{'least µs':>12}{'median µs':>12}{'asizeof µs':>12}"
    print(f"{'objects':<28}{'paths':>6}{columns}{'ratio':>8}")
    if options.model and options.release:
        cache = driven_cache(options.model, options.release, options.chunks)
        print(compare(f"funasr {options.release.name}", cache, options.rounds))
    else:
        print(compare("bounded stand-in", stand_in(41), options.rounds))
        print(compare("leaky stand-in", stand_in(LEAKED_SCORES), max(options.rounds // 10, 3)))
        floats = {"floats": [n + 0.5 for n in range(5_000_000)]}
        print(f"5,000,000 floats: {_per_element(floats):.0f} ns an element")
    process = ProcessProbe()
    for name, call in (("RSS", process.rss_bytes), ("heap", process.heap_bytes)):
        print(f"{name}: {min(seconds(call) for _ in range(options.rounds)) * 1e6:.1f} µs")


def _per_element(roots: Mapping[str, list[float]]) -> float:
    probe = ObjectProbe()
    least = min(seconds(lambda: probe.measure(roots)) for _ in range(3))
    return least / sum(map(len, roots.values())) * 1e9


if __name__ == "__main__":
    main()
