"""The feature stand-in against the fall-back that newer releases bring themselves."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from leakbench.errors import ProvisionError
from leakbench.funasr import features
from leakbench.subject.environments import install_target

OPTIONS = {
    "num_mel_bins": 80,
    "frame_length": 25,
    "frame_shift": 10,
    "dither": 0.0,
    "energy_floor": 0.0,
    "window_type": "hamming",
    "sample_frequency": 16000,
    "snip_edges": True,
}
"""As FunASR's streaming front end passes them."""


@pytest.mark.parametrize("samples", [0, 399, 400, 960 + 240, 9600 + 240])
def test_features_equal_those_of_a_release_that_needs_no_stand_in(
    samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    try:
        folder = install_target("funasr==1.4.16")
    except ProvisionError as error:
        pytest.skip(str(error))
    monkeypatch.setitem(sys.modules, "torchaudio", None)
    spec = importlib.util.spec_from_file_location("fallback", folder / "funasr/utils/fbank.py")
    assert spec is not None
    assert spec.loader is not None
    fallback = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fallback)

    sound = np.random.default_rng(samples).standard_normal((1, samples)) * 3000
    waveform = torch.from_numpy(sound.astype(np.float32))
    expected = fallback.fbank(waveform, **OPTIONS)
    got = features.fbank(waveform, **OPTIONS)
    assert got.dtype == torch.float32
    assert got.shape == expected.shape
    assert torch.equal(got, expected)


def test_an_option_that_is_not_passed_on_is_refused() -> None:
    import torch

    with pytest.raises(TypeError, match="vtln_warp"):
        features.fbank(torch.zeros(1, 400), vtln_warp=1.1)  # type: ignore[call-arg]


def test_the_stand_in_is_what_is_imported_and_holds_nothing_from_call_to_call() -> None:
    # In a process of its own: it replaces modules, and the heap must be quiet.
    code = """
import ctypes, gc, importlib.util, sys
import torch
from leakbench.funasr.features import install_stand_in
install_stand_in()
import torchaudio.compliance.kaldi as kaldi
assert importlib.util.find_spec("torchaudio") is not None
fields = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
Info = type("Info", (ctypes.Structure,), {"_fields_": [(n, ctypes.c_size_t) for n in fields]})
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
sound = torch.randn(1, 9840) * 3000
def heap_after(calls):
    for _ in range(calls):
        kaldi.fbank(sound, num_mel_bins=80, window_type="hamming")
    gc.collect()
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd
heap_after(50)
before = heap_after(50)
print(heap_after(500) - before)
"""
    root = Path(__file__).parents[2]
    grown = subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True)
    assert int(grown) < 500  # less than a byte a call; a frame of features is 320
