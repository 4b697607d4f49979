"""One worker process, from start to end, as its parent sees it."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import math
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psutil

from leakbench.plan import Limits
from leakbench.record.heartbeat import HEARTBEAT_FILE, Heartbeat
from leakbench.record.request import WorkerRequest, write_request
from leakbench.record.trace import (
    EXPLAIN_FILE,
    EXPLAIN_FOLDER,
    LOG_FILE,
    End,
    Ending,
    read_end,
    write_end,
)
from leakbench.runner.keeping import KeptFolder
from leakbench.subject import ResolvedSubject
from leakbench.units import format_bytes, format_duration

STOP_SECONDS: Final = 10.0
"""How long a worker may take to finish its chunk before it is terminated for good."""
EXPLAIN_SECONDS: Final = 120.0
"""How long a stopped worker may take to explain a leak, beyond what it was given to keep to."""
LOOK_SECONDS: Final = 300.0
"""A look may take this long; five million objects take some seconds."""
STACK_SECONDS: Final = 0.5
"""How long a stuck worker gets to write its stacks before it is killed."""

_NO_LIMIT: Final = 2**62
"""Chunks that no run will ever feed."""

_ONE_THREAD: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    # One arena: with several, memory freed by one thread is not reused by another and the
    # heap's level depends on scheduling.
    "MALLOC_ARENA_MAX": "1",
    # Iteration order of sets and dict resizes must not differ from run to run.
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONFAULTHANDLER": "1",
}
_KEPT: Final = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH"),
    # Which device, where models are kept, and how to get at one.
    *("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_OFFLINE", "TORCH_HOME", "MODELSCOPE_CACHE"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
"""What a worker inherits; everything else of the caller's environment could change a figure, or be
a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one worker has come."""

    audio_seconds: float
    wall_seconds: float
    """Since the first chunk was fed."""
    rss_bytes: int


class WorkerProcess:
    """A replicate being driven."""

    def __init__(
        self,
        folder: Path,
        subject: ResolvedSubject,
        request: WorkerRequest,
        limits: Limits,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        folder.mkdir(parents=True)
        # Not in the run's folder: sockets are made here too, and their paths must be short.
        self._temp = KeptFolder("leakbench-")
        request = dataclasses.replace(
            request,
            temp_folder=self._temp.name,
            import_path=tuple(map(str, subject.path)),
            parent_pid=os.getpid(),
        )
        write_request(folder, request)
        self.folder = folder
        self._limits = limits
        self._awaits_word = request.awaits_word
        self._has_measured = False
        self._chunk_seconds = request.chunk_ms / 1000
        self._heartbeat = Heartbeat(folder, create=True)
        with (folder / LOG_FILE).open("wb") as log:
            self._process = subprocess.Popen(
                # -P: what lies in the current folder is not ours to import.
                [subject.python, "-P", "-m", "leakbench.worker", str(folder.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**worker_environment(variables), "TMPDIR": self._temp.name},
                # Ctrl-C in the terminal is for the parent, which ends its children in order.
                start_new_session=True,
            )
        self._temp.keep_session(self._process.pid)
        self._psutil = psutil.Process(self._process.pid)
        self._chunks = 0
        self._chunk_began = time.monotonic()
        self._looks_since: float | None = None
        self._driving_since: float | None = None
        self._stop_asked: float | None = None
        self._explain_seconds = 0.0
        self._progress = Progress(audio_seconds=0.0, wall_seconds=0.0, rss_bytes=0)

    def allow(self, audio_seconds: float) -> None:
        """Let the worker drive `audio_seconds` of audio in all, or ``inf``, in whole chunks."""
        chunks = min(audio_seconds / self._chunk_seconds, _NO_LIMIT)
        self._heartbeat.allow(math.ceil(chunks - 1e-9))

    @property
    def is_waiting(self) -> bool:
        """Whether the worker has fed all that it may, as of the last poll."""
        return self._chunks > self._heartbeat.allowed_chunks

    @property
    def has_measured(self) -> bool:
        """Whether it has measured all there was, and waits for :meth:`dismiss` or explains."""
        if self._awaits_word and not self._has_measured:
            self._has_measured = read_end(self.folder) is not None
        return self._has_measured

    def dismiss(self) -> None:
        """Tell a worker that has measured all that it is judged: it may explain, and end."""
        if self._stop_asked is None:
            self._stop_asked = time.monotonic()
            self._heartbeat.ask_to_stop()

    @property
    def progress(self) -> Progress:
        """How far it has come, as of the last poll."""
        return self._progress

    def poll(self) -> End | None:
        """Enforce the limits; return how the worker ended, or None while it runs."""
        if self._process.poll() is not None:
            return self._conclude()
        now = time.monotonic()
        # Before and after: what a look takes up is not the subject's.
        is_looking = self._heartbeat.is_looking
        self._update_progress(now)
        is_looking = is_looking or self._heartbeat.is_looking
        if self._progress.rss_bytes > self._limits.memory_bytes and not is_looking:
            return self._kill(
                "memory_limit",
                f"held {format_bytes(self._progress.rss_bytes)}, "
                f"limit {format_bytes(self._limits.memory_bytes)}",
            )
        if self._stop_asked is not None:
            if now - self._stop_asked > self._seconds_to_stop():
                return self._kill("stopped", "had to be killed: it did not finish its chunk")
            return None
        if self.is_waiting or self.has_measured:
            self._chunk_began = now
        if is_looking:
            self._looks_since = self._looks_since or now
            if now - self._looks_since > LOOK_SECONDS:
                return self._kill_hung(f"a look after chunk {self._chunks - 1}", LOOK_SECONDS)
            return None
        if self._looks_since is not None:
            self._chunk_began += now - self._looks_since
            self._looks_since = None
        loading = self._chunks == 0
        limit = self._limits.load_seconds if loading else self._limits.chunk_seconds
        if now - self._chunk_began > limit:
            what = "loading the subject" if loading else f"chunk {self._chunks - 1}"
            return self._kill_hung(what, limit)
        return None

    def ask_to_explain(self, request: WorkerRequest) -> None:
        """Let the worker explain, once it has measured all, what leaks; see ``explain`` beside it.

        What it measured is on disk by then, and stays as it is. What is asked last counts.
        """
        self.folder.with_name(EXPLAIN_FOLDER).mkdir(exist_ok=True)
        request = dataclasses.replace(request, temp_folder=self._temp.name)
        write_request(self.folder, request, EXPLAIN_FILE)
        self._explain_seconds = EXPLAIN_SECONDS + request.explain_seconds

    def stop(self) -> None:
        """Ask the worker to end after the chunk in hand."""
        if self._stop_asked is None:
            self._stop_asked = time.monotonic()
            self._heartbeat.ask_to_stop()
            self._process.terminate()

    def abort(self) -> End:
        """End the worker now, politely first, and return how it ended."""
        self.stop()
        self._process.terminate()  # once more, for one that explains
        try:
            self._process.wait(STACK_SECONDS * 4)
        except subprocess.TimeoutExpired:
            return self._kill("interrupted", "killed on interrupt")
        return self._conclude()

    def _seconds_to_stop(self) -> float:
        is_explaining = self._explain_seconds > 0 and read_end(self.folder) is not None
        return self._explain_seconds if is_explaining else STOP_SECONDS

    def _update_progress(self, now: float) -> None:
        beat = self._heartbeat.read()
        if beat.chunks != self._chunks:
            self._chunks = beat.chunks
            self._chunk_began = now
            self._looks_since = None
            self._driving_since = self._driving_since or now
        try:
            rss_bytes = self._psutil.memory_info().rss
        except psutil.Error:
            rss_bytes = self._progress.rss_bytes
        self._progress = Progress(
            audio_seconds=beat.audio_seconds,
            wall_seconds=now - self._driving_since if self._driving_since else 0.0,
            rss_bytes=rss_bytes,
        )

    def _kill_hung(self, what: str, limit: float) -> End:
        os.kill(self._process.pid, signal.SIGUSR1)
        time.sleep(STACK_SECONDS)
        return self._kill(
            "hung", f"{what} took longer than {format_duration(limit)}; see stacks.txt"
        )

    def _kill(self, ending: Ending, detail: str) -> End:
        self._process.kill()
        self._process.wait()
        # A worker that ended by itself in the meantime has the better word on how.
        if read_end(self.folder) is None:
            write_end(self.folder, End(ending=ending, detail=detail))
        return self._conclude()

    def _conclude(self) -> End:
        self._update_heartbeat_last()
        self._temp.cleanup()
        end = read_end(self.folder)
        if end is None:
            if self._stop_asked is not None and self._process.returncode == -signal.SIGTERM:
                # Told to stop while the interpreter was still starting, before it listens.
                end = End(ending="stopped", detail="before it had begun")
            else:
                detail = _last_words(self.folder, self._process.returncode)
                end = End(ending="killed", detail=detail)
            write_end(self.folder, end)
        return end

    def _update_heartbeat_last(self) -> None:
        beat = self._heartbeat.read()
        self._progress = Progress(
            audio_seconds=beat.audio_seconds,
            wall_seconds=self._progress.wall_seconds,
            rss_bytes=self._progress.rss_bytes,
        )
        self._heartbeat.close()
        (self.folder / HEARTBEAT_FILE).unlink(missing_ok=True)


def worker_environment(
    variables: Mapping[str, str], *, path: Iterable[Path] = ()
) -> dict[str, str]:
    """Return all of a worker's environment: fixed, one thread, leakbench to import.

    `variables` are what the caller wants it to have beside, `path` folders to import from first for
    a process that is no worker: a worker enters a subject's itself, when all of ours is imported.
    """
    import_path = [*map(str, path), _package_folder().name]
    if "PYTHONPATH" in os.environ:
        import_path.append(os.environ["PYTHONPATH"])
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        **{name: value for name, value in os.environ.items() if name.startswith("LEAKBENCH_")},
        **_ONE_THREAD,
        **variables,
        "PYTHONPATH": os.pathsep.join(import_path),
    }


@functools.cache
def _package_folder() -> KeptFolder:
    """Return a folder that holds this package and nothing else.

    What lies beside an installed leakbench must not shadow the packages of a subject's own
    interpreter, so the worker finds leakbench through a folder with one link in it.
    """
    folder = KeptFolder("leakbench-import-")
    atexit.register(folder.cleanup)
    (Path(folder.name) / "leakbench").symlink_to(Path(__file__).resolve().parents[1])
    return folder


def _last_words(folder: Path, returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"died of {signal.Signals(-returncode).name}"
    lines = (folder / LOG_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
    return f"exited with status {returncode} without a word: {last:.200}"
