import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.errors import RecordingError
from leakbench.scenario.audio import recordings
from leakbench.scenario.audio.recordings import PAUSE_SECONDS, check_recordings, read_recordings

RATE = 16000
PAUSE = round(PAUSE_SECONDS * RATE)

Audio = npt.NDArray[np.float32]


def tone(seconds: float, sample_rate: int = RATE, hertz: float = 440.0) -> npt.NDArray[np.float64]:
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return 0.5 * np.sin(2 * np.pi * hertz * time)


def heard(path: Path, *, sample_rate: int = RATE, chunk_ms: int = 600) -> Audio:
    return np.concatenate(list(read_recordings(path, sample_rate=sample_rate, chunk_ms=chunk_ms)))


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        heard(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def pitch(audio: Audio) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(audio))) / len(audio) * RATE)


def test_a_recording_is_followed_by_a_pause_and_padded_to_whole_chunks(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0), RATE, subtype="FLOAT")
    audio = heard(path)
    assert len(audio) == 2.4 * RATE
    assert np.array_equal(audio[:RATE], tone(1.0).astype(np.float32))
    assert not audio[RATE:].any()


@pytest.mark.parametrize("chunk_ms", [60, 200, 300, 600])
def test_chunks_that_divide_600_ms_hear_the_same_period(tmp_path: Path, chunk_ms: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0), RATE)
    assert np.array_equal(heard(path, chunk_ms=chunk_ms), heard(path, chunk_ms=600))


def test_other_chunks_pad_to_themselves(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1.0), RATE)
    assert len(heard(path, chunk_ms=70)) == 32 * 70 * RATE // 1000


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("pcm16.wav", "PCM_16"),
        ("pcm24.wav", "PCM_24"),
        ("pcm32.wav", "PCM_32"),
        ("float.wav", "FLOAT"),
        ("double.wav", "DOUBLE"),
        ("mu-law.wav", "ULAW"),
        ("a-law.wav", "ALAW"),
        ("flac16.flac", "PCM_16"),
        ("flac24.FLAC", "PCM_24"),
    ],
)
def test_every_usual_encoding_is_read(tmp_path: Path, name: str, subtype: str) -> None:
    path = tmp_path / name
    soundfile.write(path, tone(1.0), RATE, subtype=subtype, format=path.suffix[1:].upper())
    assert check_recordings(tmp_path) == (path,)
    assert heard(path)[:RATE] == pytest.approx(tone(1.0), abs=0.02)


@pytest.mark.parametrize("sample_rate", [8000, 11025, 22050, 44100, 48000])
def test_stereo_of_any_rate_is_mixed_and_resampled(tmp_path: Path, sample_rate: int) -> None:
    path = tmp_path / "a.wav"
    left, right = tone(2.0, sample_rate), np.zeros(2 * sample_rate)
    soundfile.write(path, np.stack([left, right], axis=1), sample_rate)
    audio = heard(path)
    assert len(audio) == 3.6 * RATE
    assert pitch(audio[: 2 * RATE]) == pytest.approx(440, abs=1)
    assert np.abs(audio[1000:30000]).max() == pytest.approx(0.25, abs=0.01)
    assert not audio[2 * RATE + 10 :].any()


def test_resampling_does_not_depend_on_where_blocks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.wav"
    noise = 0.3 * np.random.default_rng(0).standard_normal(9 * 8000)
    soundfile.write(path, noise, 8000)
    audio = heard(path)
    for seconds in (1, 9):
        monkeypatch.setattr(recordings, "_BLOCK_SECONDS", seconds)
        assert heard(path) == pytest.approx(audio, abs=1e-6)


def test_resampling_to_a_lower_rate_leaves_no_alias(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(2.0, 48000, hertz=15000.0), 48000)
    assert np.abs(heard(path)[1000:30000]).max() < 1e-3


def test_a_folder_is_read_in_the_order_of_its_paths_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name, hertz in (("c.wav", 900), ("b/z.flac", 600), ("a.WAV", 300)):
        soundfile.write(tmp_path / name, tone(1.0, hertz=hertz), RATE, format=name[-4:].strip("."))
    (tmp_path / "README.txt").write_text("not audio")
    assert [file.name for file in check_recordings(tmp_path)] == ["a.WAV", "z.flac", "c.wav"]
    audio = heard(tmp_path)
    starts = range(0, 3 * (RATE + PAUSE), RATE + PAUSE)
    assert [pitch(audio[start : start + RATE]) for start in starts] == [300, 600, 900]
    for start in starts:
        assert not audio[start + RATE : start + RATE + PAUSE].any()


def test_samples_beyond_full_scale_are_clipped(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, 3 * tone(1.0), RATE, subtype="FLOAT")
    audio = heard(path)
    assert audio.max() == 1
    assert audio.min() == -1


@settings(deadline=None, max_examples=20)
@given(
    frames=st.integers(1, 5000),
    sample_rate=st.sampled_from((8000, 16000, 44100)),
    chunk_ms=st.sampled_from((60, 70, 200, 600)),
)
def test_the_period_is_a_whole_number_of_chunks(
    tmp_path_factory: pytest.TempPathFactory, frames: int, sample_rate: int, chunk_ms: int
) -> None:
    path = tmp_path_factory.mktemp("recordings") / "a.wav"
    soundfile.write(path, np.zeros(frames), sample_rate)
    assert len(heard(path, chunk_ms=chunk_ms)) % (chunk_ms * RATE // 1000) == 0


def test_memory_stays_flat_however_long_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(600 * 8000, dtype=np.int16), 8000)
    blocks = read_recordings(path, sample_rate=RATE, chunk_ms=600)
    next(blocks)
    tracemalloc.start()
    try:
        for _ in blocks:
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4e6


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.wav"
    assert refusal(path) == f"{path}: expected an audio file or a folder, found none"


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    expected = f"{tmp_path}: expected a folder with .wav or .flac files, found none in it"
    assert refusal(tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.txt", b"hello", "Format not recognised"),
        ("broken.wav", b"RIFF\x10\x00\x00\x00WAVEjunkjunk", ""),
        ("empty.wav", b"", "Format not recognised"),
        ("headerless.raw", b"\x00\x01" * 100, ""),
        ("broken.flac", b"fLaC" + b"\xff" * 100, ""),
    ],
)
def test_a_file_that_is_not_audio_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    message = refusal(path)
    assert "expected audio such as wav or flac, got a file that libsndfile refuses: " in message
    assert reason in message


def test_a_recording_without_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(0), RATE)
    assert refusal(path) == f"{path}: expected audio, got a file with no samples in it"


def test_one_unreadable_file_in_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1.0), RATE)
    (tmp_path / "b.wav").write_bytes(b"")
    assert str(tmp_path / "b.wav") in refusal(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_samples_are_refused_with_their_time(
    tmp_path: Path, value: float
) -> None:
    path = tmp_path / "a.wav"
    audio = np.stack([tone(6.0), tone(6.0)], axis=1)
    audio[5 * RATE, 1] = value
    soundfile.write(path, audio, RATE, subtype="FLOAT")
    assert refusal(path) == (
        f"{path}: samples must be finite and within [-1, 1], got {value:g} at 5.000 s"
    )


def test_infinities_that_would_cancel_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([[np.inf, -np.inf]] * 100), RATE, subtype="FLOAT")
    assert "got nan at 0.000 s" in refusal(path)


def test_samples_that_were_never_scaled_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, 32767 * tone(1.0), RATE, subtype="FLOAT")
    assert "samples must be finite and within [-1, 1], got " in refusal(path)


def test_a_flac_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 12 * RATE), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    check_recordings(path)
    message = refusal(path)
    assert "cut short" in message or "corrupt after" in message


def test_a_flac_file_with_a_damaged_middle_is_refused_or_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 12 * RATE), RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = bytes(20_000)
    path.write_bytes(data)
    refusal(path)


def test_real_speech_is_read_whole(real_speech: Path) -> None:
    info = soundfile.info(real_speech)
    audio = heard(real_speech)
    assert len(audio) % (600 * RATE // 1000) == 0
    assert info.frames / info.samplerate + PAUSE_SECONDS <= len(audio) / RATE
    assert np.abs(audio).max() > 0.1
