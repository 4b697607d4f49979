"""What a fix holds of one stream; numpy only, shared by FunASR and the ONNX runtime."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from leakbench.fixes.buffers import HistoryFile, Track, Values
from leakbench.fixes.capacity import (
    VadOptions,
    loudest_decibel,
    require_capacity,
    required_frames,
    thresholds_decide,
)
from leakbench.fixes.strategies import Strategy

ENDED: Final = 3
"""``VadStateMachine.kVadInStateEndPointDetected``: nothing more is read of this stream."""


class BoundedStream:
    """The frames of one stream that can still be asked for, each in the strategy's buffer.

    Parameters
    ----------
    strategy
        Makes the buffers.
    vad_opts
        The model's options, from which capacity follows.
    frames_before
        Frames scored before the fix saw the stream.
    columns
        Scores kept a frame, those of ``sil_pdf_ids``; 0 where the model keeps none itself.
    keep_audio
        Whether the model has an audio buffer that its users may read.
    backlog_dtype
        Precision of the release's own decibels, kept where the original's misaligned ones
        can decide.

    Raises
    ------
    ConfigError
        When the strategy's capacity is too small for the options.
    """

    def __init__(
        self,
        strategy: Strategy,
        vad_opts: VadOptions,
        *,
        frames_before: int,
        columns: int,
        keep_audio: bool,
        backlog_dtype: npt.DTypeLike,
    ) -> None:
        required = required_frames(vad_opts)
        require_capacity(strategy.capacity, required, type(strategy).__name__)
        self._options = vad_opts
        self._keep = max(strategy.capacity or 0, required)
        self._end_silence_ms = 0.0
        self._shift = int(vad_opts.frame_in_ms * vad_opts.sample_rate / 1000)
        self._length = int(vad_opts.frame_length_ms * vad_opts.sample_rate / 1000)
        self._columns = columns
        self._decides = thresholds_decide(vad_opts)
        self._loudest = loudest_decibel(vad_opts)
        first, keep = frames_before, self._keep

        def make(values_a_frame: int, extra: int = 0) -> Track:
            return strategy.make_track(
                keep=keep * values_a_frame + extra,
                unit=values_a_frame,
                start=first * values_a_frame,
            )

        self.decibel = make(1)
        self.scores = make(columns) if columns else None
        # Besides the frames' own samples, what the last one overlaps the next by.
        self.audio = make(self._shift, extra=self._length) if keep_audio else None
        self.history = strategy.make_history()
        self.backlog: Backlog | None = None
        if self._decides and strategy.alignment == "original":
            self.backlog = Backlog(
                HistoryFile(getattr(strategy, "history_folder", None), backlog_dtype),
                frames_before,
            )
        self.warn_when_loud = not self._decides and strategy.alignment == "original"
        self.is_final = False

    @property
    def keep(self) -> int:
        """Frames held besides those of a chunk."""
        return self._keep

    def grow(self, end_silence_ms: float) -> None:
        """Hold enough frames for an end silence that a call or a schedule has lengthened."""
        if end_silence_ms <= self._end_silence_ms:
            return
        self._end_silence_ms = end_silence_ms
        required = required_frames(self._options, end_silence_ms)
        if required > self._keep:
            self._keep = required
            self.decibel.reserve(required)
            if self.scores is not None:
                self.scores.reserve(required * self._columns)
            if self.audio is not None:
                self.audio.reserve(required * self._shift + self._length)

    def take(
        self, waveform: Values, scores: npt.NDArray[np.float32] | None, frames: int, consumed: int
    ) -> None:
        """Add the frames of a chunk.

        Parameters
        ----------
        waveform
            Shape (samples,): what the front end gave the model, context included.
        scores
            Shape (frames, columns), or None where the model keeps none.
        frames
            Frames that the network scored.
        consumed
            Absolute frame before which nothing is needed any more.
        """
        first = self.decibel.end
        samples = waveform[self._context_frames(waveform, frames) * self._shift :]
        decibels = frame_decibels(samples, frames, length=self._length, shift=self._shift)
        if self.warn_when_loud and not decibels.max(initial=-np.inf) <= self._loudest:
            self.warn_when_loud = False
            warnings.warn(
                f"audio above {self._loudest:g} dB a frame, or not finite, at frame {first}: "
                "expected samples in [-1, 1]; segments may differ from the unpatched release's",
                RuntimeWarning,
                stacklevel=2,
            )
        self.decibel.append(decibels, consumed)
        if self.history is not None:
            self.history.append(decibels)
        if self.scores is not None and scores is not None:
            self.scores.append(scores.reshape(-1), consumed * self._columns)
        if self.audio is not None:
            # The first chunk brings the overlap too; a later one repeats the last chunk's.
            end = (first + frames) * self._shift + self._length - self._shift
            new = end - self.audio.end
            span = samples[: (frames - 1) * self._shift + self._length]
            self.audio.append(span[max(len(span) - new, 0) :], consumed * self._shift)

    def silence_scores(self, frame: int) -> list[float]:
        """Return the scores of an absolute frame, in the order of ``sil_pdf_ids``.

        Raises
        ------
        IndexError
            When the frame is not held.
        """
        assert self.scores is not None
        first = frame * self._columns
        return [self.scores.item(first + column) for column in range(self._columns)]

    def read_scores(self, frame: int) -> npt.NDArray[np.float32]:
        """Return the scores held from an absolute frame on, shape (frames, columns)."""
        assert self.scores is not None
        return self.scores.read(frame * self._columns).reshape(-1, self._columns)

    def read_audio(self, frame: int) -> Values:
        """Return the samples held from the start of an absolute frame on."""
        assert self.audio is not None
        return self.audio.read(frame * self._shift)

    def audio_from(self, frame: int) -> int:
        """Return the number of samples held from the start of an absolute frame on."""
        assert self.audio is not None
        return max(self.audio.end - max(frame * self._shift, self.audio.start), 0)

    def needed_from(self, machine: Any) -> int:
        """Return the absolute frame before which `machine` needs nothing any more.

        Parameters
        ----------
        machine
            What has the state: FunASR's ``Stats``, or the ONNX runtime's ``E2EVadModel``.
        """
        frames: int = machine.frm_cnt
        if machine.vad_state_machine.value == ENDED:
            return frames
        begun: int = machine.data_buf_start_frame
        return min(max(begun, frames - self._keep), frames)

    def trim(self, machine: Any) -> None:
        """Drop segments already returned and frame probabilities beyond what is held.

        The last segment stays: the machine extends it, or asks where it ended.
        """
        segments = machine.output_data_buf
        told = min(machine.output_data_buf_offset, len(segments) - 1)
        if told > 0:
            del segments[:told]
            machine.output_data_buf_offset -= told
        probabilities = machine.frame_probs
        held = self.decibel.end - self.decibel.start
        if len(probabilities) > held:
            del probabilities[:-held]

    def _context_frames(self, waveform: Values, frames: int) -> int:
        """Return the frames at the start of `waveform` that belong to the last chunk.

        The front end stacks frames around the scored one: a chunk's waveform begins as many
        frames early as its scores wait for, except at the start of a stream, where there is
        nothing earlier, and it ends late, except at its end.
        """
        available = (len(waveform) - self._length) // self._shift + 1
        surplus = max(available - frames, 0)
        if self.decibel.end == 0:
            return 0
        return surplus if self.is_final else surplus // 2


class Backlog:
    """The original's decibels as it reads them: appended with context, never realigned.

    It appends 64 for 60 frames scored, so what it reads lags ever further behind what it
    appends, and no finite buffer can hold the difference. They are kept in a memory-mapped
    file; `shift` repeats what slicing the original's list did, down to negative indices.

    Parameters
    ----------
    file
        Takes the decibels, in the precision of the release.
    scored
        Frames scored before.
    """

    def __init__(self, file: HistoryFile, scored: int) -> None:
        self._file = file
        self._first = 0  # of the original's list, in the file
        self._score_first = 0  # of the original's scores, as an absolute frame
        self._scored = scored

    def append(self, decibels: npt.ArrayLike, frames: int) -> None:
        """Add what the original appends for a chunk, of which `frames` frames were scored."""
        self._file.append(decibels)
        self._scored += frames

    def shift(self, frames: int) -> None:
        """Drop what ``decibel[frames:]`` and ``scores[:, frames:]`` drop."""
        self._first = _sliced(self._first, self._file.end, frames)
        self._score_first = _sliced(self._score_first, self._scored, frames)

    def resolve(self, t: int) -> tuple[float, int] | None:
        """Return the decibel at `t` of the original's list, and the frame of ``scores[0][t]``.

        None where the original raises IndexError, or, from 1.3.3 on, takes silence instead.
        """
        position = _picked(self._first, self._file.end, t)
        frame = _picked(self._score_first, self._scored, t)
        if position is None or frame is None:
            return None
        return self._file.item(position), frame

    def latest(self, count: int) -> list[float]:
        """Return the last `count` decibels appended."""
        values: list[float] = self._file.read(max(self._file.end - count, 0)).tolist()
        return values


def frame_decibels(samples: Values, frames: int, *, length: int, shift: int) -> Values:
    """Return ``10 log10(sum of squares + 1e-6)`` of each frame, shape (frames,).

    As releases from 1.1.13 on compute it. Frames that the samples do not cover, the last of a
    stream where the front end has padded them, repeat the last that they do.
    """
    whole = min((len(samples) - length) // shift + 1, frames)
    if whole < 1:
        return np.full(frames, -60.0, dtype=np.float32)
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    # What sliding_window_view makes, at a tenth of its cost, which is that of a short chunk.
    strides = (shift * samples.itemsize, samples.itemsize)
    windows = np.ndarray((whole, length), np.float32, samples, strides=strides)
    decibels: Values = 10 * np.log10(np.sum(np.square(windows), axis=1) + 0.000001)
    if whole < frames:
        decibels = np.concatenate((decibels, np.repeat(decibels[-1:], frames - whole)))
    return decibels.astype(np.float32, copy=False)


def original_decibels(compute: Callable[..., None], **attributes: Any) -> list[float]:
    """Return what a release's own ``ComputeDecibel`` appends, computed on a scratch object.

    Parameters
    ----------
    compute
        Called with an object that has `attributes` and an empty list ``decibel``.
    """
    scratch = _Scratch()
    scratch.__dict__.update(attributes, decibel=[])
    compute(scratch)
    values: list[float] = scratch.__dict__["decibel"]
    return values


class _Scratch:
    """An object with whatever attributes it is given."""


def _sliced(first: int, end: int, by: int) -> int:
    return min(first + by, end) if by >= 0 else max(first, end + by)


def _picked(first: int, end: int, index: int) -> int | None:
    position = first + index if index >= 0 else end + index
    return position if first <= position < end else None
