"""What a worker is asked to do, as it travels in ``cell.json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from leakbench.record.files import build, read_mapping, write_json
from leakbench.record.trace import REQUEST_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRequest:
    """One replicate of one cell."""

    factory: str
    """``module:NAME`` or ``path/to/file.py:NAME`` that makes the subject."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Keyword arguments of the factory; JSON values."""
    scenario: str
    """Path of the scenario's TOML file."""
    chunk_ms: int
    seed: int
    audio_seconds: float
    """Stop after this much audio, rounded up to whole periods."""
    recordings: str | None = None
    """Path of the audio of a recorded scenario."""
    process_interval_seconds: float = 6.0
    """Audio between two looks at the process while looks are closest, at least; whole periods, of
    which the number is a power of two."""
    clear_caches: bool = True
    """Whether caches of the interpreter and the standard library are cleared before the process
    is looked at."""
    temp_folder: str = ""
    """Folder for temporary files that is this worker's alone; empty where there is none."""
    import_path: tuple[str, ...] = ()
    """Folders that the subject imports from, before any other."""
    parent_pid: int = 0
    """Process that the worker is not to outlive; 0 for none."""
    traced_frames: int = 0
    """Frames tracemalloc keeps a block; 0 for no tracing. A traced run has no other figures
    of the process, for tracing changes them."""
    awaits_word: bool = False
    """Whether, once it has measured all, it waits to be told whether there is a leak to explain."""
    explain_seconds: float = 0.0
    """Wall seconds to explain a leak in; 0 for a run that measures."""
    explain_leaking: tuple[str, ...] = ()
    """Paths known to leak: of these, growth seen once is enough."""
    explain_gaps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Fewest and most periods from one growth of such a path to its next."""
    explain_process: Mapping[str, float] = field(default_factory=dict)
    """Metrics of the process known to leak, and how fast an audio-hour."""
    explain_apart: int = 0
    """Most periods from one growth of such a metric to its next."""


def write_request(folder: Path, request: WorkerRequest, file: str = REQUEST_FILE) -> None:
    """Write the request where the worker of `folder` looks for it."""
    write_json(folder / file, dataclasses.asdict(request))


def read_request(folder: Path, file: str = REQUEST_FILE) -> WorkerRequest:
    """Read what is asked of the worker of `folder`."""
    return build(WorkerRequest, read_mapping(folder / file), folder / file)
