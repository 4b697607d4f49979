"""Audio that visits what a VAD can do, and releases compared with and without a fix."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from leakbench.errors import ProvisionError
from leakbench.funasr.resolution import resolve

Audio = npt.NDArray[np.float32]
PASSED = (
    "chunk_ms",
    "fixes",
    "settings",
    "generate",
    "interleaved",
    "adopt",
    "remove",
    "measure_every",
)
FOUR = ("ring-buffer", "sliding-window", "periodic-cleanup", "memory-pool")


@dataclass(frozen=True)
class Stream:
    """Audio of one stream; `final` are the indices of its final chunks."""

    audio: Audio
    final: Sequence[int] = ()
    cuts: Sequence[int] = ()
    """Samples where chunks begin and end; whole chunks where empty."""


@dataclass(frozen=True)
class Case:
    """Streams, and what to drive them through."""

    streams: Sequence[Stream]
    chunk_ms: int = 600
    fixes: Sequence[tuple[str, Mapping[str, Any]]] = tuple((name, {}) for name in FOUR)
    model: str = "embedded"
    settings: Mapping[str, Any] = field(default_factory=dict)
    generate: Mapping[str, Any] = field(default_factory=dict)
    interleaved: bool = False
    adopt: int = 0
    remove: bool = False
    measure_every: int = 10


@dataclass(frozen=True)
class Compared:
    """A patched release beside the unpatched one."""

    fix: str
    expected: Mapping[str, Any]
    got: Mapping[str, Any]
    removed_equals_unpatched: bool | None = None

    def first_difference(self) -> tuple[int, Any, Any] | None:
        """Index and segments of the first chunk that differs, as far as the original survived."""
        pairs = zip(self.expected["events"], self.got["events"], strict=False)
        return next(((i, a, b) for i, (a, b) in enumerate(pairs) if a != b), None)

    @property
    def segments(self) -> int:
        return sum(len(chunk) for chunk in self.got["events"])

    def grown(self, path: str, *, side: str = "got") -> tuple[int, int]:
        """Elements and bytes of `path` at the middle and at the end: how much more at the end."""
        held = getattr(self, side)["held"]
        middle, end = held[len(held) // 2].get(path, (0, 0)), held[-1].get(path, (0, 0))
        return end[0] - middle[0], end[1] - middle[1]


Compare = Callable[[str, Sequence[Case]], list[list[Compared]]]


@pytest.fixture(scope="session")
def compare(tmp_path_factory: pytest.TempPathFactory) -> Compare:
    """Drive cases through a release and through its patched twin, in a process of its own."""

    def run(spec: str, cases: Sequence[Case]) -> list[list[Compared]]:
        models = sorted({case.model for case in cases})
        folders = []
        for model in models:
            try:
                subject = resolve(spec, model=model, chunk_ms=600, generate={})
            except ProvisionError as error:
                if "no package index" in str(error):
                    pytest.skip(str(error))
                raise
            folders.append(str(subject.options["model"]))
        sources = dict(zip(models, folders, strict=True))
        folder = tmp_path_factory.mktemp("compare")
        asked = []
        for number, case in enumerate(cases):
            streams = []
            for index, stream in enumerate(case.streams):
                path = folder / f"{number}-{index}.npy"
                np.save(path, stream.audio)
                samples = case.chunk_ms * 16
                cuts = list(stream.cuts or range(0, len(stream.audio) + 1, samples))
                streams.append({"audio": str(path), "final": list(stream.final), "cuts": cuts})
            asked.append(
                {
                    **{name: getattr(case, name) for name in PASSED},
                    "model": sources[case.model],
                    "streams": streams,
                }
            )
        request = {
            "path": [str(p) for p in subject.path],
            "models": list(sources.values()),
            "cases": asked,
        }
        (folder / "request.json").write_text(json.dumps(request))
        script = Path(__file__).with_name("driving.py")
        command = [sys.executable, script, folder / "request.json", folder / "answer.json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        answers = json.loads((folder / "answer.json").read_text())
        return [[Compared(**each) for each in answer] for answer in answers]

    return run


def speech(seconds: float, seed: int = 0, floor_db: float | None = None) -> Audio:
    """Return voiced bursts between pauses, 16 kHz, in digital silence or noise at `floor_db`."""
    random = np.random.default_rng(seed)
    samples = int(seconds * 16000)
    audio = np.zeros(samples)
    at = 0
    while True:
        at += int(random.uniform(0.2, 3) * 16000)
        length = min(int(random.uniform(0.3, 3) * 16000), samples - at)
        if length <= 0:
            break
        time = np.arange(length) / 16000
        pitch = random.uniform(90, 220)
        voice = sum(np.sin(2 * np.pi * pitch * h * time) / h for h in range(1, 25))
        audio[at : at + length] = 0.05 * voice * (0.6 + 0.4 * np.sin(8 * np.pi * time))
        at += length
    if floor_db is not None:
        audio += random.standard_normal(samples) * 10 ** (floor_db / 20)
    return audio.astype(np.float32)


@pytest.fixture(scope="session")
def recording(real_speech: Path) -> Audio:
    """70 s of real speech."""
    import soundfile

    samples, rate = soundfile.read(real_speech, dtype="float32")
    assert rate == 16000
    return samples
