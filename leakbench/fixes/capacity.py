"""How many frames a fix has to hold, from the model's own configuration."""

from __future__ import annotations

import math
from typing import Final, Protocol

from leakbench.errors import ConfigError

DECIBEL_FLOOR: Final = -60.0
"""The least decibel a frame can have: the models add 1e-6 to its energy, 10 log10(1e-6)."""


class VadOptions(Protocol):
    """What is read of FunASR's ``VADXOptions``; the ONNX runtime's has the same fields."""

    sample_rate: int
    frame_in_ms: int
    frame_length_ms: int
    window_size_ms: int
    do_extend: int
    lookback_time_start_point: int
    max_end_silence_time: int
    speech_to_sil_time_thres: int
    max_single_segment_time: int
    decibel_thres: float
    snr_thres: float


def required_frames(vad_opts: VadOptions, end_silence_ms: float | None = None) -> int:
    """Return the most frames that can be scored but not yet consumed, between two chunks.

    A frame is consumed once it is given to a segment or to silence
    (``data_buf_start_frame`` has passed it). With times divided by ``frame_in_ms``::

        waiting  = window_size + look-back          (look-back only with do_extend)
        trailing = min(end silence, longest segment + 1)
        required = max(waiting, trailing) + 1

    Before a start point, silence is consumed up to `waiting` frames behind the newest, since
    a start may still be dated back that far. Inside a segment every frame of speech is
    consumed at once, and trailing silence only when the segment ends: after the end silence,
    or at the segment limit (60 s as published).

    Parameters
    ----------
    vad_opts
        The model's ``vad_opts``.
    end_silence_ms
        Silence that ends a segment, where a call overrides the configured
        ``max_end_silence_time - speech_to_sil_time_thres``.
    """
    shift = vad_opts.frame_in_ms
    if end_silence_ms is None:
        end_silence_ms = vad_opts.max_end_silence_time - vad_opts.speech_to_sil_time_thres
    look_back = int(vad_opts.lookback_time_start_point / shift) if vad_opts.do_extend else 0
    waiting = int(vad_opts.window_size_ms / shift) + look_back
    longest_segment = int(vad_opts.max_single_segment_time / shift)
    trailing = min(math.ceil(max(end_silence_ms, 0) / shift), longest_segment + 1)
    return max(waiting, trailing) + 1


def require_capacity(capacity: int | None, required: int, fix: str) -> None:
    """Refuse a capacity too small to be correct; None stands for what is required.

    Raises
    ------
    ConfigError
        Naming the capacity that would do.
    """
    if capacity is not None and capacity < required:
        raise ConfigError(
            f"{fix}: capacity must be at least {required} frames for this model's look-back, "
            f"window and end silence; got {capacity}"
        )


def thresholds_decide(vad_opts: VadOptions) -> bool:
    """Return whether a frame's decibel can change a decision, for samples in [-1, 1].

    A frame's decibel lies between -60 and ``10 log10(samples a frame)``, and the noise
    average between the same bounds (or at its start, -100); so thresholds below those bounds,
    as the published -100 for both, never decide.
    """
    samples = vad_opts.frame_length_ms * vad_opts.sample_rate / 1000
    ceiling = 10 * math.log10(samples + 1e-6)
    # One decibel of room for single precision.
    return (
        vad_opts.decibel_thres > DECIBEL_FLOOR - 1
        or vad_opts.snr_thres > DECIBEL_FLOOR - ceiling - 1
    )


def loudest_decibel(vad_opts: VadOptions) -> float:
    """Return the decibel above which ``snr_thres`` could decide after all."""
    return DECIBEL_FLOOR - vad_opts.snr_thres
