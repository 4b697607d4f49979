"""The fixes bound to the ONNX runtime's online VAD, ``funasr-onnx``.

It keeps sizes instead of audio and only the last chunk's scores; what grows is ``decibel``
and ``output_data_buf``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leakbench.fixes import patching
from leakbench.fixes.buffers import Track
from leakbench.fixes.strategies import Strategy
from leakbench.fixes.stream import BoundedStream, original_decibels


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxFix:
    """What a patched model knows of its fix."""

    name: str
    strategy: Strategy


if TYPE_CHECKING:
    _Release = Any
else:
    _Release = object


class FrameDecibels:
    """A track read as the release reads its list: by absolute frame."""

    def __init__(self, track: Track) -> None:
        self._track = track

    def __getitem__(self, frame: int) -> float:
        return self._track.item(frame)

    def __len__(self) -> int:
        return self._track.end - self._track.start


class BoundedE2EVad(_Release):  # type: ignore[misc]
    """Methods that go in front of ``E2EVadModel``'s."""

    _leakbench_fix: OnnxFix
    bounded: BoundedStream
    data_buf_start_frame: int
    data_buf_all_size: int
    decibel: FrameDecibels | dict[int, float]

    def __call__(
        self,
        score: Any,
        waveform: Any,
        is_final: bool = False,
        max_end_sil: int = 800,
        online: bool = False,
    ) -> Any:
        """Take the scores of a chunk and return its segments."""
        stream = self._stream()
        stream.is_final = is_final
        stream.grow(max_end_sil - self.vad_opts.speech_to_sil_time_thres)
        segments = super().__call__(
            score, waveform, is_final=is_final, max_end_sil=max_end_sil, online=online
        )
        stream.trim(self)
        return segments

    def AllResetDetection(self) -> None:  # noqa: N802
        """Begin a new stream."""
        super().AllResetDetection()
        self.__dict__.pop("bounded", None)

    def ComputeDecibel(self) -> None:  # noqa: N802
        """Count the samples; decibels follow in `ComputeScores`, with the number of frames."""
        samples = len(self.waveform[0])
        if self.data_buf_all_size == 0:
            self.data_buf_size = samples
        self.data_buf_all_size += samples

    def ComputeScores(self, scores: Any) -> None:  # noqa: N802
        """Take the scores and put the decibels of their frames into the buffer."""
        stream = self._stream()
        consumed = stream.needed_from(self)
        if stream.backlog is not None:
            decibels = original_decibels(
                super().ComputeDecibel.__func__,
                vad_opts=self.vad_opts,
                waveform=self.waveform,
                data_buf_all_size=0,
            )
            stream.backlog.append(decibels, scores.shape[1])
        super().ComputeScores(scores)
        stream.take(self.waveform[0], None, scores.shape[1], consumed)

    def PopDataBufTillFrame(self, frame_idx: int) -> None:  # noqa: N802
        """Consume the frames before `frame_idx`.

        The original counts up one by one, and for ever once its buffer is short.
        """
        if self.data_buf_start_frame < frame_idx:
            shift = int(self.vad_opts.frame_in_ms * self.vad_opts.sample_rate / 1000)
            self.data_buf_start_frame = frame_idx
            self.data_buf_size = self.data_buf_all_size - frame_idx * shift

    def GetFrameState(self, t: int) -> Any:  # noqa: N802
        """Return whether the absolute frame `t` is speech, as the release decides it."""
        stream = self.bounded
        silence = sys.modules[type(self).__module__].FrameState.kFrameStateSil
        if stream.backlog is None:
            if stream.decibel.item(t) < self.vad_opts.decibel_thres:
                return silence
        else:
            found = stream.backlog.resolve(t)
            if found is None:
                return silence
            # The release reads its list once; give it one that has this value at `t`.
            self.decibel = {t: found[0]}
        return super().GetFrameState(t)

    def _stream(self) -> BoundedStream:
        stream: BoundedStream | None = self.__dict__.get("bounded")
        if stream is None:
            stream = BoundedStream(
                self._leakbench_fix.strategy,
                self.vad_opts,
                frames_before=self.frm_cnt,
                columns=0,
                keep_audio=False,
                backlog_dtype=np.float64,
            )
            self.bounded = stream
            self.decibel = FrameDecibels(stream.decibel)
        return stream


class BoundedOnlineVad(_Release):  # type: ignore[misc]
    """A method that goes in front of ``Fsmn_vad_online``'s."""

    _leakbench_fix: OnnxFix

    def __call__(self, audio_in: Any, **kwargs: Any) -> Any:
        """Take a chunk of a stream, whose state machine is patched at its first."""
        stream = kwargs.get("param_dict")
        if stream is None:
            return super().__call__(audio_in, **kwargs)
        module = sys.modules[type(self).__module__]
        machine = stream.get("vad_scorer")
        if machine is None:
            machine = module.E2EVadModel(self.config["model_conf"])
            stream["vad_scorer"] = machine
        if not patching.is_patched(machine):
            patching.put_in(machine, BoundedE2EVad, self._leakbench_fix)
        if "frontend" not in stream:
            stream["frontend"] = module.WavFrontendOnline(
                cmvn_file=self.cmvn_file, **self.config["frontend_conf"]
            )
        try:
            return super().__call__(audio_in, **kwargs)
        except UnboundLocalError:
            # A chunk too short for one scored frame: the release stumbles over it after
            # its front end has taken the samples, and there are no segments to return.
            return []
