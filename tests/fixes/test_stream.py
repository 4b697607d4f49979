"""What a stream holds: decibels, where context begins, and the original's list repeated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.fixes.buffers import HistoryFile
from leakbench.fixes.strategies import RingBuffer
from leakbench.fixes.stream import Backlog, BoundedStream, frame_decibels
from tests.fixes.test_capacity import options


def make_stream(**changes) -> BoundedStream:
    return BoundedStream(
        RingBuffer(),
        options(**changes),
        frames_before=0,
        columns=1,
        keep_audio=True,
        backlog_dtype=np.float32,
    )


def feed(stream: BoundedStream, audio: np.ndarray, first: int, frames: int, last: int) -> None:
    """Take a chunk whose waveform spans frames `first` to `last` of `audio`."""
    waveform = audio[first * 160 : (last - 1) * 160 + 400]
    stream.take(waveform, np.zeros((frames, 1), np.float32), frames, 0)


def test_decibels_are_those_of_each_frame_alone():
    samples = np.random.default_rng(0).standard_normal(1600).astype(np.float32)
    frames = [samples[at : at + 400] for at in range(0, 1201, 160)]
    expected = [10 * np.log10(np.sum(frame**2) + 1e-6) for frame in frames]
    assert frame_decibels(samples, 8, length=400, shift=160) == pytest.approx(expected, rel=1e-5)
    assert frame_decibels(samples * 0, 8, length=400, shift=160) == pytest.approx([-60] * 8)


def test_frames_that_the_samples_do_not_cover_repeat_the_last():
    samples = np.ones(720, dtype=np.float32)
    samples[:160] = 0
    decibels = frame_decibels(samples, 5, length=400, shift=160)
    assert len(decibels) == 5
    assert decibels[0] < decibels[1] == decibels[2] == decibels[4]
    assert frame_decibels(samples[:9], 2, length=400, shift=160).tolist() == [-60, -60]


def test_context_around_a_chunk_is_left_out():
    audio = np.random.default_rng(1).standard_normal(200 * 160).astype(np.float32) / 4
    stream = make_stream()
    feed(stream, audio, first=0, frames=56, last=58)  # a stream begins with no context before
    feed(stream, audio, first=54, frames=60, last=118)  # two frames before and two after
    stream.is_final = True
    feed(stream, audio, first=114, frames=62, last=178)  # a stream ends with none after
    assert stream.decibel.end == 178
    whole = frame_decibels(audio, 178, length=400, shift=160)
    held = stream.decibel.read(stream.decibel.start)
    assert held.tolist() == whole[stream.decibel.start :].tolist()
    samples = stream.read_audio(100)
    assert samples.tolist() == audio[100 * 160 : 177 * 160 + 400].tolist()


def test_audio_louder_than_can_be_is_warned_of_once():
    stream = make_stream()
    loud = np.full(60 * 160, 30000, dtype=np.float32)
    with pytest.warns(RuntimeWarning, match=r"expected samples in \[-1, 1\]"):
        feed(stream, loud, 0, 20, 20)
    feed(stream, loud, 20, 20, 40)


def test_audio_that_is_not_a_number_is_warned_of():
    with pytest.warns(RuntimeWarning, match="not finite"):
        feed(make_stream(), np.full(60 * 160, np.nan, dtype=np.float32), 0, 20, 20)


chunk = st.tuples(st.integers(1, 8), st.integers(0, 4), st.integers(-12, 12))


@given(chunks=st.lists(chunk, max_size=25), asked=st.lists(st.integers(-30, 30), min_size=8))
@settings(max_examples=150, deadline=None)
def test_a_backlog_answers_as_the_originals_lists_do(chunks, asked):
    """`extend`, ``[frames:]`` and ``[t]`` on real lists, negative numbers and all."""
    file = HistoryFile()
    backlog = Backlog(file, scored=0)
    decibels: list[int] = []
    scores: list[int] = []
    appended = scored = 0
    for frames, context, dropped in chunks:
        backlog.append(np.arange(appended, appended + frames + context), frames)
        decibels += range(appended, appended + frames + context)
        scores += range(scored, scored + frames)
        appended, scored = appended + frames + context, scored + frames
        backlog.shift(dropped)
        decibels, scores = decibels[dropped:], scores[dropped:]
        for t in asked:
            try:
                expected = decibels[t], scores[t]
            except IndexError:
                expected = None
            assert backlog.resolve(t) == expected
    file.close()
