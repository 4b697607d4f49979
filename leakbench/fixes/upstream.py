"""What upstream's fix left growing, for FunASR 1.3.15 and later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leakbench.fixes.capacity import required_frames
from leakbench.fixes.stream import ENDED

if TYPE_CHECKING:
    _Release = Any
else:
    _Release = object


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamFix:
    """What a patched model knows of its fix."""

    name: str


class TrimmedFsmnVad(_Release):  # type: ignore[misc]
    """A method that goes in front of ``FsmnVADStreaming``'s."""

    _leakbench_fix: UpstreamFix

    def forward(
        self, feats: Any, waveform: Any, cache: Any = None, is_final: bool = False, **kwargs: Any
    ) -> Any:
        """Score a chunk and return its segments; then drop what nothing reads any more.

        Segments already returned, but for the last; frame probabilities older than a chunk
        and what can be unconsumed; and, once a single utterance has ended, its frames.
        """
        segments = super().forward(feats, waveform, cache=cache, is_final=is_final, **kwargs)
        stats = cache["stats"]
        told = min(stats.output_data_buf_offset, len(stats.output_data_buf) - 1)
        if told > 0:
            del stats.output_data_buf[:told]
            stats.output_data_buf_offset -= told
        held = required_frames(self.vad_opts) + self.vad_opts.nn_eval_block_size
        if len(stats.frame_probs) > held:
            del stats.frame_probs[:-held]
        if stats.vad_state_machine.value == ENDED:
            self.DropCachedFrames(stats.frm_cnt, cache=cache)
        return segments
