"""Other leak finders on the same four workloads: what each saw, what it cost, whether it was right.

    python benchmarks/peers.py [--chunks 150] [--output reports/benchmarks/peers.md]

Each peer is installed into a folder of its own below the cache, which only its own process has
on its path. A measurement is a process of its own: forked from one that has loaded the release,
or, for psleak, which needs another allocator and private pages, started for it. There a bare
loop feeds a fresh stream, and then the same number of chunks is fed again under the tool; the
cost is the ratio of the two wall times. Silence, 600 ms a chunk.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from leakbench.controls import Retaining
from leakbench.errors import ProvisionError
from leakbench.loading import load_subject
from leakbench.subject import ResolvedSubject, Samples, Segments, Subject

ROOT = Path(__file__).resolve().parents[1]
CHUNK_MS = 600
SCENARIO = str(ROOT / "scenarios" / "silence.toml")
CACHE_CHUNKS, CLEANUP_CHUNKS = 60, 32
BUDGET = "1 MiB/h"
BUDGET_BYTES_PER_HOUR = 2**20
LIMIT_LEAKS = "1 MB"
PSLEAK_CALLS = 5
LEAKBENCH_AUDIO_SECONDS = 600.0
VERDICT = "leakbench verdict"
UNMEASURED = "not measured"


class Keeping:
    """Keeps a copy of each chunk's audio until there are `limit`; then drops one, or all."""

    def __init__(self, limit: int, *, drop_all: bool) -> None:
        self.held: dict[int, Samples] = {}
        self.chunks = 0
        self._limit, self._drop_all = limit, drop_all

    def after_start(self, subject: Subject) -> None:
        """Forget what the last stream left."""
        self.held.clear()
        self.chunks = 0

    def after_chunk(self, subject: Subject, samples: Samples, segments: Segments) -> None:
        """Keep the chunk."""
        self.chunks += 1
        if self._drop_all and len(self.held) == self._limit:
            self.held.clear()
        self.held[self.chunks % self._limit] = samples.copy()


def plateau(factory: str, options: Mapping[str, object]) -> Retaining:
    return Retaining(load_subject(factory, options), Keeping(CACHE_CHUNKS, drop_all=False))


def sawtooth(factory: str, options: Mapping[str, object]) -> Retaining:
    return Retaining(load_subject(factory, options), Keeping(CLEANUP_CHUNKS, drop_all=True))


WORKLOADS: dict[str, tuple[str, bool]] = {
    "original": ("original", True),
    "fixed": ("fixed", False),
    "plateau": ("fixed", False),
    "sawtooth": ("fixed", False),
}
"""The release driven, and whether the right answer is that it leaks."""


@dataclass(frozen=True)
class Answer:
    """What one tool said of one workload."""

    tool: str
    workload: str
    leaks: bool | None = None
    """None where it gave no answer."""
    saw: str = ""
    ratio: float | None = None
    chunks: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=150)
    parser.add_argument("--output", type=Path, default=Path("reports/benchmarks/peers.md"))
    parser.add_argument("--results", type=Path, help="keep measurements here, and go on from them")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        serve(json.loads(arguments.inside))
        return
    folders, problems = install()
    with tempfile.TemporaryDirectory(prefix="leakbench-peers-") as scratch:
        results = arguments.results or Path(scratch) / "results.jsonl"
        results.touch()
        forked = [name for name in TOOLS if name != "psleak"]
        for tools in (forked, ["psleak"]):
            for release in ("original", "fixed"):
                run_inside(tools, release, arguments.chunks, folders, problems, results)
        judge(results, Path(scratch))
        answers = read(results)
    text = describe(answers, folders, arguments.chunks)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text, encoding="utf-8")
    print(text, end="")


def install() -> tuple[dict[str, str], dict[str, str]]:
    """Return the folder of each peer, and why the others have none."""
    from leakbench.environments import cache_folder, make_folder, run_pip

    folders, problems = {}, {}
    for name, tool in TOOLS.items():
        if not tool.requirements:
            continue
        cache = cache_folder()
        label = f"{tool.requirements[0]}-{sys.implementation.cache_tag}"

        def build(scratch: Path, tool: Tool = tool, name: str = name, label: str = label) -> None:
            arguments = ["install", "--target", str(scratch), *tool.requirements]
            run_pip(arguments, what=name, log=cache_folder() / "logs" / f"{label}.log")

        try:
            folders[name] = str(make_folder(cache / "peers" / label, build))
        except ProvisionError as error:
            problems[name] = f"not installed: {error}"
    return folders, problems


def run_inside(
    tools: Sequence[str],
    release: str,
    chunks: int,
    folders: Mapping[str, str],
    problems: Mapping[str, str],
    results: Path,
) -> None:
    """Run `tools` on every workload of `release` in a process that has it loaded."""
    from leakbench.runner.process import worker_environment

    subject = resolve(release)
    workloads = [name for name, (driven, _) in WORKLOADS.items() if driven == release]
    done = {(answer.tool, answer.workload) for answer in read(results)}
    asked = [
        (tool, workload)
        for workload in workloads
        for tool in tools
        if tool not in problems and (tool, workload) not in done
    ]
    if not asked:
        return
    request = {
        "asked": asked,
        "factory": subject.factory,
        "options": dict(subject.options),
        "chunks": chunks,
        "folders": dict(folders),
        "results": str(results),
        "fork": "psleak" not in tools,
    }
    environment = {**os.environ, **worker_environment(subject)}
    if "psleak" in tools:
        environment["PYTHONMALLOC"] = "malloc"
        environment["PYTHONPATH"] = os.pathsep.join(
            [folders.get("psleak", ""), environment["PYTHONPATH"]]
        )
    log = results.with_name(f"{results.stem}-{tools[0]}-{release}.log")
    with log.open("wb") as stream:
        subprocess.run(
            [sys.executable, __file__, "--inside", json.dumps(request)],
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    done = {(answer.tool, answer.workload) for answer in read(results)}
    last = " ".join(log.read_text(errors="replace").strip().splitlines()[-1:])
    for tool in tools:
        for workload in workloads:
            if (tool, workload) not in done:
                why = problems.get(tool, f"did not finish: {last:.120}")
                write(results, Answer(tool, workload, saw=why))


def read(results: Path) -> list[Answer]:
    return [Answer(**json.loads(line)) for line in results.read_text("utf-8").splitlines()]


def write(results: Path, answer: Answer) -> None:
    with results.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(answer)) + "\n")
    print(f"{answer.tool} on {answer.workload}: {answer.saw}", file=sys.stderr, flush=True)


def resolve(release: str) -> ResolvedSubject:
    from leakbench.resolution import resolve_subject
    from leakbench.scenario import load_scenario

    generate = load_scenario(SCENARIO).generate
    return resolve_subject(release, model="embedded", chunk_ms=CHUNK_MS, generate=generate)


def serve(request: Mapping[str, Any]) -> None:
    """Answer for every tool and workload asked for, each in a fork where forks will do."""
    subject = load_subject(request["factory"], request["options"])
    for tool, workload in request["asked"]:
        driven = dress(subject, workload)
        if request["fork"]:
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                continue
        try:
            if tool in request["folders"]:
                sys.path.insert(0, request["folders"][tool])
            answer = ask(tool, workload, Stream(driven), request["chunks"])
        except BaseException as error:
            traceback.print_exc()
            said = " ".join(f"{type(error).__name__}: {error}".split())
            answer = Answer(tool, workload, saw=f"failed: {said:.160}")
        write(Path(request["results"]), answer)
        if request["fork"]:
            os._exit(0)


def dress(subject: Subject, workload: str) -> Subject:
    if workload == "plateau":
        return Retaining(subject, Keeping(CACHE_CHUNKS, drop_all=False))
    if workload == "sawtooth":
        return Retaining(subject, Keeping(CLEANUP_CHUNKS, drop_all=True))
    return subject


class Stream:
    """Silence, fed to a subject."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def feed(self) -> None:
        """Feed one chunk."""
        self.subject.feed(np.zeros(self.subject.sample_rate * CHUNK_MS // 1000, np.float32), False)

    def run(self, chunks: int, look: Callable[[int], None] | None = None) -> float:
        """Feed a fresh stream and return the seconds it took."""
        began = time.perf_counter()
        self.subject.start()
        for chunk in range(chunks):
            self.feed()
            if look is not None:
                look(chunk + 1)
        return time.perf_counter() - began


def ask(tool: str, workload: str, stream: Stream, chunks: int) -> Answer:
    """Run one tool beside the bare loop."""
    stream.run(10)
    if tool == "psleak":
        # How many chunks it feeds is its own choice, so the bare loop comes after it.
        leaks, saw, seconds, fed = with_psleak(stream)
        bare = stream.run(fed)
        return Answer(tool, workload, leaks, saw, seconds / bare, fed)
    bare = stream.run(chunks)
    leaks, saw, seconds = TOOLS[tool].run(stream, chunks)
    return Answer(tool, workload, leaks, saw, seconds / bare, chunks)


def per_hour(first: float, last: float, chunks: float) -> float:
    return (last - first) / (chunks * CHUNK_MS / 3_600_000)


def line_per_hour(values: Sequence[float], chunks: float) -> float:
    """Return the slope of a straight line through values spread evenly over `chunks`."""
    hours = np.linspace(0, chunks * CHUNK_MS / 3_600_000, len(values))
    return float(np.polyfit(hours, values, 1)[0])


def amount(size: float) -> str:
    if abs(size) >= 2**19:
        return f"{size / 2**20:+,.2f} MiB"
    # Adding zero takes the sign off a zero.
    return f"{round(size / 2**10, 1) + 0.0:+,.1f} KiB"


def with_tracemalloc(stream: Stream, chunks: int) -> tuple[bool | None, str, float]:
    import tracemalloc

    snapshots = []

    def look(chunk: int) -> None:
        if chunk in (chunks // 3, chunks):
            gc.collect()
            snapshots.append(tracemalloc.take_snapshot())

    began = time.perf_counter()
    tracemalloc.start()
    stream.run(chunks, look)
    tracemalloc.stop()
    own = (tracemalloc.Filter(False, tracemalloc.__file__),)
    first, last = (snapshot.filter_traces(own) for snapshot in snapshots)
    differences = last.compare_to(first, "lineno")
    seconds = time.perf_counter() - began
    growth = sum(difference.size_diff for difference in differences)
    top = max(differences, key=lambda difference: difference.size_diff)
    frame = top.traceback[0]
    rate = per_hour(0, growth, chunks - chunks // 3)
    saw = f"{amount(rate)}/h; most at {Path(frame.filename).name}:{frame.lineno}"
    return rate > BUDGET_BYTES_PER_HOUR, saw, seconds


TEST_FILE = f"""
import pytest

@pytest.mark.limit_leaks("{LIMIT_LEAKS}")
def test_a_stream_leaks_less_than_the_limit(run_stream):
    run_stream()
"""


def with_memray(stream: Stream, chunks: int) -> tuple[bool | None, str, float]:
    import memray
    import pytest

    reports = []

    class Plugin:
        @pytest.fixture
        def run_stream(self) -> Callable[[], float]:
            return lambda: stream.run(chunks)

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.when == "call":
                reports.append(report)

    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        test = Path(scratch) / "test_peer.py"
        test.write_text(TEST_FILE)
        began = time.perf_counter()
        pytest.main(
            [
                *("-c", os.devnull, "--rootdir", scratch, "-p", "no:cacheprovider", "-q"),
                *(
                    "-p",
                    "pytest_memray.plugin",
                    "--memray",
                    "--memray-bin-path",
                    scratch,
                    str(test),
                ),
            ],
            plugins=[Plugin()],
        )
        seconds = time.perf_counter() - began
        (trace,) = Path(scratch).glob("*.bin")
        records = list(memray.FileReader(trace).get_leaked_allocation_records(merge_threads=True))
    largest = max(record.size for record in records)
    said = str(reports[0].longrepr or "passed").strip().splitlines()[-1]
    leaks = None if "limited" not in said and "leak" not in said else True
    leaks = False if reports[0].outcome == "passed" else leaks
    saw = f"largest location {amount(largest)}, {amount(sum(r.size for r in records))} in all"
    return leaks, saw if leaks is not None else f"failed: {said:.120}", seconds


def with_memory_profiler(stream: Stream, chunks: int) -> tuple[bool | None, str, float]:
    from memory_profiler import memory_usage

    began = time.perf_counter()
    used = memory_usage((stream.run, (chunks,)), interval=0.1)
    seconds = time.perf_counter() - began
    late = used[len(used) // 3 :]
    rate = line_per_hour(late, chunks * len(late) / len(used)) * 2**20
    return rate > BUDGET_BYTES_PER_HOUR, f"{amount(rate)}/h of RSS, {len(used)} samples", seconds


def with_asizeof(stream: Stream, chunks: int) -> tuple[bool | None, str, float]:
    from pympler import asizeof

    sizes: dict[str, list[int]] = {"decibel": [], "data_buf": [], "data_buf_all": []}

    def look(chunk: int) -> None:
        stats: Any = stream.subject.roots()["stats"]
        for name, series in sizes.items():
            series.append(asizeof.asizeof(getattr(stats, name)))

    seconds = stream.run(chunks, look)
    rates = {name: line_per_hour(v[chunks // 3 :], chunks * 2 / 3) for name, v in sizes.items()}
    saw = ", ".join(f"{name} {amount(rate)}/h" for name, rate in rates.items())
    return max(rates.values()) > BUDGET_BYTES_PER_HOUR, saw, seconds


def with_psleak(stream: Stream) -> tuple[bool | None, str, float, int]:
    from psleak import Error, MemoryLeakError, MemoryLeakTestCase

    fed = 0

    def call() -> None:
        nonlocal fed
        stream.feed()
        fed += 1

    case = MemoryLeakTestCase()
    stream.subject.start()
    began = time.perf_counter()
    try:
        case.execute(call, times=PSLEAK_CALLS)
        leaks, saw = False, "memory stable"
    except Error as error:
        leaks = True
        lines = [line for line in str(error).splitlines() if line.strip()]
        saw = lines[-1] if isinstance(error, MemoryLeakError) else lines[0]
        saw = f"{type(error).__name__}: {' '.join(saw.replace('|', ',').split()):.140}"
    return leaks, saw, time.perf_counter() - began, fed


def with_leakbench(stream: Stream, chunks: int) -> tuple[bool | None, str, float]:
    """Run the worker's loop for its cost; what it sees is judged in runs of its own."""
    from leakbench.audio.rendering import render
    from leakbench.audio.stimulus import ChunkReader
    from leakbench.scenario import load_scenario
    from leakbench.trace import TraceWriter
    from leakbench.worker.driver import Drive, drive
    from leakbench.worker.heartbeat import Heartbeat
    from leakbench.worker.sampling import Sampler, Schedule

    scenario = load_scenario(SCENARIO)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        stimulus = render(
            scenario,
            chunk_ms=CHUNK_MS,
            sample_rate=stream.subject.sample_rate,
            seed=0,
            recordings=None,
            destination=folder / "stimulus.f32",
        )
        schedule = Schedule.plan(
            chunks_per_period=stimulus.chunks_per_period,
            phase=scenario.phase_chunk(CHUNK_MS),
            warmup_periods=scenario.warmup_periods,
            period_seconds=stimulus.period_seconds,
            process_interval_seconds=30.0,
        )
        writer, heartbeat = TraceWriter(folder), Heartbeat(folder, create=True)
        heartbeat.allow(chunks)
        sampler = Sampler(schedule, stream.subject, writer, chunk_seconds=CHUNK_MS / 1000)
        plan = Drive(chunks=chunks, stream_chunks=None, chunk_seconds=CHUNK_MS / 1000)
        with ChunkReader(stimulus) as reader:
            began = time.perf_counter()
            sampler.begin()
            drive(
                stream.subject,
                reader,
                plan,
                sampler=sampler,
                writer=writer,
                heartbeat=heartbeat,
                stop_requested=lambda: False,
            )
            seconds = time.perf_counter() - began
        writer.close()
        heartbeat.close()
    return None, "", seconds


def judge(results: Path, scratch: Path) -> None:
    """Add leakbench's answers, with the costs found before."""
    from leakbench.conclusion import conclude
    from leakbench.plan import Cell, Plan, write_plan
    from leakbench.runner.observer import SilentObserver
    from leakbench.runner.schedule import run_plan
    from leakbench.scenario import load_scenario
    from leakbench.units import format_amount
    from leakbench.verdict.budgets import quantity_of

    costs = {answer.workload: answer for answer in read(results) if answer.tool == "leakbench"}
    if any(answer.tool == VERDICT for answer in read(results)):
        return
    cells = []
    for workload, (release, _) in WORKLOADS.items():
        subject = resolve(release)
        if workload != release:
            subject = replace(
                subject,
                spec=f"{release}+{workload}",
                factory=f"{Path(__file__).resolve()}:{workload}",
                options={"factory": subject.factory, "options": dict(subject.options)},
            )
        cells.append(
            Cell(
                subject=subject,
                scenario=load_scenario(SCENARIO),
                chunk_ms=CHUNK_MS,
                model="embedded",
                audio_seconds=LEAKBENCH_AUDIO_SECONDS,
            )
        )
    folder = scratch / "run"
    folder.mkdir()
    plan = Plan(cells=tuple(cells), jobs=1)
    write_plan(folder, plan)
    run_plan(plan, folder, SilentObserver())
    for workload, cell in zip(WORKLOADS, conclude(folder).cells, strict=True):
        found = [m for m in cell.metrics if m.verdict == "leak" and m.slope_per_audio_hour]
        found.sort(key=lambda m: (m.metric != "bytes", -(m.slope_per_audio_hour or 0.0)))
        saw = cell.error or f"{cell.verdict}: {cell.reason}"
        if found:
            rate = found[0].slope_per_audio_hour or 0.0
            shown = format_amount(rate, quantity_of(found[0].metric))
            saw = f"{cell.verdict}: {len(found)} metrics; {found[0].path} {shown}/h"
        leaks = {"leak": True, "flat": False}.get(cell.verdict)
        chunks = round(cell.audio_seconds * 1000 / CHUNK_MS)
        write(results, Answer(VERDICT, workload, leaks, saw, costs[workload].ratio, chunks))


@dataclass(frozen=True)
class Tool:
    """A peer: how to get it, how to run it and how to read it."""

    run: Callable[[Stream, int], Any]
    rule: str
    requirements: tuple[str, ...] = ()


OURS = (
    f"no rule of its own: read as a leak where it rises by more than {BUDGET} after the first third"
)
TOOLS = {
    "tracemalloc": Tool(with_tracemalloc, f"two snapshots compared, one frame; {OURS}"),
    "pytest-memray": Tool(
        with_memray,
        f'`limit_leaks("{LIMIT_LEAKS}")`: a location that has so much not freed at the end. '
        "The limit must be given. The stream is still open when the test ends",
        ("pytest-memray==1.11.0", "memray==1.20.0"),
    ),
    "memory_profiler": Tool(
        with_memory_profiler,
        "`memory_usage`, every 0.1 s, and the straight line that `mprof plot --slope` draws; "
        + OURS,
        ("memory-profiler==0.61.0",),
    ),
    "psleak": Tool(
        lambda stream, chunks: with_psleak(stream),
        "its own: heap, mmap, USS, RSS or VMS still grow by as much a call after 10 runs of more "
        f"and more calls, tolerance 0, all checkers. A call is a chunk; `times={PSLEAK_CALLS}`, "
        "not 200, to begin with; PYTHONMALLOC=malloc as it asks",
        ("psleak==0.1.6",),
    ),
    "asizeof loop": Tool(
        with_asizeof,
        "FunASR issue 2202: `asizeof` of decibel, data_buf and data_buf_all after every chunk, "
        f"a straight line through each; {OURS}",
        ("pympler==1.1",),
    ),
    "leakbench": Tool(
        with_leakbench,
        f"`leakbench run`'s defaults: one replicate, at most {LEAKBENCH_AUDIO_SECONDS:g} s of "
        "audio, ended when decided. The cost is that of the worker's loop",
    ),
}


def describe(
    answers: Sequence[Answer],
    folders: Mapping[str, str],
    chunks: int,
) -> str:
    """Return the report."""
    by = {(t, w): Answer(t, w, saw=UNMEASURED) for t in (*TOOLS, VERDICT) for w in WORKLOADS}
    by |= {(answer.tool, answer.workload): answer for answer in answers}
    for workload in WORKLOADS:
        cost = by["leakbench", workload].ratio
        by["leakbench", workload] = replace(by[VERDICT, workload], tool="leakbench", ratio=cost)
    lines = [
        "# Other leak finders on the same workloads",
        "",
        f"original: FunASR 1.3.14. fixed: 1.3.15. plateau: fixed, with a cache of the last "
        f"{CACHE_CHUNKS} chunks' audio. sawtooth: fixed, keeping every chunk's audio and dropping "
        f"all of it each {CLEANUP_CHUNKS} chunks. Only the first leaks. {chunks} chunks of "
        f"{CHUNK_MS} ms of silence, where a tool does not choose for itself. The cost is the wall "
        "time against a bare loop over as many chunks, in the same process: the median and the "
        "range of the workloads.",
        "",
        "| tool | " + " | ".join(WORKLOADS) + " | right | cost | chunks |",
        "| --- " * (len(WORKLOADS) + 4) + "|",
    ]
    for tool in TOOLS:
        row = [by[tool, workload] for workload in WORKLOADS]
        right = sum(a.leaks is WORKLOADS[a.workload][1] for a in row)
        ratios = [a.ratio for a in row if a.ratio is not None and math.isfinite(a.ratio)]
        cost = (
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            if ratios
            else "none"
        )
        fed = sorted({a.chunks for a in row if a.chunks})
        span = f"{fed[0]} to {fed[-1]}" if len(fed) > 1 else "".join(map(str, fed))
        said = " | ".join(verdict_of(a) for a in row)
        measured = any(answer.saw != UNMEASURED for answer in row)
        score = f"{right} of {len(row)}" if measured else UNMEASURED
        lines.append(f"| {tool} | {said} | {score} | {cost} | {span} |")
    lines += ["", "Bold: wrong. A dash: no answer.", "", "## What each saw", ""]
    lines += ["| tool | workload | saw |", "| --- | --- | --- |"]
    for tool in TOOLS:
        for workload in WORKLOADS:
            saw = " ".join(by[tool, workload].saw.replace("|", "/").split())
            lines.append(f"| {tool} | {workload} | {saw} |")
    lines += ["", "## What each calls a leak", ""]
    lines += [f"- {name}: {tool.rule}." for name, tool in TOOLS.items()]
    versions = [requirement for tool in TOOLS.values() for requirement in tool.requirements]
    versions += [f"{name}=={metadata.version(name)}" for name in ("numpy", "psutil", "torch")]
    lines += [
        "",
        f"Python {sys.version.split()[0]}, {', '.join(versions)}; {os.cpu_count()} CPUs, load "
        f"{os.getloadavg()[0]:.1f} when this was written. "
        f"Again: `python benchmarks/peers.py --chunks {chunks}`.",
    ]
    return "\n".join(lines) + "\n"


def verdict_of(answer: Answer) -> str:
    if answer.leaks is None:
        return "-"
    said = "leak" if answer.leaks else "no leak"
    return said if answer.leaks is WORKLOADS[answer.workload][1] else f"**{said}**"


if __name__ == "__main__":
    main()
