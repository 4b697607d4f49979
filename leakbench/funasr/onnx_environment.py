"""The interpreter that FunASR's ONNX runtime needs for itself, and the embedded model for it.

``funasr-onnx`` pins numpy below 2, so it cannot live beside what the other subjects use.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from leakbench.errors import ProvisionError
from leakbench.funasr import embedded, onnx_model
from leakbench.subject.environments import make_venv

REQUIREMENTS: Final = (
    # What funasr-onnx imports. librosa and onnxruntime come without their dependencies:
    # librosa loads its parts when they are first used, and the VAD uses none.
    "numpy==1.26.4",
    "onnxruntime==1.31.1",
    "kaldi-native-fbank==1.23.0",
    "PyYAML==6.0.3",
    "jieba==0.42.1",
    "sentencepiece==0.2.3",
    "librosa==0.11.0",
    "lazy_loader==0.6",
    # What writes the embedded model.
    "onnx==1.23.2",
    "ml_dtypes==0.6.0",
    "protobuf==7.36.2",
    "typing_extensions==4.16.0",
    # What a worker needs: always, and for scenarios of recordings.
    "psutil==7.2.2",
    "soundfile==0.14.0",
    "cffi==2.1.1",
    "pycparser==3.12",
    "soxr==1.1.0",
)


_REPORTED: Final = ("numpy", "onnxruntime", "kaldi-native-fbank")


def versions() -> Mapping[str, str]:
    """Return the versions that decide what the runtime computes."""
    pins = dict(requirement.split("==") for requirement in REQUIREMENTS)
    return {name: pins[name] for name in _REPORTED}


def make_interpreter(release: str) -> Path:
    """Return an interpreter that has ``funasr-onnx==release``.

    Raises
    ------
    ProvisionError
        As for `leakbench.subject.environments.make_venv`.
    """
    wanted = f"funasr-onnx=={release}"
    return make_venv(wanted, [wanted, "--no-deps", *REQUIREMENTS])


def embedded_model(python: Path) -> Path:
    """Return the folder of the embedded model as ``Fsmn_vad_online`` loads it.

    Parameters
    ----------
    python
        An interpreter made by `make_interpreter`; it writes the model where it is not there.

    Raises
    ------
    ProvisionError
        When the model cannot be written.
    """

    def write(folder: Path) -> None:
        embedded.write_settings(folder)
        weights = folder / "weights.npz"
        np.savez(weights, **embedded.compute_weights())  # type: ignore[arg-type]
        # Isolated: nothing of this interpreter's packages or of this folder is in its way.
        command = [str(python), "-I", onnx_model.__file__, str(weights), str(folder / "model.onnx")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise ProvisionError(f"the embedded ONNX model could not be written: {reason}")
        weights.unlink()

    return embedded.cached_model(write, kind="onnx")
