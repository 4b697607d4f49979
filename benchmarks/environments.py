"""What an environment for FunASR costs to set up, to hold and to start: slim against full.

    python benchmarks/environments.py [--constraints FILE] [--keep FOLDER]

Slim is what leakbench does: its own dependencies with the ``funasr`` extra, and each FunASR
release in a folder of its own, without its dependencies. Full is ``pip install funasr`` with
the same torch and the packages that FunASR leaves to its users. Also: the interpreter of the
ONNX runtime, and what one more release costs. Wheels come from pip's cache where they are
there, so run it twice for figures that do not depend on the network.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from leakbench.funasr.onnx_environment import make_interpreter
from leakbench.subject.environments import install_target, make_venv

ROOT = Path(__file__).parents[1]
RELEASE = "1.4.16"
STARTS = 5
"""Processes started to time an import; the median counts."""

_LOAD = """
import json, sys, time
start = time.perf_counter()
sys.path[:0] = json.loads(sys.argv[1])
import torch, funasr
from funasr import AutoModel
imported = time.perf_counter() - start
cpu = time.process_time()
import psutil
print(json.dumps([imported, cpu, psutil.Process().memory_info().rss, len(sys.modules)]))
"""
_LOAD_ONNX = _LOAD.replace(
    "import torch, funasr\nfrom funasr import AutoModel", "import funasr_onnx"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One environment's figures."""

    name: str
    setup_seconds: float
    setup_cpu_seconds: float
    disk_bytes: int
    distributions: int
    import_seconds: float
    import_cpu_seconds: float
    rss_bytes: float
    modules: int


def measure(name: str, make: Callable[[], tuple[Path, list[Path]]], *, code: str = _LOAD) -> Cost:
    """Set one environment up and start it a few times."""
    began, cpu_began = time.perf_counter(), children_cpu_seconds()
    python, folders = make()
    setup_seconds = time.perf_counter() - began
    setup_cpu_seconds = children_cpu_seconds() - cpu_began
    starts = [start(python, folders, code) for _ in range(STARTS)]
    packages = next((python.parents[1] / "lib").glob("python*")) / "site-packages"
    return Cost(
        name=name,
        setup_seconds=setup_seconds,
        setup_cpu_seconds=setup_cpu_seconds,
        disk_bytes=sum(disk_bytes(folder) for folder in [python.parents[1], *folders]),
        distributions=len(list(packages.glob("*.dist-info"))),
        import_seconds=statistics.median(seconds for seconds, _, _, _ in starts),
        import_cpu_seconds=statistics.median(cpu for _, cpu, _, _ in starts),
        rss_bytes=statistics.median(rss for _, _, rss, _ in starts),
        modules=int(starts[0][3]),
    )


def start(python: Path, folders: list[Path], code: str) -> tuple[float, float, float, float]:
    """Import in a fresh process; return seconds, CPU seconds, resident bytes, modules loaded."""
    command = [str(python), "-I", "-c", code, json.dumps([str(f) for f in folders])]
    printed = subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL)
    seconds, cpu, rss, modules = json.loads(printed.splitlines()[-1])
    return seconds, cpu, rss, modules


def children_cpu_seconds() -> float:
    """Return the CPU time of every process that was waited for; other load does not change it."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def disk_bytes(folder: Path) -> int:
    """Return what the files below a folder occupy, each once."""
    seen = {}
    for path in folder.rglob("*"):
        if not path.is_symlink() and path.is_file():
            status = path.stat()
            seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--constraints", type=Path, default=ROOT / "constraints.txt")
    parser.add_argument("--keep", type=Path, help="make the environments here and leave them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leakbench-environments-") as scratch:
        cache = (options.keep or Path(scratch)).absolute()
        os.environ["LEAKBENCH_CACHE"] = str(cache)
        pins = ["--constraint", str(options.constraints.absolute())]
        release = f"funasr=={RELEASE}"

        def slim() -> tuple[Path, list[Path]]:
            python = make_venv("slim", [f"{ROOT}[funasr]", *pins])
            return python, [install_target(release)]

        def full() -> tuple[Path, list[Path]]:
            # torch is FunASR's users' to install; torchaudio's stand-in needs the features.
            needed = [release, "torch", "kaldi-native-fbank", "psutil", *pins]
            return make_venv("full", needed), []

        costs = [
            measure("slim: leakbench[funasr] and one release", slim),
            measure("full: pip install funasr", full),
            measure("ONNX runtime", lambda: (make_interpreter("0.4.3"), []), code=_LOAD_ONNX),
        ]
        began = time.perf_counter()
        another = install_target("funasr==1.3.14")
        seconds = time.perf_counter() - began
        print(table(costs))
        print(f"\nOne more release beside the others: {seconds:.1f} s, {mb(disk_bytes(another))}.")
        python = sys.version.split()[0]
        print(f"\nPython {python}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}.")


def table(costs: list[Cost]) -> str:
    """Return the costs as a Markdown table."""
    lines = [
        "| environment | set-up (CPU) | on disk | packages | import (CPU) | RSS after | modules |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {c.name} | {c.setup_seconds:.0f} s ({c.setup_cpu_seconds:.0f} s) "
        f"| {mb(c.disk_bytes)} | {c.distributions} "
        f"| {c.import_seconds:.1f} s ({c.import_cpu_seconds:.1f} s) "
        f"| {mb(c.rss_bytes)} | {c.modules:,} |"
        for c in costs
    ]
    return "\n".join(lines)


def mb(count: float) -> str:
    return f"{count / 1e6:,.0f} MB"


if __name__ == "__main__":
    main()
