"""Recordings as a stimulus: read in blocks, mixed to mono, resampled, joined end to end.

Every recording is followed by at least `PAUSE_SECONDS` of silence, so that a detector ends its
segment and resets before the next recording, and before the period begins again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from leakbench.errors import RecordingError
from leakbench.subject import Samples

SUFFIXES: Final = (".wav", ".flac")
"""What is taken from a folder. A file that is named itself may be anything libsndfile reads."""

PAUSE_SECONDS: Final = 1.2
"""Longer than the 0.8 s of silence that end a segment, in whole chunks of 60, 200 and 600 ms."""

LOUDEST: Final = 16.0
"""Beyond full scale samples are clipped; beyond this they were never scaled to [-1, 1]."""

_COMMON_CHUNK_MS: Final = 600
_BLOCK_SECONDS: Final = 4


def check_recordings(path: Path) -> tuple[Path, ...]:
    """Return the recordings that `path` stands for, having opened each one's header.

    Parameters
    ----------
    path
        An audio file, or a folder whose wav and flac files, at any depth, are taken in the
        order of their paths.

    Raises
    ------
    RecordingError
        When `path` is missing, a folder holds none, or one of them is not readable audio or
        holds no samples.
    """
    if path.is_dir():
        files = tuple(
            sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
        )
        if not files:
            raise RecordingError(
                f"{path}: expected a folder with {' or '.join(SUFFIXES)} files, found none in it"
            )
    else:
        files = (path,)
    for file in files:
        _open(file).close()
    return files


def read_recordings(path: Path, *, sample_rate: int, chunk_ms: int) -> Iterator[Samples]:
    """Yield the recordings that `path` stands for as one period, in blocks of a few seconds.

    The period is a whole number of chunks of `chunk_ms`; it is a whole number of 600 ms where
    `chunk_ms` divides that, so that runs at 60, 200 and 600 ms hear the same audio.

    Parameters
    ----------
    path
        As in `check_recordings`.
    sample_rate
        Hz to resample to.
    chunk_ms
        Length of the chunks that will be read; a whole number of samples.

    Yields
    ------
    float32 of shape (n,), in [-1, 1]; louder samples are clipped, as a converter clips them.

    Raises
    ------
    RecordingError
        As `check_recordings`; and when a recording ends early or holds NaN, infinity, or values
        that were never scaled.
    """
    unit_ms = _COMMON_CHUNK_MS if _COMMON_CHUNK_MS % chunk_ms == 0 else chunk_ms
    unit = unit_ms * sample_rate // 1000
    pause = np.zeros(round(PAUSE_SECONDS * sample_rate), dtype=np.float32)
    given = 0
    for file in check_recordings(path):
        for block in _resampled(file, sample_rate):
            given += len(block)
            yield np.clip(block, -1, 1)
        given += len(pause)
        yield pause
    yield np.zeros(-given % unit, dtype=np.float32)


def _resampled(path: Path, sample_rate: int) -> Iterator[Samples]:
    with _open(path) as file:
        if file.samplerate == sample_rate:
            yield from _mono(path, file)
            return
        stream = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32")
        for block in _mono(path, file):
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _mono(path: Path, file: soundfile.SoundFile) -> Iterator[Samples]:
    position = 0
    while position < file.frames:
        try:
            frames = file.read(_BLOCK_SECONDS * file.samplerate, dtype="float32", always_2d=True)
        except soundfile.SoundFileError as error:
            raise RecordingError(
                f"{path}: corrupt after {position / file.samplerate:.3f} s: {error}"
            ) from error
        if not len(frames):
            raise RecordingError(
                f"{path}: expected {file.frames / file.samplerate:.3f} s of audio as its header "
                f"says, got {position / file.samplerate:.3f} s; the file is cut short"
            )
        with np.errstate(invalid="ignore"):  # infinities of both signs: refused below
            block = frames.mean(axis=1)
        _check_values(path, block, position, file.samplerate)
        position += len(block)
        yield block


def _check_values(path: Path, block: Samples, position: int, sample_rate: int) -> None:
    wrong = np.flatnonzero(~(np.abs(block) <= LOUDEST))
    if len(wrong):
        where = (position + int(wrong[0])) / sample_rate
        raise RecordingError(
            f"{path}: samples must be finite and within [-1, 1], got {block[wrong[0]]:g} "
            f"at {where:.3f} s"
        )


def _open(path: Path) -> soundfile.SoundFile:
    try:
        path.open("rb").close()
        file = soundfile.SoundFile(path)
    except FileNotFoundError as error:
        raise RecordingError(f"{path}: expected an audio file or a folder, found none") from error
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from error
    except (soundfile.SoundFileError, TypeError) as error:
        # TypeError: a file whose name says it has no header.
        reason = getattr(error, "error_string", str(error)).rstrip(".")
        raise RecordingError(
            f"{path}: expected audio such as wav or flac, got a file that libsndfile refuses: "
            f"{reason}"
        ) from error
    if file.frames == 0:
        file.close()
        raise RecordingError(f"{path}: expected audio, got a file with no samples in it")
    return file
