"""The report: who was right, at what cost, what each saw and what each calls a leak."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata

from benchmarks.peers.keeping import CACHE_CHUNKS, CLEANUP_CHUNKS
from benchmarks.peers.measurement import Answer
from benchmarks.peers.tools import Tool
from benchmarks.peers.workloads import CHUNK_MS, WORKLOADS


def describe(answers: Sequence[Answer], tools: Mapping[str, Tool], chunks: int) -> str:
    """Return the report on `answers`: one of each tool on each workload, in the table's order."""
    rows = {tool: [answer for answer in answers if answer.tool == tool] for tool in tools}
    lines = [
        "# Other leak finders on the same workloads",
        "",
        "original: FunASR 1.3.14. fixed: 1.3.15. plateau: fixed, with a cache of the last "
        f"{CACHE_CHUNKS} chunks' audio. sawtooth: fixed, keeping every chunk's audio and dropping "
        f"all of it each {CLEANUP_CHUNKS} chunks. Only the first leaks. {chunks} chunks of "
        f"{CHUNK_MS} ms of silence, where a tool does not choose for itself. Each measurement is a "
        "process of its own, in which as many chunks went before to settle it. The cost is the "
        "processor time, of the process and what it started, beside a bare loop over as many "
        "chunks in the same process: the median and the range of the workloads.",
        "",
        f"| tool | {' | '.join(WORKLOADS)} | right | cost | chunks |",
        "| --- " * (len(WORKLOADS) + 4) + "|",
        *(score(tool, row) for tool, row in rows.items()),
        "",
        "Bold: wrong. A dash: no answer.",
        "",
        "## What each saw",
        "",
        "| tool | workload | saw | cost | chunks |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {a.tool} | {a.workload} | {a.saw.replace('|', '/')} | {cost_of([a])} | "
            f"{a.chunks or '-'} |"
            for a in answers
        ),
        "",
        "## What each calls a leak",
        "",
        *(f"- {name}: {tool.rule}." for name, tool in tools.items()),
        "",
        f"{', '.join(versions(tools.values()))}; {os.cpu_count()} CPUs, load "
        f"{os.getloadavg()[0]:.1f} when this was written. All of it is one run of "
        f"`python -m benchmarks.peers --chunks {chunks}`.",
    ]
    return "\n".join(lines) + "\n"


def score(tool: str, row: Sequence[Answer]) -> str:
    """Return the tool's line of the first table."""
    right = sum(is_right(answer) for answer in row)
    fed = sorted({answer.chunks for answer in row if answer.chunks})
    span = f"{fed[0]} to {fed[-1]}" if len(fed) > 1 else "".join(map(str, fed)) or "-"
    said = " | ".join(say(answer) for answer in row)
    return f"| {tool} | {said} | {right} of {len(row)} | {cost_of(row)} | {span} |"


def say(answer: Answer) -> str:
    if answer.leaks is None:
        return "-"
    said = "leak" if answer.leaks else "no leak"
    return said if is_right(answer) else f"**{said}**"


def is_right(answer: Answer) -> bool:
    return answer.leaks is WORKLOADS[answer.workload].leaks


def cost_of(row: Sequence[Answer]) -> str:
    costs = [answer.cost for answer in row if answer.cost is not None]
    if not costs:
        return "-"
    median = f"{statistics.median(costs):.2f}"
    return median if len(costs) == 1 else f"{median} ({min(costs):.2f} to {max(costs):.2f})"


def versions(tools: Iterable[Tool]) -> list[str]:
    return [
        f"Python {sys.version.split()[0]}",
        *(requirement for tool in tools for requirement in tool.requirements),
        *(f"{name}=={metadata.version(name)}" for name in ("numpy", "psutil", "torch")),
    ]
