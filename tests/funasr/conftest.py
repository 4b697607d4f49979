"""Real releases, each driven once a session, with what the tests ask about."""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from leakbench.errors import ProvisionError
from leakbench.funasr.resolution import resolve

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Run:
    """A subject, and the streams to feed it."""

    audio: Mapping[str, Audio]
    model: str = "embedded"
    chunk_ms: int = 600
    generate: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Driven:
    """What one stream brought out of a subject."""

    events: list[list[list[int]]]
    silence: list[float]
    held: dict[str, int]
    roots: list[str]

    @property
    def segments(self) -> list[list[int]]:
        return [segment for chunk in self.events for segment in chunk]

    def speech(self, frames: int) -> npt.NDArray[np.bool_]:
        """Whether each 10 ms frame is in a segment; one still open runs to the end."""
        mask = np.zeros(frames, dtype=bool)
        start_ms = None
        for start, end in [*self.segments, [-1, frames * 10]]:
            start_ms = start if start >= 0 else start_ms
            if end >= 0 and start_ms is not None:
                mask[start_ms // 10 : end // 10] = True
                start_ms = None
        return mask


Driver = Callable[..., dict[str, dict[str, Driven]]]


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    """Drive a release through runs, in a process of its own; answers by run and stream."""

    def drive(spec: str, runs: Mapping[str, Run]) -> dict[str, dict[str, Driven]]:
        folder = tmp_path_factory.mktemp("drive")
        asked = []
        for name, run in runs.items():
            try:
                subject = resolve(
                    spec,
                    model=run.model,
                    chunk_ms=run.chunk_ms,
                    # The end-silence schedule of newer releases would tell releases apart.
                    generate={"dynamic_silence": False, **run.generate},
                )
            except ProvisionError as error:
                if "no package index" in str(error):
                    pytest.skip(str(error))
                raise
            paths = [folder / f"{name}-{stream}.npy" for stream in run.audio]
            for path, samples in zip(paths, run.audio.values(), strict=True):
                np.save(path, samples)
            asked.append(
                {
                    "options": dict(subject.options),
                    "audio": [str(p) for p in paths],
                    "chunk_ms": run.chunk_ms,
                }
            )
        request = {
            "factory": subject.factory,
            "path": [str(p) for p in subject.path],
            "runs": asked,
        }
        (folder / "request.json").write_text(json.dumps(request))
        script = Path(__file__).with_name("driving.py")
        command = [subject.python, script, folder / "request.json", folder / "answer.json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        answers = json.loads((folder / "answer.json").read_text())
        return {
            name: {stream: Driven(**given) for stream, given in zip(run.audio, answer, strict=True)}
            for (name, run), answer in zip(runs.items(), answers, strict=True)
        }

    return drive


@pytest.fixture(scope="session")
def silence() -> Audio:
    """30 s of digital silence."""
    return np.zeros(30 * 16000, dtype=np.float32)


@pytest.fixture(scope="session")
def speech_like() -> Audio:
    """Five times 2 s of noise at -23 dBFS and 2 s of silence."""
    sound = noise(-23, seconds=20)
    return sound * (np.arange(len(sound)) % 64000 < 32000).astype(np.float32)


@pytest.fixture(scope="session")
def recording(real_speech: Path) -> Audio:
    """70 s of real speech."""
    import soundfile

    samples, rate = soundfile.read(real_speech, dtype="float32")
    assert rate == 16000
    return samples


@pytest.fixture(scope="session")
def original(drive: Driver, silence: Audio, speech_like: Audio) -> dict[str, dict[str, Driven]]:
    return drive(
        "original",
        {
            "600 ms": Run({"silence": silence, "speech": speech_like, "again": speech_like}),
            "60 ms": Run({"silence": silence[: 6 * 16000]}, chunk_ms=60),
        },
    )


@pytest.fixture(scope="session")
def fixed(
    drive: Driver, silence: Audio, speech_like: Audio, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Driven]]:
    written = tmp_path_factory.mktemp("written")
    return drive(
        "fixed",
        {
            "600 ms": Run(
                {"short": silence[: 6 * 16000], "silence": silence, "speech": speech_like}
            ),
            "one utterance": Run({"speech": speech_like}, generate={"detect_mode": 0}),
            "writing": Run({"silence": silence}, generate={"output_dir": str(written)}),
            "probabilities": Run({"silence": silence}, generate={"output_frame_probs": True}),
            "patient": Run({"speech": speech_like}, generate={"max_end_silence_time": 3000}),
        },
    )


@pytest.fixture(scope="session")
def latest(drive: Driver, silence: Audio, speech_like: Audio) -> dict[str, dict[str, Driven]]:
    levels = {f"{level} dBFS": noise(level, seconds=6) for level in (-60, -30, 0)}
    streams = {"short": silence[: 6 * 16000], "silence": silence, "speech": speech_like}
    return drive("latest", {"600 ms": Run(streams | levels)})


def noise(level_dbfs: float, *, seconds: int) -> Audio:
    """White noise, clipped to full scale."""
    samples = np.random.default_rng(0).standard_normal(seconds * 16000) * 10 ** (level_dbfs / 20)
    return np.clip(samples, -1, 1).astype(np.float32)
