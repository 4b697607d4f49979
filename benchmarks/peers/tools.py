"""The peers, each used as its documentation says."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.peers.growth import (
    RULE,
    format_growth,
    is_leak,
    line_per_hour,
    per_hour,
    settled,
)
from benchmarks.peers.workloads import Stream, processor_seconds

LIMIT_LEAKS: Final = "4 MB"
PSLEAK_TIMES: Final = 20
PSLEAK_TOLERANCE: Final = {"uss": 2**20, "rss": 2**20, "vms": 2**20}
"""A run's growth in pages that is no leak: torch takes and gives back some. None for the heap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one tool says of one stream."""

    leaks: bool | None
    """None where it gives no answer."""
    saw: str
    seconds: float
    """Processor time, with what the tool does at the end."""
    chunks: int
    """Fed while it looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A leak finder: how to get it, how to run it and how to read it."""

    find: Callable[[Stream, int], Finding]
    rule: str
    """What it calls a leak, and what it had to be told."""
    requirements: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def with_tracemalloc(stream: Stream, chunks: int) -> Finding:
    import tracemalloc

    snapshots = []

    def look(chunk: int) -> None:
        if chunk in (settled(chunks), chunks):
            # What only a cycle holds is not leaked.
            gc.collect()
            snapshots.append(tracemalloc.take_snapshot())

    began = processor_seconds()
    tracemalloc.start()
    stream.run(chunks, look)
    tracemalloc.stop()
    own = (tracemalloc.Filter(False, tracemalloc.__file__),)
    first, last = (snapshot.filter_traces(own) for snapshot in snapshots)
    differences = last.compare_to(first, "lineno")
    seconds = processor_seconds() - began
    growth = sum(difference.size_diff for difference in differences)
    rate = per_hour(growth, chunks - settled(chunks))
    frame = max(differences, key=lambda difference: difference.size_diff).traceback[0]
    saw = f"{format_growth(rate)}/h; most at {Path(frame.filename).name}:{frame.lineno}"
    return Finding(leaks=is_leak(rate), saw=saw, seconds=seconds, chunks=chunks)


TEST_FILE: Final = f"""
import pytest

@pytest.mark.limit_leaks("{LIMIT_LEAKS}")
def test_a_stream_leaks_less_than_the_limit(run_stream):
    run_stream()
"""


def with_memray(stream: Stream, chunks: int) -> Finding:
    import memray
    import pytest
    import pytest_memray.plugin

    reports = []

    class Plugin:
        @pytest.fixture
        def run_stream(self) -> Callable[[], float]:
            return lambda: stream.run(chunks)

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.when == "call":
                reports.append(report)

    with tempfile.TemporaryDirectory() as scratch:
        test = Path(scratch) / "test_peer.py"
        test.write_text(TEST_FILE)
        began = processor_seconds()
        pytest.main(
            [
                *("-c", os.devnull, "--rootdir", scratch, "-p", "no:cacheprovider", "-q"),
                *("-p", pytest_memray.plugin.__name__, "--memray", "--memray-bin-path", scratch),
                str(test),
            ],
            plugins=[Plugin()],
        )
        seconds = processor_seconds() - began
        (trace,) = Path(scratch).glob("*.bin")
        records = list(memray.FileReader(trace).get_leaked_allocation_records(merge_threads=True))
    (report,) = reports
    said = str(report.longrepr or "")
    if report.failed and "allowed to leak" not in said:
        raise RuntimeError(said.strip().splitlines()[-1])
    sizes = [record.size for record in records]
    saw = f"largest location {format_growth(max(sizes))}, {format_growth(sum(sizes))} in all"
    return Finding(leaks=report.failed, saw=saw, seconds=seconds, chunks=chunks)


def with_memory_profiler(stream: Stream, chunks: int) -> Finding:
    from memory_profiler import memory_usage

    began = processor_seconds()
    used = memory_usage((stream.run, (chunks,)))
    seconds = processor_seconds() - began
    late = used[settled(len(used)) :]
    rate = line_per_hour(late, chunks * len(late) / len(used)) * 2**20
    saw = f"{format_growth(rate)}/h of RSS, {len(used)} samples"
    return Finding(leaks=is_leak(rate), saw=saw, seconds=seconds, chunks=chunks)


def with_psleak(stream: Stream, chunks: int) -> Finding:
    from psleak import Error, MemoryLeakTestCase

    fed = 0

    def call() -> None:
        nonlocal fed
        stream.feed()
        fed += 1

    case = MemoryLeakTestCase()
    began = processor_seconds()
    stream.subject.start()
    try:
        case.execute(
            call,
            warmup_times=settled(chunks),
            times=PSLEAK_TIMES,
            tolerance=PSLEAK_TOLERANCE,
        )
        leaks, saw = False, "memory stable"
    except Error as error:
        leaks, saw = True, last_run(error)
    seconds = processor_seconds() - began
    return Finding(leaks=leaks, saw=saw, seconds=seconds, chunks=fed)


def last_run(error: AssertionError) -> str:
    """Return the line of the last run of psleak's message, or all of another message."""
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines[-1].startswith("Run") else " ".join(lines)
    return f"{type(error).__name__}: {last.replace(' | ', ', '):.160}"


def with_asizeof(stream: Stream, chunks: int) -> Finding:
    from pympler import asizeof

    sizes: dict[str, list[int]] = {}

    def look(_chunk: int) -> None:
        stats: Any = stream.subject.roots()["stats"]
        for name in ("stats", "data_buf", "data_buf_all", "decibel"):
            part = stats if name == "stats" else getattr(stats, name)
            sizes.setdefault(name, []).append(asizeof.asizeof(part))

    seconds = stream.run(chunks, look)
    first = settled(chunks)
    rates = {name: line_per_hour(series[first:], chunks - first) for name, series in sizes.items()}
    saw = ", ".join(f"{name} {format_growth(rate)}/h" for name, rate in rates.items())
    return Finding(leaks=any(map(is_leak, rates.values())), saw=saw, seconds=seconds, chunks=chunks)


PEERS: Final = {
    "tracemalloc": Tool(
        find=with_tracemalloc,
        rule=f"two snapshots compared line by line, the growth of all lines; {RULE}",
    ),
    "pytest-memray": Tool(
        find=with_memray,
        rule=f'its own: `limit_leaks("{LIMIT_LEAKS}")`, a call stack that has so much not freed at '
        "the end of the test. The limit must be given; this one is above what the cache may hold. "
        "The stream is still open when the test ends",
        requirements=("pytest-memray==1.11.0", "memray==1.20.0"),
        environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    ),
    "memory_profiler": Tool(
        find=with_memory_profiler,
        rule="`memory_usage`, every 0.1 s, and the straight line that `mprof plot --slope` draws; "
        + RULE,
        requirements=("memory-profiler==0.61.0",),
    ),
    "psleak": Tool(
        find=with_psleak,
        rule="its own: heap, mmap, USS, RSS or VMS still grow by as much a call after 10 runs of "
        "more and more calls, or a call leaves a thread, a file or garbage. A call is a chunk. "
        f"`times={PSLEAK_TIMES}` to begin with, not 200, as the runs of a leak take 112 times as "
        "many; `warmup_times` a third of the others' chunks, not 10; a tolerance of 1 MiB a run "
        "for USS, RSS and VMS, not 0, and 0 for heap and mmap; all checkers; PYTHONMALLOC=malloc "
        "and PYTHONUNBUFFERED=1, as its guide asks",
        requirements=("psleak==0.1.6",),
        environment={"PYTHONMALLOC": "malloc", "PYTHONUNBUFFERED": "1"},
    ),
    "asizeof loop": Tool(
        find=with_asizeof,
        rule="FunASR issue 2202: `asizeof` of stats, data_buf, data_buf_all and decibel after "
        f"every chunk, a straight line through each; {RULE}",
        requirements=("pympler==1.1",),
    ),
}
