"""Looks of a real worker: what it finds is the subject's, and nothing of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from leakbench.metrics import Metric, added_metric, metric_names
from leakbench.probes.process import added_reader
from leakbench.record.heartbeat import Heartbeat
from leakbench.record.request import WorkerRequest, write_request
from leakbench.record.trace import (
    Begin,
    Sample,
    Trace,
    TraceWriter,
    read_begin,
    read_end,
    read_trace,
)
from leakbench.scenario.audio.stimulus import ChunkReader, Stimulus
from leakbench.worker.driver import Drive, drive
from leakbench.worker.sampling import Sampler
from leakbench.worker.schedule import EARLY_CHUNKS, Schedule
from tests.worker import watched

ROOT = Path(__file__).parents[2]
SILENCE = ROOT / "scenarios" / "silence.toml"
PERIOD = 10


def run_worker(
    folder: Path,
    subject: str,
    *,
    chunks: int,
    options: dict[str, object] | None = None,
    **request: object,
) -> tuple[Begin, Trace]:
    """Drive a subject through silence in a worker of its own and return what it found."""
    temp_folder = folder / "temp"
    temp_folder.mkdir(parents=True)
    write_request(
        folder,
        WorkerRequest(
            factory=f"{watched.__file__}:{subject}",
            options=options or {},
            scenario=str(SILENCE),
            chunk_ms=600,
            seed=0,
            audio_seconds=chunks * 0.6,
            temp_folder=str(temp_folder),
            **request,  # type: ignore[arg-type]
        ),
    )
    heartbeat = Heartbeat(folder, create=True)
    heartbeat.allow(10**9)
    environment = {**os.environ, "TMPDIR": str(temp_folder), "PYTHONPATH": str(ROOT)}
    environment |= {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    subprocess.run(
        [sys.executable, "-m", "leakbench.worker", str(folder)],
        env=environment,
        check=True,
        timeout=120,
    )
    begin = read_begin(folder)
    assert begin is not None
    end = read_end(folder)
    assert end is not None
    assert end.ending == "completed"
    return begin, read_trace(folder)


def looked_at(trace: Trace, metric: str, warmup_chunks: int = 2 * PERIOD) -> list[Sample]:
    """Return the looks after warm-up, at the phase, that measured a metric."""
    return [
        sample
        for sample in trace.samples
        if sample.phase == 0 and sample.chunk >= warmup_chunks and metric in sample.process
    ]


def series(trace: Trace, metric: str) -> np.ndarray:
    return np.array([sample.process[metric] for sample in looked_at(trace, metric)])


@pytest.mark.parametrize("subject", ["Still", "Talkative"])
def test_of_a_still_subject_every_figure_is_the_same_at_every_look(
    tmp_path: Path, subject: str
) -> None:
    begin, trace = run_worker(tmp_path, subject, chunks=6000)
    measured = set(metric_names("process")) - set(begin.missing)
    assert {"heap_bytes", "rss_bytes"} <= measured or sys.platform != "linux"
    looks = looked_at(trace, "rss_bytes")
    assert 80 < len(looks) < 200
    exact = measured - {"rss_bytes", "uss_bytes", "traced_bytes", "cpu_seconds", "chunk_seconds"}
    moved = {name for name in exact if np.ptp(series(trace, name)) != 0}
    assert not moved, {name: np.diff(series(trace, name)) for name in moved}
    # Where pages are counted by processor the kernel's figure is off by some.
    assert np.ptp(series(trace, "rss_bytes")) < 256 * 1024


@pytest.mark.parametrize(
    ("what", "metric", "each"),
    [
        ("descriptor", "descriptors", 1),
        ("file", "temp_files", 1),
        ("file", "temp_bytes", 100),
        ("zombie", "children", 1),
    ],
)
@pytest.mark.parametrize("bounded", [False, True])
def test_what_is_kept_with_each_chunk_is_counted_and_what_is_let_go_is_not(
    tmp_path: Path, what: str, metric: str, each: int, bounded: bool
) -> None:
    options = {"what": what, "bounded": bounded}
    begin, trace = run_worker(tmp_path, "Holding", chunks=60, options=options)
    if metric in begin.missing:
        pytest.skip(f"{metric} cannot be measured here")
    assert np.diff(series(trace, metric)).tolist() == [0 if bounded else each * PERIOD] * 4


def test_objects_that_no_root_reaches_show_in_the_heap(tmp_path: Path) -> None:
    options = {"what": "object", "bounded": False}
    _, trace = run_worker(tmp_path, "Holding", chunks=1000, options=options)
    heap = series(trace, "heap_bytes")
    chunks = [sample.chunk for sample in looked_at(trace, "heap_bytes")]
    # A list of 20 is a block of 64 bytes with its collector's head and one of 160 bytes.
    assert (heap[-1] - heap[1]) / (chunks[-1] - chunks[1]) == pytest.approx(224, rel=0.05)


@pytest.mark.parametrize("clears", [True, False])
def test_a_library_cache_that_fills_is_growth_only_where_it_is_not_cleared(
    tmp_path: Path, clears: bool
) -> None:
    _, trace = run_worker(tmp_path, "Matching", chunks=300, clear_caches=clears)
    growth = np.diff(series(trace, "heap_bytes"))[1:]
    assert (np.median(growth) > 1000) is not clears
    if clears:
        assert np.abs(growth).max() < 400


def test_growth_of_the_process_is_looked_at_chunk_by_chunk_once(tmp_path: Path) -> None:
    options = {"what": "descriptor", "bounded": False}
    _, trace = run_worker(tmp_path, "Holding", chunks=200, options=options)
    dense = [s.chunk for s in trace.samples if s.phase != 0 and "descriptors" in s.process]
    assert len(dense) == 2 * (PERIOD - 1)
    within = [s for s in trace.samples if dense[0] <= s.chunk <= dense[-1]]
    values = [s.process["descriptors"] for s in within]
    assert np.diff(values).tolist() == [1] * (len(values) - 1)


def test_a_clean_run_is_not_looked_at_chunk_by_chunk(tmp_path: Path) -> None:
    options = {"what": "descriptor", "bounded": True}
    _, trace = run_worker(tmp_path, "Holding", chunks=200, options=options)
    assert not [s for s in trace.samples if s.phase != 0 and "heap_bytes" in s.process]


@pytest.mark.parametrize("waits", [True, False])
def test_processor_time_grows_with_work_and_not_with_waiting(tmp_path: Path, waits: bool) -> None:
    _, trace = run_worker(tmp_path, "Slowing", chunks=100, options={"waits": waits})
    looks = looked_at(trace, "cpu_seconds")
    cpu = [sample.process["cpu_seconds"] for sample in looks]
    if waits:
        assert max(cpu) < 0.5 * min(sample.process["chunk_seconds"] for sample in looks)
    else:
        assert cpu[-1] > 2 * cpu[0]


def test_the_first_chunks_show_a_runaway(tmp_path: Path) -> None:
    _, trace = run_worker(tmp_path, "Swallowing", chunks=20)
    first = trace.samples[:EARLY_CHUNKS]
    assert [sample.chunk for sample in first] == list(range(1, EARLY_CHUNKS + 1))
    assert np.diff([s.process["rss_bytes"] for s in first]) == pytest.approx(1 << 20, rel=0.25)
    assert [s.objects["all"].elements for s in first] == list(range(1, EARLY_CHUNKS + 1))


def test_a_traced_run_lacks_nothing_and_has_no_other_figures(tmp_path: Path) -> None:
    begin, trace = run_worker(tmp_path, "Still", chunks=60, traced_frames=1)
    plain, _ = run_worker(tmp_path / "plain", "Still", chunks=20)
    assert begin.missing == plain.missing
    assert {name for sample in trace.samples for name in sample.process} == {"traced_bytes"}


@contextmanager
def sampler_of(folder: Path, chunks: int) -> Iterator[Sampler]:
    """Drive a still subject in this process, and yield what looks at it before it does."""
    subject = watched.Still()
    (folder / "audio.f32").write_bytes(bytes(4 * 160))
    stimulus = Stimulus(
        path=folder / "audio.f32",
        sample_rate=16000,
        chunk_samples=16,
        chunks_per_period=PERIOD,
        sha256="",
    )
    schedule = Schedule.plan(
        chunks_per_period=PERIOD,
        phase=0,
        warmup_periods=2,
        period_seconds=6.0,
        process_interval_seconds=6.0,
    )
    heartbeat = Heartbeat(folder, create=True)
    heartbeat.allow(chunks)
    with (
        closing(TraceWriter(folder)) as writer,
        closing(heartbeat),
        ChunkReader(stimulus) as reader,
    ):
        sampler = Sampler(schedule, subject, writer, chunk_seconds=0.6)
        yield sampler
        drive(
            subject,
            reader,
            Drive(chunks=chunks, stream_chunks=None, chunk_seconds=0.6),
            sampler=sampler,
            writer=writer,
            heartbeat=heartbeat,
            stop_requested=lambda: False,
        )


LOCKS = Metric(
    name="locks",
    words="locks held",
    label="locks",
    quantity="count",
    scope="process",
    tier="banded",
)


def test_a_metric_that_is_added_is_measured(tmp_path: Path) -> None:
    with (
        added_metric(LOCKS),
        added_reader("locks", lambda _reading: 7.0),
        sampler_of(tmp_path, 60) as sampler,
    ):
        assert "locks" not in sampler.begin()
    assert series(read_trace(tmp_path), "locks").tolist() == [7.0] * 5


def test_a_metric_that_nothing_reads_is_named_as_missing(tmp_path: Path) -> None:
    with added_metric(LOCKS), sampler_of(tmp_path, 20) as sampler:
        missing = sampler.begin()
    # Without a folder of its own, what lies in the temporary folder may be anyone's.
    assert {"locks", "temp_files", "temp_bytes"} <= set(missing)
    assert "traced_bytes" not in missing
    assert not {name for s in read_trace(tmp_path).samples for name in s.process} & set(missing)
