import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.scenario import Part, PartKind
from leakbench.scenario.audio.synthesis import SYLLABLE_SECONDS, synthesize

RATE = 16000

Audio = npt.NDArray[np.float32]


def part(kind: PartKind, seconds: float, level_dbfs: float | None = None) -> Part:
    return Part(kind=kind, seconds=seconds, level_dbfs=level_dbfs)


def heard(*parts: Part, sample_rate: int = RATE, seed: int = 0) -> Audio:
    return np.concatenate(list(synthesize(parts, sample_rate=sample_rate, seed=seed)))


def level_dbfs(audio: Audio) -> float:
    return float(10 * np.log10(np.mean(audio.astype(float) ** 2)))


def share_of_energy(audio: Audio, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(audio)) ** 2
    frequencies = np.fft.rfftfreq(len(audio), 1 / RATE)
    return float(power[(frequencies >= low_hz) & (frequencies < high_hz)].sum() / power.sum())


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=4),
    kinds=st.lists(st.sampled_from(("speech", "silence", "noise")), min_size=4, max_size=4),
    sample_rate=st.sampled_from((8000, 11025, 16000, 44100)),
)
def test_parts_last_as_long_together_as_asked_to_the_sample(
    lengths: list[int], kinds: list[PartKind], sample_rate: int
) -> None:
    parts = [
        part(kind, length / 1000, None if kind == "silence" else -23.0)
        for kind, length in zip(kinds, lengths, strict=False)
    ]
    audio = heard(*parts, sample_rate=sample_rate)
    assert len(audio) == round(sum(lengths) / 1000 * sample_rate)
    assert audio.dtype == np.float32
    assert np.abs(audio).max(initial=0) <= 1


@pytest.mark.parametrize("kind", ["speech", "noise"])
def test_the_same_seed_sounds_the_same_and_another_does_not(kind: PartKind) -> None:
    first, again, other = (heard(part(kind, 2.0, -23.0), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.2


def test_two_equal_parts_of_a_period_do_not_sound_the_same() -> None:
    speech = part("speech", 1.2, -23.0)
    first, second = np.split(heard(speech, speech), 2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.3


def test_every_seed_has_the_same_timing() -> None:
    parts = (part("silence", 0.5), part("speech", 1.1, -23.0), part("silence", 0.4))
    for seed in range(5):
        sounding = np.flatnonzero(heard(*parts, seed=seed))
        assert sounding[0] == pytest.approx(0.5 * RATE, abs=0.01 * RATE)
        assert sounding[-1] == pytest.approx(1.6 * RATE, abs=0.01 * RATE)


@pytest.mark.parametrize("level", [-60.0, -40.0, -23.0])
@pytest.mark.parametrize("kind", ["speech", "noise"])
def test_sound_is_as_loud_as_asked(kind: PartKind, level: float) -> None:
    assert level_dbfs(heard(part(kind, 6.0, level))) == pytest.approx(level, abs=1.0)


def test_silence_is_zeros() -> None:
    assert not heard(part("silence", 2.5)).any()


def test_what_would_be_too_loud_is_clipped() -> None:
    audio = heard(part("noise", 1.0, 0.0))
    assert audio.max() == 1 - 2**-15
    assert audio.min() == -1


def test_sound_stands_on_the_grid_of_16_bits() -> None:
    steps = heard(part("speech", 1.0, -23.0), part("noise", 1.0, -60.0)) * 2**15
    assert np.array_equal(steps, np.round(steps))


def test_noise_is_stationary_and_white() -> None:
    audio = heard(part("noise", 10.0, -60.0))
    levels = [level_dbfs(second) for second in np.split(audio, 10)]
    assert max(levels) - min(levels) < 0.5
    for low in range(0, 8000, 1000):
        assert share_of_energy(audio, low, low + 1000) == pytest.approx(1 / 8, rel=0.1)


def test_speech_has_no_gap_that_a_detector_could_take_for_silence() -> None:
    audio = heard(part("speech", 66.0, -23.0))
    frames = audio[: len(audio) // 400 * 400].reshape(-1, 400)
    levels = 10 * np.log10(np.mean(frames.astype(float) ** 2, axis=1) + 1e-12)
    # The embedded control calls 10 ms frames speech above -45 dBFS.
    assert levels[1:-1].min() > -43


def test_speech_is_modulated_by_its_syllables() -> None:
    audio = heard(part("speech", 24.0, -23.0))
    envelope = np.sqrt(np.mean(audio.reshape(-1, 160) ** 2, axis=1))
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    frequencies = np.fft.rfftfreq(len(envelope), 0.01)
    band = (frequencies > 1) & (frequencies < 20)
    loudest = frequencies[band][np.argmax(spectrum[band])]
    assert loudest == pytest.approx(1 / SYLLABLE_SECONDS, abs=0.1)


def test_speech_has_the_spectrum_of_a_voice() -> None:
    audio = heard(part("speech", 12.0, -23.0))
    assert share_of_energy(audio, 80, 4000) > 0.75
    assert share_of_energy(audio, 200, 1000) > 0.4
    assert 0.01 < share_of_energy(audio, 4000, 8000) < 0.25, "fricatives"


def test_speech_has_a_pitch() -> None:
    # 50 ms from the middle of each syllable: a voice repeats itself at a lag of 5 to 13 ms.
    audio = heard(part("speech", 12.0, -23.0)).astype(float)
    syllable = round(SYLLABLE_SECONDS * RATE)
    peaks = []
    for start in range(syllable // 2, len(audio) - syllable, syllable):
        frame = audio[start : start + 800]
        correlation = np.correlate(frame, frame, "full")[799:] / (frame @ frame)
        peaks.append(correlation[80:208].max())
    assert np.median(peaks) > 0.6


def test_a_part_begins_and_ends_without_a_click() -> None:
    audio = heard(part("speech", 1.0, -23.0))
    assert np.abs(audio[[0, -1]]).max() < 0.01


def test_blocks_are_short_however_long_the_part() -> None:
    tracemalloc.start()
    try:
        longest = max(
            len(block)
            for block in synthesize(
                [part("noise", 60.0, -60.0), part("silence", 600.0), part("speech", 60.0, -23.0)],
                sample_rate=RATE,
                seed=0,
            )
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert longest <= RATE
    assert peak < 4e6
