"""What a worker measured, on disk: the only hand-off from measuring to judging.

A replicate of a cell is a folder::

    cell.json       what was asked of the worker
    begin.json      what it found before the first chunk (a Begin)
    trace.jsonl     one Sample a line, appended and flushed as it is taken
    segments.jsonl  one line for every chunk that opened or closed a segment
    end.json        how the worker ended; absent while it runs, or if it was killed
    worker.log      what the subject printed
    stacks.txt      the stacks of every thread, where a watchdog fired
    explain.json    what to explain once all is measured, where a leak was proved;
                    the answer goes to the folder ``explain`` beside this one

Whatever kills the worker, every line already written stays readable: a line cut short by
the kill is dropped by the reader.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TextIO, TypeAlias

import numpy as np
import numpy.typing as npt

from leakbench.errors import OutputError
from leakbench.metrics import PROCESS_PATH
from leakbench.record.files import build, read_mapping, read_rows, write_json

TRACE_FILE: Final = "trace.jsonl"
SEGMENTS_FILE: Final = "segments.jsonl"
BEGIN_FILE: Final = "begin.json"
END_FILE: Final = "end.json"
REQUEST_FILE: Final = "cell.json"
EXPLAIN_FILE: Final = "explain.json"
EXPLAIN_FOLDER: Final = "explain"
LOG_FILE: Final = "worker.log"
STACKS_FILE: Final = "stacks.txt"

Ending: TypeAlias = Literal[
    "completed",
    "stopped",
    "refused",
    "raised",
    "nonsense",
    "hung",
    "memory_limit",
    "killed",
    "interrupted",
    "running",
]
"""How a worker ended: it drove all the audio, was told to stop (decided), was given input it
cannot use, raised, returned what is no list of segments, took too long over a chunk, outgrew
its memory limit, died of a signal, was interrupted by the user, or has not
ended yet."""


@dataclass(frozen=True, slots=True)
class ObjectSize:
    """What one path held when it was sampled."""

    elements: int
    """Items of a container, elements of an array or tensor, bytes of a buffer."""
    python_bytes: int
    """The Python objects below the path, each once, as ``sys.getsizeof`` counts them."""
    storage_bytes: int
    """The array, tensor and buffer memory that the path keeps alive, each storage once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at a subject, between two chunks."""

    chunk: int
    """Chunks fed so far, over all streams."""
    audio_seconds: float
    """Audio fed so far, over all streams."""
    wall_seconds: float
    """Seconds since the first chunk was fed."""
    phase: int
    """Chunks since the scenario's period began, 0 to chunks a period - 1."""
    segments: int
    """Segments closed so far."""
    streams: int
    """Streams started so far."""
    objects: Mapping[str, ObjectSize] = field(default_factory=dict)
    """Path to size; empty when objects were not looked at."""
    process: Mapping[str, float] = field(default_factory=dict)
    """Metric to value, in its unit; only what was measured this time."""


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one path and metric, in the order they were taken."""

    audio_seconds: npt.NDArray[np.float64]
    """Shape (n,)."""
    values: npt.NDArray[np.float64]
    """Shape (n,); bytes, elements or seconds."""
    phases: npt.NDArray[np.int64]
    """Shape (n,); chunks since the period began."""
    segments: npt.NDArray[np.int64]
    """Shape (n,); segments closed by then."""
    streams: npt.NDArray[np.int64]
    """Shape (n,); streams started by then."""

    def at_phase(self, phase: int) -> Column:
        """Return only what was taken `phase` chunks into a period."""
        return self.where(self.phases == phase)

    def since(self, audio_seconds: float) -> Column:
        """Return only what was taken at or after `audio_seconds`."""
        return self.where(self.audio_seconds >= audio_seconds - 1e-9)

    def where(self, mask: npt.NDArray[np.bool_]) -> Column:
        """Return only the rows of `mask`, shape (n,)."""
        return Column(
            self.audio_seconds[mask],
            self.values[mask],
            self.phases[mask],
            self.segments[mask],
            self.streams[mask],
        )

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Trace:
    """Every sample of one replicate, in order."""

    samples: tuple[Sample, ...]

    def paths(self) -> tuple[str, ...]:
        """Return every object path that was ever seen, in order of first sight."""
        seen: dict[str, None] = {}
        for sample in self.samples:
            seen.update(dict.fromkeys(sample.objects))
        return tuple(seen)

    def column(self, path: str, metric: str) -> Column:
        """Return one path and metric over the run.

        An object path that is missing from a sample of objects held nothing then and counts
        as 0; samples that did not look at the metric are left out.
        """
        if path == PROCESS_PATH:
            taken = [(s, s.process[metric]) for s in self.samples if metric in s.process]
        else:
            taken = [
                (s, getattr(s.objects[path], metric) if path in s.objects else 0)
                for s in self.samples
                if s.objects
            ]
        return Column(
            np.array([s.audio_seconds for s, _ in taken], dtype=np.float64),
            np.array([value for _, value in taken], dtype=np.float64),
            np.array([s.phase for s, _ in taken], dtype=np.int64),
            np.array([s.segments for s, _ in taken], dtype=np.int64),
            np.array([s.streams for s, _ in taken], dtype=np.int64),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEvent:
    """What one chunk opened or closed."""

    chunk: int
    """Index of the chunk, from 0, over all streams."""
    segments: tuple[tuple[int, int], ...]
    """``(start_ms, end_ms)`` as the subject returned them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What a worker found before the first chunk; all that judging needs besides samples."""

    sample_rate: int
    """Hz."""
    chunk_seconds: float
    chunks_per_period: int
    phase: int
    """Chunks into the period at which objects are looked at once a period."""
    warmup_chunks: int
    stimulus_sha256: str
    """Of one period, float32 little-endian."""
    pid: int
    versions: Mapping[str, str] = field(default_factory=dict)
    """Python's, and every loaded top-level module's that states one."""
    missing: tuple[str, ...] = ()
    """Metrics of the process that this platform cannot give."""

    @property
    def period_seconds(self) -> float:
        """Length of the scenario's period."""
        return self.chunks_per_period * self.chunk_seconds

    @property
    def warmup_seconds(self) -> float:
        """Audio at the start that no verdict uses."""
        return self.warmup_chunks * self.chunk_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a worker ended."""

    ending: Ending
    """One word for it."""
    detail: str = ""
    """One line: what was raised, which limit was met."""


class TraceWriter:
    """Appends samples and segments to a replicate's folder, each flushed as it is written."""

    def __init__(self, folder: Path) -> None:
        self._samples: TextIO = (folder / TRACE_FILE).open("a", encoding="utf-8")
        self._segments: TextIO = (folder / SEGMENTS_FILE).open("a", encoding="utf-8")

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What is open for it."""
        return self._samples.fileno(), self._segments.fileno()

    def write_sample(self, sample: Sample) -> None:
        """Append one sample; it survives the process from here on."""
        self._samples.write(_line(sample))
        self.flush()

    def rehearse(self, sample: Sample) -> None:
        """Do what writing a sample takes, and write nothing."""
        self._samples.write(_line(sample)[:0])
        self.flush()

    def write_segments(self, event: SegmentEvent) -> None:
        """Append what one chunk opened or closed; buffered until the next sample."""
        self._segments.write(f"[{event.chunk},{json.dumps(event.segments)}]\n")

    def flush(self) -> None:
        """Hand everything written so far to the operating system."""
        self._samples.flush()
        self._segments.flush()

    def close(self) -> None:
        """Close both files."""
        self._samples.close()
        self._segments.close()


def write_begin(folder: Path, begin: Begin) -> None:
    """Record what the worker of `folder` found before the first chunk."""
    write_json(folder / BEGIN_FILE, dataclasses.asdict(begin))


def read_begin(folder: Path) -> Begin | None:
    """Return what the worker of `folder` found, or None where it never got to the first chunk."""
    path = folder / BEGIN_FILE
    if not path.exists():
        return None
    data = read_mapping(path)
    return build(Begin, data, path, missing=tuple(data.get("missing", ())))


def write_end(folder: Path, end: End) -> None:
    """Record how the worker of `folder` ended."""
    write_json(folder / END_FILE, {"ending": end.ending, "detail": end.detail})


def read_end(folder: Path) -> End | None:
    """Return how the worker of `folder` ended, or None where it never said."""
    path = folder / END_FILE
    if not path.exists():
        return None
    return build(End, read_mapping(path), path)


class TraceTail:
    """Follows a trace that is still being written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / TRACE_FILE
        self._offset = 0
        self._samples: list[Sample] = []

    def poll(self) -> bool:
        """Read what is new and return whether there was anything.

        Raises
        ------
        OutputError
            When it is no sample.
        """
        if not self._path.exists():
            return False
        with self._path.open("rb") as file:
            file.seek(self._offset)
            written = file.read()
        whole = written[: written.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                self._samples.append(_sample(json.loads(line), self._path))
            except ValueError as error:
                raise OutputError(f"{self._path}: expected a sample, got {line[:40]!r}") from error
        return bool(whole)

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def audio_seconds(self) -> float:
        """Audio up to the last sample read."""
        return self._samples[-1].audio_seconds if self._samples else 0.0

    @property
    def trace(self) -> Trace:
        """Everything read so far."""
        return Trace(tuple(self._samples))


def read_trace(folder: Path) -> Trace:
    """Read the samples of `folder`; a last line cut short by a kill is dropped.

    Raises
    ------
    OutputError
        When a line before the last is not a sample.
    """
    path = folder / TRACE_FILE
    return Trace(tuple(_sample(row, f"{path}:{number}") for number, row in read_rows(path)))


def read_segments(folder: Path) -> tuple[SegmentEvent, ...]:
    """Read what the chunks of `folder` opened and closed.

    Raises
    ------
    OutputError
        When a line before the last is not an event.
    """
    path = folder / SEGMENTS_FILE
    return tuple(_event(row, f"{path}:{number}") for number, row in read_rows(path))


def _line(sample: Sample) -> str:
    row = {
        "chunk": sample.chunk,
        "audio_seconds": round(sample.audio_seconds, 6),
        "wall_seconds": round(sample.wall_seconds, 6),
        "phase": sample.phase,
        "segments": sample.segments,
        "streams": sample.streams,
        "process": dict(sample.process),
        "objects": {
            path: (size.elements, size.python_bytes, size.storage_bytes)
            for path, size in sample.objects.items()
        },
    }
    return json.dumps(row, separators=(",", ":")) + "\n"


def _sample(row: Any, where: object) -> Sample:
    try:
        process = {str(name): float(value) for name, value in row["process"].items()}
        objects = {path: ObjectSize(*map(int, size)) for path, size in row["objects"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise OutputError(f"{where}: expected a sample: {error!r:.80}") from error
    if not all(map(math.isfinite, process.values())):
        raise OutputError(f"{where}: expected finite numbers of the process")
    return build(Sample, row, where, process=process, objects=objects)


def _event(row: Any, where: object) -> SegmentEvent:
    try:
        chunk, segments = row
        return SegmentEvent(
            chunk=int(chunk), segments=tuple((int(start), int(end)) for start, end in segments)
        )
    except (TypeError, ValueError) as error:
        raise OutputError(f"{where}: expected a chunk and its segments: {error}") from error
