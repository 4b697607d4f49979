"""The embedded model: an FSMN of the published shape whose weights are set by hand.

It is an energy detector. Every unit of a layer carries the same number, so that each layer
does the multiply-adds of the published network (400 -> 140 -> 250 -> four memory blocks of
128 -> 140 -> 248) and none can be skipped:

=============  ====================================================================
layer          what its units carry
=============  ====================================================================
in_linear1     e, the mean log-mel energy of the voice bands over five frames
in_linear2     half of them e - FLOOR, the others e - CEILING; then rectified
fsmn 0 linear  s = first half less second half: e clipped to [FLOOR, CEILING], less FLOOR
fsmn 0 to 3    s, smoothed over past frames by the memory taps, gain 1
out_linear     log P(silence) against log P(anything else), by GAIN (s - THRESHOLD)
=============  ====================================================================

Clipping bounds P(silence) to 0.0002 .. 0.99, where FunASR takes logarithms of it and of its
complement; it also keeps digital silence, 25 nats below any noise, from outweighing in the
smoothing what follows it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from leakbench.subject.environments import cache_folder, make_folder

Weights: TypeAlias = Mapping[str, npt.NDArray[np.float32]]
"""Parameter name to value, as the network's ``state_dict`` names them."""

MELS: Final = 80
FRAMES: Final = 5
"""Frames stacked into one input, the one scored in the middle."""
INPUT, AFFINE, LINEAR, PROJECTION, TAPS, LAYERS, OUTPUT = MELS * FRAMES, 140, 250, 128, 20, 4, 248

VOICE_BANDS: Final = slice(5, 40)
"""Mel bands from 190 Hz to 1.9 kHz. Most of a voice is there, and little of white noise,
whose log-mel energy rises with the width of the bands."""
THRESHOLD: Final = 10.8
"""Nats of 16-bit sample power. White noise at -60 dBFS averages 9.4 and peaks at 10.1 in these
bands; of the frames that the published checkpoint calls speech in real recordings nine in
ten are above."""
FLOOR: Final = 8.0
CEILING: Final = 14.0
"""About 3 nats (13 dB) on either side of the threshold: what is farther away says no more."""
GAIN: Final = 2.0
"""Log odds a nat."""
DECAY: Final = 0.6
"""Ratio of one memory tap to the next; four blocks of it delay by 4.3 frames, 43 ms."""
CROSSING: Final = 0.2
"""P(silence) at the threshold: FunASR calls a frame speech where P(speech) exceeds P(silence)
by ``speech_noise_thres``, 0.6."""

_CONFIG: Final = f"""\
frontend: WavFrontendOnline
frontend_conf: {{fs: 16000, window: hamming, n_mels: {MELS}, frame_length: 25, frame_shift: 10,
                dither: 0.0, lfr_m: {FRAMES}, lfr_n: 1}}
model: FsmnVADStreaming
model_conf: {{sample_rate: 16000, detect_mode: 1, snr_mode: 0, max_end_silence_time: 800,
             max_start_silence_time: 3000, do_start_point_detection: true,
             do_end_point_detection: true, window_size_ms: 200, sil_to_speech_time_thres: 150,
             speech_to_sil_time_thres: 150, speech_2_noise_ratio: 1.0, do_extend: 1,
             lookback_time_start_point: 200, lookahead_time_end_point: 100,
             max_single_segment_time: 60000, snr_thres: -100.0, noise_frame_num_used_for_snr: 100,
             decibel_thres: -100.0, speech_noise_thres: 0.6, fe_prior_thres: 0.0001,
             silence_pdf_num: 1, sil_pdf_ids: [0], speech_noise_thresh_low: -0.1,
             speech_noise_thresh_high: 0.3, output_frame_probs: false, frame_in_ms: 10,
             frame_length_ms: 25}}
encoder: FSMN
encoder_conf: {{input_dim: {INPUT}, input_affine_dim: {AFFINE}, fsmn_layers: {LAYERS},
               linear_dim: {LINEAR}, proj_dim: {PROJECTION}, lorder: {TAPS}, rorder: 0, lstride: 1,
               rstride: 0, output_affine_dim: {AFFINE}, output_dim: {OUTPUT}}}
"""
"""The published model's settings."""
_CONFIGURATION: Final = """\
{"framework": "pytorch", "task": "voice-activity-detection", "model": {"type": "funasr"},
 "file_path_metas": {"init_param": "model.pt", "config": "config.yaml",
                     "frontend_conf": {"cmvn_file": "am.mvn"}}}
"""
_ROW: Final = "<LearnRateCoef> 0 [ {} ]"
_CMVN: Final = f"""\
<Nnet>
<Splice> {INPUT} {INPUT}
[ 0 ]
<AddShift> {INPUT} {INPUT}
{_ROW.format(" ".join(["0.0"] * INPUT))}
<Rescale> {INPUT} {INPUT}
{_ROW.format(" ".join(["1.0"] * INPUT))}
</Nnet>
"""
"""Normalisation that changes nothing, so that the front end does the published one's work."""


def compute_weights() -> Weights:
    """Return every parameter of the network, float32, in the order of its layers."""
    bands = np.zeros((FRAMES, MELS))
    bands[:, VOICE_BANDS] = 1.0
    bands /= bands.sum()
    weights = {
        "in_linear1.linear.weight": np.tile(bands.reshape(1, INPUT), (AFFINE, 1)),
        "in_linear1.linear.bias": np.zeros(AFFINE),
        "in_linear2.linear.weight": np.full((LINEAR, AFFINE), 1 / AFFINE),
        "in_linear2.linear.bias": np.repeat([-FLOOR, -CEILING], LINEAR // 2),
    }
    memory = DECAY ** np.arange(TAPS - 1, -1, -1)
    for layer in range(LAYERS):
        # The first block subtracts what is above the ceiling; the others take a mean.
        signs = np.repeat([2.0, -2.0], LINEAR // 2) if layer == 0 else np.ones(LINEAR)
        # A memory block adds its input to the sum of the taps; what follows scales that to 1.
        gain = 1 + memory.sum()
        weights |= {
            f"fsmn.{layer}.linear.linear.weight": np.tile(signs / LINEAR, (PROJECTION, 1)),
            f"fsmn.{layer}.fsmn_block.conv_left.weight": np.tile(
                memory.reshape(1, 1, TAPS, 1), (PROJECTION, 1, 1, 1)
            ),
            f"fsmn.{layer}.affine.linear.weight": np.full(
                (LINEAR, PROJECTION), 1 / PROJECTION / gain
            ),
            f"fsmn.{layer}.affine.linear.bias": np.zeros(LINEAR),
        }
    # P(silence) = 1 / (1 + (OUTPUT - 1) exp(other - silence)), CROSSING at the threshold.
    odds = np.log(1 / CROSSING - 1) - np.log(OUTPUT - 1)
    silence = np.arange(OUTPUT) == 0
    weights |= {
        "out_linear1.linear.weight": np.full((AFFINE, LINEAR), 1 / LINEAR),
        "out_linear1.linear.bias": np.full(AFFINE, FLOOR - THRESHOLD),
        "out_linear2.linear.weight": np.tile(
            np.where(silence, -GAIN / 2, GAIN / 2)[:, None] / AFFINE, (1, AFFINE)
        ),
        "out_linear2.linear.bias": np.where(silence, 0.0, odds),
    }
    return {f"encoder.{name}": value.astype(np.float32) for name, value in weights.items()}


def write_model(folder: Path) -> None:
    """Write the model folder that ``AutoModel(model=folder)`` loads into an existing `folder`."""
    import torch

    write_settings(folder)
    parameters = {name: torch.from_numpy(value) for name, value in compute_weights().items()}
    torch.save(parameters, folder / "model.pt")


def write_settings(folder: Path) -> None:
    """Write what every runtime reads beside the weights: ``config.yaml`` and ``am.mvn``."""
    (folder / "config.yaml").write_text(_CONFIG, encoding="utf-8")
    (folder / "configuration.json").write_text(_CONFIGURATION, encoding="utf-8")
    (folder / "am.mvn").write_text(_CMVN, encoding="utf-8")


def cached_model(write: Callable[[Path], None] = write_model, *, kind: str = "torch") -> Path:
    """Return the model folder in the user's cache, written where it is not there yet.

    Parameters
    ----------
    write
        Fills an existing folder.
    kind
        Tells what `write` writes from what others do.

    Raises
    ------
    ProvisionError
        When the cache cannot be written.
    """
    digest = hashlib.sha256((_CONFIG + _CONFIGURATION + _CMVN).encode())
    for value in compute_weights().values():
        digest.update(value.tobytes())
    folder = cache_folder() / "models" / f"embedded-{kind}-{digest.hexdigest()[:12]}"
    return make_folder(folder, write)
