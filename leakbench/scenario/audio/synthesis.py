"""Seeded synthetic audio: speech-like sound, stationary noise, silence.

Everything is made in short units, each from a generator of its own that is seeded by the run's
seed, the part and the unit. So memory stays flat however long a part is, and the timing (where
parts and syllables begin) is the same for every seed.

Speech follows the source-filter model (Fant, 1960; Klatt, 1980): a train of glottal pulses of
falling pitch through three formant resonators, in syllables of `SYLLABLE_SECONDS`, some of which
begin with a fricative. Syllables overlap, so that a part of speech has no gap in it that a
detector could take for silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from leakbench.scenario import Part
from leakbench.subject import Samples

_Signal: TypeAlias = npt.NDArray[np.floating[Any]]
_Response: TypeAlias = npt.NDArray[np.complex128]

SYLLABLE_SECONDS: Final = 0.24
"""About 4 syllables a second, where the modulation spectrum of speech peaks."""

_OVERLAP_SECONDS: Final = 0.06
_EDGE_SECONDS: Final = 0.01
_NOISE_UNIT_SECONDS: Final = 1.0

# First three formants, Hz: the vowels of "heed, head, had, hod, hawed, who'd, hud, heard" of
# Peterson and Barney (1952), men's means.
_VOWELS: Final = np.array(
    [
        (270, 2290, 3010),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (300, 870, 2240),
        (640, 1190, 2390),
        (490, 1350, 1690),
    ],
    dtype=float,
)
_BANDWIDTHS_HZ: Final = (60.0, 90.0, 150.0)
_FRICATIVE_SHARE: Final = 0.4
_FRICATIVE_SECONDS: Final = 0.08


def synthesize(parts: Sequence[Part], *, sample_rate: int, seed: int) -> Iterator[Samples]:
    """Yield the parts one after the other, in blocks of at most a second.

    Parameters
    ----------
    parts
        In order; a boundary falls on the sample nearest to it.
    sample_rate
        Hz.
    seed
        Not negative.

    Yields
    ------
    float32 of shape (n,), in [-1, 1].
    """
    begin_seconds = 0.0
    for number, part in enumerate(parts):
        end_seconds = begin_seconds + part.seconds
        samples = round(end_seconds * sample_rate) - round(begin_seconds * sample_rate)
        begin_seconds = end_seconds
        if part.kind == "speech":
            yield from _speech(_level(part), samples, sample_rate, (seed, number))
        elif part.kind == "noise":
            yield from _noise(_level(part), samples, sample_rate, (seed, number))
        else:
            yield from _silence(samples, sample_rate)


def _level(part: Part) -> float:
    """Return the RMS amplitude of a part that has a level."""
    return float(10 ** ((part.level_dbfs or 0.0) / 20))


def _silence(samples: int, sample_rate: int) -> Iterator[Samples]:
    for length in _units(samples, round(_NOISE_UNIT_SECONDS * sample_rate)):
        yield np.zeros(length, dtype=np.float32)


def _noise(rms: float, samples: int, sample_rate: int, seeds: tuple[int, int]) -> Iterator[Samples]:
    for unit, length in enumerate(_units(samples, round(_NOISE_UNIT_SECONDS * sample_rate))):
        noise = np.random.default_rng((*seeds, unit)).standard_normal(length)
        yield _quantized(rms * noise)


def _speech(
    rms: float, samples: int, sample_rate: int, seeds: tuple[int, int]
) -> Iterator[Samples]:
    step = round(SYLLABLE_SECONDS * sample_rate)
    overlap = round(_OVERLAP_SECONDS * sample_rate)
    tail: _Signal = np.zeros(0)
    given = 0
    for unit, length in enumerate(_units(samples, step)):
        syllable = _syllable(
            np.random.default_rng((*seeds, unit)), step + overlap, sample_rate, overlap
        )
        syllable[: len(tail)] += tail
        tail = syllable[step:]
        block = rms * syllable[:length]
        _fade(block, given, samples, round(_EDGE_SECONDS * sample_rate))
        given += length
        yield _quantized(block)


def _syllable(random: np.random.Generator, length: int, sample_rate: int, overlap: int) -> _Signal:
    """Return one syllable of RMS 1, shape (length,), with its rise and fall."""
    voiced = _voice(random, length, sample_rate)
    if random.random() < _FRICATIVE_SHARE:
        burst = _fricative(random, length, sample_rate)
        end = round(_FRICATIVE_SECONDS * sample_rate)
        crossing = np.clip((np.arange(length) - end) / (overlap / 2) + 0.5, 0, 1)
        voiced = crossing * voiced + (1 - crossing) * burst
    # Equal-power ramps over the overlap keep the level between syllables; the slow bow on top is
    # the modulation, 6 dB deep, which leaves no gap to a detector.
    position = np.arange(length) / length
    ramp = np.minimum(1, np.minimum(np.arange(length) + 1, length - np.arange(length)) / overlap)
    envelope = np.sin(np.pi / 2 * ramp) * (0.5 + 0.5 * np.sin(np.pi * position))
    syllable = voiced * envelope
    power = np.mean(syllable**2) * length / (length - overlap)
    return np.asarray(syllable / np.sqrt(power))


def _voice(random: np.random.Generator, length: int, sample_rate: int) -> _Signal:
    """Return a vowel of RMS 1: glottal pulses through three resonators, shape (length,)."""
    pitch = random.uniform(95, 160) * np.linspace(1.08, 0.92, length)
    cycles = np.cumsum(pitch) / sample_rate + random.random()
    # A pulse stands where the phase wraps, spread over two samples so that its time is exact.
    before = np.flatnonzero(np.diff(np.floor(cycles)))
    late = (cycles[before + 1] % 1) / (cycles[before + 1] - cycles[before])
    pulses: _Signal = np.zeros(length)
    pulses[before] = late
    pulses[before + 1] += 1 - late
    formants = random.choice(_VOWELS) * random.uniform(0.95, 1.12)
    return _filtered(pulses, _vocal_tract(length, sample_rate, formants))


def _fricative(random: np.random.Generator, length: int, sample_rate: int) -> _Signal:
    """Return unvoiced friction of RMS 1: noise through one broad resonator, shape (length,)."""
    centre = min(random.uniform(2500, 5500), 0.4 * sample_rate)
    frequencies = np.fft.rfftfreq(2 * length, 1 / sample_rate)
    return _filtered(random.standard_normal(length), _resonator(frequencies, centre, 1500.0))


def _vocal_tract(length: int, sample_rate: int, formants: _Signal) -> _Response:
    frequencies = np.fft.rfftfreq(2 * length, 1 / sample_rate)
    # The pulse's own spectrum falls by 12 dB an octave and the lips' radiation rises by 6.
    response = np.asarray(1 / (1 + 1j * frequencies / 200.0), dtype=np.complex128)
    for formant, bandwidth in zip(formants, _BANDWIDTHS_HZ, strict=True):
        response = response * _resonator(frequencies, formant, bandwidth)
    return response


def _resonator(frequencies: _Signal, centre_hz: float, bandwidth_hz: float) -> _Response:
    """Return the response of a two-pole resonator of gain 1 at 0 Hz."""
    poles = centre_hz**2 - frequencies**2 + 1j * bandwidth_hz * frequencies
    return np.asarray(centre_hz**2 / poles, dtype=np.complex128)


def _filtered(signal: _Signal, response: _Response) -> _Signal:
    """Return the signal through a filter, without wrapping round, scaled to RMS 1."""
    length = len(signal)
    out = np.fft.irfft(np.fft.rfft(signal, 2 * length) * response)[:length]
    return np.asarray(out / np.sqrt(np.mean(out**2)))


def _fade(block: _Signal, position: int, total: int, edge: int) -> None:
    """Ramp the first and last `edge` samples of a part, of which `block` is a stretch."""
    index = np.arange(position, position + len(block))
    block *= np.clip(np.minimum(index + 1, total - index) / edge, 0, 1)


def _quantized(signal: _Signal) -> Samples:
    """Return the signal as a 16-bit converter delivers it: steps of 2**-15, clipped.

    It also hides that releases of numpy differ in the last bit of a Fourier transform, so that
    environments with different releases hear the same audio.
    """
    return np.clip(np.round(signal * 2**15) / 2**15, -1, 1 - 2**-15).astype(np.float32)


def _units(samples: int, unit: int) -> Iterator[int]:
    """Yield the lengths of the stretches of at most `unit` that make up `samples`."""
    yield from [unit] * (samples // unit)
    if samples % unit:
        yield samples % unit
