"""One feature extractor for every FunASR release: a stand-in for ``torchaudio.compliance.kaldi``.

Releases before 1.3.17 import that module without declaring it, later ones use it where it is
found; and torchaudio's wheels do not import beside every torch. The stand-in computes the same
features with kaldi-native-fbank, the library newer releases fall back to. It is used even
where a real torchaudio is installed: two releases are compared on the same features or not at
all.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_NAMES = ("torchaudio", "torchaudio.compliance", "torchaudio.compliance.kaldi")


def install_stand_in() -> None:
    """Put the stand-in where ``import torchaudio.compliance.kaldi`` finds it.

    Call before FunASR is imported. Nothing else of torchaudio is there: FunASR asks it only
    to decode files, and subjects are fed samples.
    """
    modules = [ModuleType(name, "leakbench's stand-in: compliance.kaldi.fbank") for name in _NAMES]
    for module in modules:
        # Libraries ask importlib whether torchaudio is installed, which fails without a spec.
        module.__spec__ = ModuleSpec(module.__name__, None, is_package=True)
        module.__path__ = []
    package, compliance, kaldi = modules
    package.compliance = compliance  # type: ignore[attr-defined]
    compliance.kaldi = kaldi  # type: ignore[attr-defined]
    kaldi.fbank = fbank  # type: ignore[attr-defined]
    sys.modules.update({module.__name__: module for module in modules})


def fbank(
    waveform: torch.Tensor,
    *,
    num_mel_bins: int = 23,
    frame_length: float = 25.0,
    frame_shift: float = 10.0,
    dither: float = 0.0,
    energy_floor: float = 1.0,
    window_type: str = "povey",
    sample_frequency: float = 16000.0,
    snip_edges: bool = True,
) -> torch.Tensor:
    """Compute log-mel energies as Kaldi does.

    The parameters are those FunASR's front ends pass, with torchaudio's defaults; any other
    is an error rather than ignored.

    Parameters
    ----------
    waveform
        float32, shape (1, samples), scaled as 16-bit integers.

    Returns
    -------
    float32, shape (frames, num_mel_bins).
    """
    import kaldi_native_fbank
    import numpy as np
    import torch

    options: Any = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = float(sample_frequency)
    options.frame_opts.frame_length_ms = float(frame_length)
    options.frame_opts.frame_shift_ms = float(frame_shift)
    options.frame_opts.dither = float(dither)
    options.frame_opts.snip_edges = bool(snip_edges)
    options.frame_opts.window_type = window_type
    options.mel_opts.num_bins = int(num_mel_bins)
    options.energy_floor = float(energy_floor)
    extractor = kaldi_native_fbank.OnlineFbank(options)
    extractor.accept_waveform(int(sample_frequency), waveform[0].numpy())
    extractor.input_finished()
    frames = np.empty((extractor.num_frames_ready, num_mel_bins), dtype=np.float32)
    for index in range(len(frames)):
        frames[index] = extractor.get_frame(index)
    return torch.from_numpy(frames)
