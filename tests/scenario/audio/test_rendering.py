import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.errors import OutputError, RecordingError, ScenarioError
from leakbench.scenario import Part, Scenario, load_scenario, shipped_scenarios
from leakbench.scenario.audio.rendering import render
from leakbench.scenario.audio.stimulus import ChunkReader, Stimulus
from leakbench.scenario.audio.synthesis import synthesize

RATE = 16000


def rendered(name: str | Scenario, destination: Path, **changes: Any) -> Stimulus:
    scenario = load_scenario(name) if isinstance(name, str) else name
    options: dict[str, Any] = {
        "chunk_ms": 600,
        "sample_rate": RATE,
        "seed": 0,
        "recordings": None,
        "destination": destination,
    }
    return render(scenario, **{**options, **changes})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.wav"
    noise = 0.1 * np.random.default_rng(0).standard_normal((8000, 2))
    soundfile.write(path, noise, 8000)
    return path


@pytest.mark.parametrize("name", sorted(set(shipped_scenarios()) - {"recorded"}))
def test_a_shipped_scenario_is_rendered_as_exactly_one_period(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    stimuli = [
        rendered(scenario, tmp_path / f"{chunk_ms}.f32", chunk_ms=chunk_ms)
        for chunk_ms in (60, 200, 600)
    ]
    for stimulus, chunk_ms in zip(stimuli, (60, 200, 600), strict=True):
        assert stimulus.chunk_samples == chunk_ms * 16
        assert stimulus.chunks_per_period == scenario.chunks_per_period(chunk_ms)
        assert stimulus.period_seconds == scenario.period_seconds
        size = stimulus.chunks_per_period * stimulus.chunk_samples * 4
        assert stimulus.path.stat().st_size == size
        assert stimulus.sha256 == hashlib.sha256(stimulus.path.read_bytes()).hexdigest()
    assert len({stimulus.sha256 for stimulus in stimuli}) == 1, "chunks of any size, one audio"


@settings(deadline=None, max_examples=20)
@given(
    chunk_ms=st.sampled_from((10, 60, 200, 600)),
    chunks=st.lists(st.integers(1, 8), min_size=1, max_size=4),
    sample_rate=st.sampled_from((8000, 16000, 22050, 44100, 48000)),
    seed=st.integers(0, 2**32),
)
def test_any_period_is_a_whole_number_of_chunks_at_any_rate(
    tmp_path_factory: pytest.TempPathFactory,
    chunk_ms: int,
    chunks: list[int],
    sample_rate: int,
    seed: int,
) -> None:
    if chunk_ms * sample_rate % 1000:
        chunk_ms = 600
    scenario = Scenario(
        name="any",
        chunk_ms=chunk_ms,
        warmup_periods=0,
        period_seconds=sum(chunks) * chunk_ms / 1000,
        parts=tuple(
            Part(kind="noise", seconds=count * chunk_ms / 1000, level_dbfs=-40.0)
            for count in chunks
        ),
    )
    stimulus = rendered(
        scenario,
        tmp_path_factory.mktemp("rendering") / "a.f32",
        chunk_ms=chunk_ms,
        sample_rate=sample_rate,
        seed=seed,
    )
    assert stimulus.chunks_per_period == sum(chunks)
    assert stimulus.path.stat().st_size == 4 * sum(chunks) * chunk_ms * sample_rate // 1000


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    first, again, other = (
        rendered("alternating", tmp_path / f"{n}.f32", seed=seed)
        for n, seed in enumerate((1, 1, 2))
    )
    assert first.path.read_bytes() == again.path.read_bytes()
    assert first.sha256 != other.sha256


def test_what_is_read_is_what_was_synthesized(tmp_path: Path) -> None:
    scenario = load_scenario("alternating")
    stimulus = rendered(scenario, tmp_path / "a.f32", seed=3)
    with ChunkReader(stimulus) as reader:
        heard = np.concatenate([reader.read() for _ in range(stimulus.chunks_per_period)])
    made = np.concatenate(list(synthesize(scenario.parts, sample_rate=RATE, seed=3)))
    assert np.array_equal(heard, made)


def test_a_recording_is_rendered_and_its_period_found(tmp_path: Path, recording: Path) -> None:
    stimulus = rendered("recorded", tmp_path / "a.f32", recordings=recording, chunk_ms=60)
    assert stimulus.period_seconds == pytest.approx(2.4)
    assert stimulus.chunks_per_period == 40


def test_the_seed_changes_nothing_in_a_recording(tmp_path: Path, recording: Path) -> None:
    first, other = (
        rendered("recorded", tmp_path / f"{seed}.f32", recordings=recording, seed=seed)
        for seed in (1, 2)
    )
    assert first.sha256 == other.sha256


def test_a_recorded_scenario_needs_recordings(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"got none; give it with --recordings PATH$"):
        rendered("recorded", tmp_path / "a.f32")


def test_a_worker_that_cannot_read_recordings_says_what_to_install(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    monkeypatch.delitem(sys.modules, "leakbench.scenario.audio.recordings", raising=False)
    with pytest.raises(RecordingError, match="recordings need soundfile and soxr; install them"):
        rendered("recorded", tmp_path / "a.f32", recordings=recording)


def test_synthetic_scenarios_need_neither_soundfile_nor_soxr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("soundfile", "soxr"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "leakbench.scenario.audio.recordings", raising=False)
    assert rendered("bursts", tmp_path / "a.f32").period_seconds == 1.2


def test_a_chunk_that_does_not_divide_the_period_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="not a whole number of 70 ms chunks"):
        rendered("silence", tmp_path / "a.f32", chunk_ms=70)


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="seed must be >= 0, got -1"):
        rendered("noise", tmp_path / "a.f32", seed=-1)


def test_a_chunk_of_half_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ScenarioError,
        match="60 ms chunks are not a whole number of samples at 11025 Hz; "
        "choose a multiple of 40 ms",
    ):
        rendered("silence", tmp_path / "a.f32", chunk_ms=60, sample_rate=11025)


def test_a_phase_after_the_end_of_a_recording_is_refused(tmp_path: Path, recording: Path) -> None:
    late = Scenario(name="late", recordings=True, phase_seconds=6.0)
    with pytest.raises(ScenarioError, match=r"less than the period \(2\.4 s\), got 6$"):
        rendered(late, tmp_path / "a.f32", recordings=recording)


def test_a_destination_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    destination = tmp_path / "none" / "a.f32"
    with pytest.raises(OutputError, match=r"a\.f32: cannot be written: No such file or directory"):
        rendered("silence", destination)
