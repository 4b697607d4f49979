"""A scenario, rendered: one period of audio on disk, made a few seconds at a time."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from leakbench.errors import OutputError, RecordingError, ScenarioError
from leakbench.scenario import Scenario
from leakbench.scenario.audio.stimulus import Stimulus
from leakbench.scenario.audio.synthesis import synthesize
from leakbench.subject import Samples


def render(
    scenario: Scenario,
    *,
    chunk_ms: int,
    sample_rate: int,
    seed: int,
    recordings: Path | None,
    destination: Path,
) -> Stimulus:
    """Write one period of a scenario to `destination` and return what was written.

    The same arguments give the same bytes. Another seed gives other speech and noise with the
    same timing; it changes nothing in recordings.

    Parameters
    ----------
    scenario
        What to render.
    chunk_ms
        Length of the chunks that will be read.
    sample_rate
        Hz, the subject's.
    seed
        Not negative.
    recordings
        An audio file or a folder of them; for scenarios of recordings only.
    destination
        The file to write: raw little-endian float32, mono.

    Raises
    ------
    ScenarioError
        When `chunk_ms` does not divide the period or is not a whole number of samples, or the
        seed is negative.
    RecordingError
        When the scenario needs recordings and they are missing or not usable.
    OutputError
        When `destination` cannot be written.
    """
    scenario.check_chunk(chunk_ms)
    if seed < 0:
        raise ScenarioError(f"scenario {scenario.name!r}: seed must be >= 0, got {seed}")
    if chunk_ms * sample_rate % 1000:
        raise ScenarioError(
            f"scenario {scenario.name!r}: {chunk_ms} ms chunks are not a whole number of samples "
            f"at {sample_rate} Hz; choose a multiple of {_whole_sample_ms(sample_rate)} ms"
        )
    chunk_samples = chunk_ms * sample_rate // 1000
    if scenario.recordings:
        blocks = _recorded(scenario, recordings, chunk_ms, sample_rate)
    else:
        blocks = synthesize(scenario.parts, sample_rate=sample_rate, seed=seed)
    samples, digest = _write(destination, blocks)
    stimulus = Stimulus(
        path=destination,
        sample_rate=sample_rate,
        chunk_samples=chunk_samples,
        chunks_per_period=samples // chunk_samples,
        sha256=digest,
    )
    if scenario.phase_seconds >= stimulus.period_seconds:
        raise ScenarioError(
            f"scenario {scenario.name!r}: phase_seconds must be less than the period "
            f"({stimulus.period_seconds:g} s), got {scenario.phase_seconds:g}"
        )
    return stimulus


def _recorded(
    scenario: Scenario, recordings: Path | None, chunk_ms: int, sample_rate: int
) -> Iterator[Samples]:
    if recordings is None:
        raise RecordingError(
            f"scenario {scenario.name!r}: expected an audio file or a folder of them, got none; "
            "give it with --recordings PATH"
        )
    try:
        # Only here: what reads audio files is not needed, nor always there, for other scenarios.
        from leakbench.scenario.audio.recordings import read_recordings
    except ImportError as error:
        raise RecordingError(
            f"scenario {scenario.name!r}: recordings need soundfile and soxr; "
            f"install them for {sys.executable}: {error}"
        ) from error
    return read_recordings(recordings, sample_rate=sample_rate, chunk_ms=chunk_ms)


def _write(destination: Path, blocks: Iterable[Samples]) -> tuple[int, str]:
    digest = hashlib.sha256()
    samples = 0
    try:
        with destination.open("wb") as file:
            for block in blocks:
                data = np.ascontiguousarray(block, dtype="<f4").tobytes()
                file.write(data)
                digest.update(data)
                samples += len(block)
    except OSError as error:
        raise OutputError(f"{destination}: cannot be written: {error.strerror}") from error
    return samples, digest.hexdigest()


def _whole_sample_ms(sample_rate: int) -> int:
    """Return the shortest length in whole milliseconds that is a whole number of samples."""
    return 1000 // int(np.gcd(sample_rate, 1000))
