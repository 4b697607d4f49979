"""Entry point of a worker: ``python -m leakbench.worker FOLDER``.

Everything it needs is in ``FOLDER/cell.json``; everything it has to say goes into that
folder. SIGTERM ends it after the chunk in hand, SIGUSR1 writes every thread's stack to
``stacks.txt`` even while the interpreter is stuck in a C call.
"""

from __future__ import annotations

import ctypes
import dataclasses
import faulthandler
import math
import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from leakbench.errors import LeakbenchError, SubjectError, UsageError, describe_exception
from leakbench.probes.process import ProcessProbe
from leakbench.probes.settling import Settling
from leakbench.probes.traced import Tracing
from leakbench.record.heartbeat import HEARTBEAT_FILE, Heartbeat
from leakbench.record.request import WorkerRequest, read_request
from leakbench.record.trace import (
    EXPLAIN_FILE,
    EXPLAIN_FOLDER,
    STACKS_FILE,
    Begin,
    End,
    TraceWriter,
    write_begin,
    write_end,
)
from leakbench.scenario import load_scenario
from leakbench.scenario.audio.rendering import render
from leakbench.scenario.audio.stimulus import ChunkReader
from leakbench.subject import Subject
from leakbench.subject.loading import load_subject
from leakbench.worker.driver import Drive, Looker, drive
from leakbench.worker.explaining import Explainer
from leakbench.worker.sampling import WAIT_SECONDS, Sampler
from leakbench.worker.schedule import Schedule
from leakbench.worker.stages.stage import Setup

_PR_SET_PDEATHSIG = 1


class _StopFlag:
    """Set by SIGTERM, read between chunks."""

    def __init__(self) -> None:
        self.is_set = False
        signal.signal(signal.SIGTERM, self._set)

    def _set(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_set = True


def main(folder: Path) -> int:
    """Run the request in `folder` and record how it ended."""
    request = read_request(folder)
    stop = _StopFlag()
    _die_with_parent(request.parent_pid)
    stacks = (folder / STACKS_FILE).open("w", encoding="utf-8")
    faulthandler.enable(stacks)
    faulthandler.register(signal.SIGUSR1, stacks)
    try:
        _run(folder, request, lambda: stop.is_set)
    except SubjectError as error:
        write_end(folder, End(ending="nonsense", detail=str(error)))
    except UsageError as error:
        write_end(folder, End(ending="refused", detail=str(error)))
    except LeakbenchError as error:
        write_end(folder, End(ending="raised", detail=str(error)))
    except Exception as error:
        # The subject's own exception, whatever it is: the traceback is for the log, the one
        # line for the report.
        traceback.print_exc()
        write_end(folder, End(ending="raised", detail=describe_exception(error)))
    else:
        return 0
    return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """A loaded subject and what it is driven with."""

    subject: Subject
    reader: ChunkReader
    schedule: Schedule
    chunk_seconds: float
    stream_chunks: int | None

    def chunks(self, request: WorkerRequest) -> int:
        """Return how far a request wants it driven."""
        period = self.schedule.chunks_per_period
        periods = math.ceil(request.audio_seconds / (period * self.chunk_seconds) - 1e-9)
        return periods * period + self.schedule.phase

    def drive(
        self,
        request: WorkerRequest,
        looker: Looker,
        writer: TraceWriter,
        heartbeat: Heartbeat,
        stop_requested: Callable[[], bool],
    ) -> bool:
        """Drive it as a request says and return whether it got to the end of it."""
        return drive(
            self.subject,
            self.reader,
            Drive(
                chunks=self.chunks(request),
                stream_chunks=self.stream_chunks,
                chunk_seconds=self.chunk_seconds,
            ),
            sampler=looker,
            writer=writer,
            heartbeat=heartbeat,
            stop_requested=stop_requested,
        )


def _run(folder: Path, request: WorkerRequest, stop_requested: Callable[[], bool]) -> None:
    # Tracing begins before the subject exists, so that what it allocates while loading is
    # told from what the interpreter had.
    tracing = Tracing(request.traced_frames) if request.traced_frames else None
    scenario = load_scenario(request.scenario)
    # Not before: what lies beside a subject, such as a random.py, must not shadow what is ours.
    sys.path[:0] = request.import_path
    subject = load_subject(request.factory, request.options)
    stimulus_file = folder / "stimulus.f32"
    stimulus = render(
        scenario,
        chunk_ms=request.chunk_ms,
        sample_rate=subject.sample_rate,
        seed=request.seed,
        recordings=Path(request.recordings) if request.recordings else None,
        destination=stimulus_file,
    )
    chunk_seconds = request.chunk_ms / 1000
    schedule = Schedule.plan(
        chunks_per_period=stimulus.chunks_per_period,
        phase=scenario.phase_chunk(request.chunk_ms) % stimulus.chunks_per_period,
        warmup_periods=scenario.warmup_periods,
        period_seconds=stimulus.period_seconds,
        process_interval_seconds=request.process_interval_seconds,
    )
    begin = Begin(
        sample_rate=subject.sample_rate,
        chunk_seconds=chunk_seconds,
        chunks_per_period=stimulus.chunks_per_period,
        phase=schedule.phase,
        warmup_chunks=schedule.warmup_chunks,
        stimulus_sha256=stimulus.sha256,
        pid=os.getpid(),
        versions=_versions(),
    )
    with ChunkReader(stimulus) as reader:
        # The file stays readable through the open handle and is gone whatever ends us.
        stimulus_file.unlink()
        bench = _Bench(
            subject=subject,
            reader=reader,
            schedule=schedule,
            chunk_seconds=chunk_seconds,
            stream_chunks=scenario.chunks_per_stream(request.chunk_ms),
        )
        with closing(Heartbeat(folder)) as heartbeat:
            if request.explain_seconds:
                _stop_at_once()
                write_begin(folder, begin)
                completed = _explain(folder, request, bench, heartbeat)
            else:
                completed = _measure(
                    folder, request, bench, begin, heartbeat, tracing, stop_requested
                )
            write_end(folder, _end_of(completed, heartbeat))
            if completed and request.awaits_word:
                _await_word(heartbeat, stop_requested)
        if (folder / EXPLAIN_FILE).exists():
            _explain_what_was_measured(folder, bench)
    subject.close()


def _await_word(heartbeat: Heartbeat, stop_requested: Callable[[], bool]) -> None:
    """Stay, with the subject as it is, until the parent has judged what was measured."""
    while not heartbeat.is_asked_to_stop and not stop_requested():
        time.sleep(WAIT_SECONDS)


def _end_of(completed: bool, heartbeat: Heartbeat) -> End:
    if completed:
        return End(ending="completed")
    if heartbeat.is_asked_to_stop:
        return End(ending="stopped")
    return End(
        ending="killed",
        detail="SIGTERM from outside, or the run it belonged to ended; what it measured is kept",
    )


def _measure(
    folder: Path,
    request: WorkerRequest,
    bench: _Bench,
    begin: Begin,
    heartbeat: Heartbeat,
    tracing: Tracing | None,
    stop_requested: Callable[[], bool],
) -> bool:
    with (
        closing(TraceWriter(folder)) as writer,
        closing(
            ProcessProbe(
                temp_folder=Path(request.temp_folder) if request.temp_folder else None,
                disregarded=(bench.reader.descriptor, *writer.descriptors),
            )
        ) as probe,
    ):
        sampler = Sampler(
            bench.schedule,
            bench.subject,
            writer,
            chunk_seconds=bench.chunk_seconds,
            probe=probe,
            settling=Settling(clears_caches=request.clear_caches),
            tracing=tracing,
            chunks=bench.chunks(request),
            announce=heartbeat.look,
        )
        missing = sampler.begin()
        write_begin(folder, dataclasses.replace(begin, missing=missing))
        return bench.drive(request, sampler, writer, heartbeat, stop_requested)


def _explain(folder: Path, request: WorkerRequest, bench: _Bench, heartbeat: Heartbeat) -> bool:
    with closing(TraceWriter(folder)) as writer:
        explainer = Explainer(
            folder,
            Setup(
                subject=bench.subject,
                request=request,
                chunks_per_period=bench.schedule.chunks_per_period,
                phase=bench.schedule.phase,
                flush=writer.flush,
            ),
        )
        bench.drive(request, explainer, writer, heartbeat, lambda: explainer.is_done)
        return explainer.is_done


def _explain_what_was_measured(folder: Path, bench: _Bench) -> None:
    """Explain with the subject as it is: loaded, and leaking."""
    _stop_at_once()
    home = folder.with_name(EXPLAIN_FOLDER)
    try:
        request = read_request(folder, EXPLAIN_FILE)
        # The stream that was measured goes, with all that it has kept.
        bench.subject.start()
        bench.reader.rewind()
        with closing(Heartbeat(home, create=True)) as heartbeat:
            heartbeat.allow(bench.chunks(request))
            _explain(home, request, bench, heartbeat)
        (home / HEARTBEAT_FILE).unlink()
    except Exception:
        # What was measured stands. The parent has another worker try, which tells it why.
        traceback.print_exc()


def _stop_at_once() -> None:
    """Let SIGTERM end this process as it is: all that was measured is on disk."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name, module in sorted(sys.modules.items()):
        version = getattr(module, "__version__", None)
        if "." not in name and not name.startswith("_") and isinstance(version, str):
            versions[name] = version
    return versions


def _die_with_parent(parent: int) -> None:
    """Ask Linux for a SIGTERM when the parent dies, however it dies; end if it is dead already."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent and os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    # Resolved before the subject runs, which may change the current folder.
    code = main(Path(sys.argv[1]).resolve())
    sys.stdout.flush()
    # Tearing down torch takes a second and can crash after the work is done and recorded.
    os._exit(code)
