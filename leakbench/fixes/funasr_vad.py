"""The fixes bound to FunASR's FSMN-VAD, releases 1.1.12 to 1.3.14.

The state machine is the release's own. Replaced is only where it puts and takes frames:
what it appends to without end goes into the stream's bounded buffers, and after each chunk
the cache shows what releases from 1.3.15 on would show.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leakbench.fixes.strategies import Strategy
from leakbench.fixes.stream import BoundedStream, original_decibels


@dataclass(frozen=True, slots=True, kw_only=True)
class FunasrFix:
    """What a patched model knows of its fix."""

    name: str
    strategy: Strategy
    single_precision: bool
    """Whether the release takes the complement of a score in float32, as 1.1.12 does."""


if TYPE_CHECKING:
    _Release = Any
else:
    _Release = object


class BoundedFsmnVad(_Release):  # type: ignore[misc]
    """Methods that go in front of ``FsmnVADStreaming``'s."""

    _leakbench_fix: FunasrFix

    def forward(
        self, feats: Any, waveform: Any, cache: Any = None, is_final: bool = False, **kwargs: Any
    ) -> Any:
        """Score a chunk and return its segments; afterwards show what is held."""
        if feats.numel() == 0:
            # Too short for one scored frame: the originals raise, 1.3.15 returns this.
            return []
        stats = cache["stats"]
        stream = self._stream(stats)
        stream.is_final = is_final
        stream.grow(stats.max_end_sil_frame_cnt_thresh)
        segments = super().forward(feats, waveform, cache=cache, is_final=is_final, **kwargs)
        stream.trim(stats)
        self._show(stats, stream)
        return segments

    def ComputeDecibel(self, cache: Any = None) -> None:  # noqa: N802
        """Leave the work to `ComputeScores`, where the number of frames is known."""

    def ComputeScores(self, feats: Any, cache: Any = None) -> None:  # noqa: N802
        """Run the network and put the chunk's frames into the buffers."""
        stats = cache["stats"]
        stream = self._stream(stats)
        consumed = stream.needed_from(stats)
        if stream.backlog is not None:
            decibels = original_decibels(
                lambda scratch: super(BoundedFsmnVad, self).ComputeDecibel(
                    cache={"stats": scratch}
                ),
                waveform=stats.waveform,
                data_buf_all=None,
            )
            stream.backlog.append(decibels, feats.shape[1])
        stats.scores = None
        super().ComputeScores(feats, cache=cache)
        scores = stats.scores[0].detach().cpu().numpy()
        stream.take(
            stats.waveform[0].detach().cpu().numpy(),
            scores[:, list(stats.sil_pdf_ids)],
            feats.shape[1],
            consumed,
        )
        # Until the chunk is done only the length of this is asked for, and it costs nothing.
        stats.data_buf = stats.waveform.new_empty(1).expand(stream.audio_from(consumed))

    def ResetDetection(self, cache: Any = None) -> None:  # noqa: N802
        """Reset after a segment; what the original slices off here is gone already."""
        stats = cache["stats"]
        before = stats.last_drop_frames
        super().ResetDetection(cache=cache)
        backlog = self._stream(stats).backlog
        if backlog is not None:
            backlog.shift(stats.last_drop_frames - before)

    def PopDataBufTillFrame(self, frame_idx: int, cache: Any = None) -> None:  # noqa: N802
        """Consume the frames before `frame_idx`.

        The original counts up one by one, and for ever once its buffer is short.
        """
        stats = cache["stats"]
        stats.data_buf_start_frame = max(stats.data_buf_start_frame, frame_idx)

    def GetFrameState(self, t: int, cache: Any = None) -> Any:  # noqa: N802
        """Return whether a frame is speech, as the release decides it.

        `t` counts from ``last_drop_frames``, as the release calls it.
        """
        stats, options, fix = cache["stats"], self.vad_opts, self._leakbench_fix
        module = sys.modules[type(self).__module__]
        states = module.FrameState
        stream: BoundedStream = stats.bounded
        frame = t + stats.last_drop_frames
        if stream.backlog is None:
            decibel = stream.decibel.item(frame)
            if decibel < options.decibel_thres:
                return states.kFrameStateSil
        else:
            found = stream.backlog.resolve(t)
            if found is None:
                return states.kFrameStateSil
            decibel, frame = found
            if decibel < options.decibel_thres:
                # The release runs its machine on such a frame here and once more when this
                # returns, and here by the wrong index; removed in 1.3.15.
                self.DetectOneFrame(states.kFrameStateSil, t, False, cache=cache)
                return states.kFrameStateSil
        assert len(stats.sil_pdf_ids) == options.silence_pdf_num
        try:
            scores = stream.silence_scores(frame)
        except IndexError:
            # Only where the release's own index has run off its scores, and it raises.
            return states.kFrameStateSil
        silence, score = _complement(scores, fix.single_precision)
        noise_prob = math.log(silence) * options.speech_2_noise_ratio
        speech_prob = math.log(score)
        if options.output_frame_probs:
            probability = module.E2EVadFrameProb()
            probability.noise_prob = noise_prob
            probability.speech_prob = speech_prob
            probability.score = score
            probability.frame_id = t
            stats.frame_probs.append(probability)
        snr = decibel - stats.noise_average_decibel
        if math.exp(speech_prob) >= math.exp(noise_prob) + stats.speech_noise_thres:
            if snr >= options.snr_thres and decibel >= options.decibel_thres:
                return states.kFrameStateSpeech
            return states.kFrameStateSil
        if stats.noise_average_decibel < -99.9:
            stats.noise_average_decibel = decibel
        else:
            frames = options.noise_frame_num_used_for_snr
            stats.noise_average_decibel = (
                decibel + stats.noise_average_decibel * (frames - 1)
            ) / frames
        return states.kFrameStateSil

    def _stream(self, stats: Any) -> BoundedStream:
        """Return the stream of `stats`, begun here where it is new to the fix."""
        stream: BoundedStream | None = getattr(stats, "bounded", None)
        if stream is None:
            fix = self._leakbench_fix
            stream = BoundedStream(
                fix.strategy,
                self.vad_opts,
                frames_before=stats.frm_cnt,
                columns=len(stats.sil_pdf_ids),
                keep_audio=True,
                backlog_dtype=np.float64 if fix.single_precision else np.float32,
            )
            stats.bounded = stream
        return stream

    def _show(self, stats: Any, stream: BoundedStream) -> None:
        """Let the cache show the frames not yet consumed, as 1.3.15 holds them."""
        import torch

        first = stream.needed_from(stats)
        if stream.backlog is None:
            stats.decibel = stream.decibel.read(first).tolist()
            stats.last_drop_frames = first
        else:
            stats.decibel = stream.backlog.latest(stats.frm_cnt - first)
        stats.scores = torch.from_numpy(stream.read_scores(first)[np.newaxis])
        stats.data_buf = stats.data_buf_all = torch.from_numpy(stream.read_audio(first))


def _complement(scores: list[float], single_precision: bool) -> tuple[float, float]:
    """Return the sum of the silence scores and what is left to 1."""
    if single_precision:
        silence = np.float32(0)
        for each in scores:
            silence += np.float32(each)
        return float(silence), float(np.float32(1) - silence)
    total = sum(scores)
    return total, 1.0 - total
