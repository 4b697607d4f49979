"""FunASR's ONNX runtime, its online VAD, behind the subject protocol. Worker only."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from leakbench.errors import SubjectError
from leakbench.subject import Samples, Segments

_ROOTS = {"stats": "vad_scorer", "frontend": "frontend", "in_cache": "in_cache"}
"""Root to the item of a stream's ``param_dict``. The detector is named ``stats`` so that paths
and budgets read as those of FunASR itself: ``stats.decibel``, ``stats.output_data_buf``."""


class OnnxSubject:
    """Drives ``Fsmn_vad_online`` as its users do, one ``param_dict`` a stream.

    Parameters
    ----------
    model
        A folder with ``model.onnx``, ``config.yaml`` and ``am.mvn``.
    generate
        What a scenario passes to FunASR's ``generate``. Settings of the detector
        (``detect_mode``, ``max_end_silence_time`` ...) replace those of ``config.yaml``.
        This runtime has no dynamic end silence, so ``dynamic_silence`` may only be False.
    fix
        Name of one of ``leakbench.fixes`` to apply to the loaded model.

    Raises
    ------
    SubjectError
        When the model cannot be loaded, or an argument means nothing to this runtime.
    """

    sample_rate = 16000

    def __init__(
        self, *, model: str, generate: Mapping[str, object] | None = None, fix: str | None = None
    ) -> None:
        from funasr_onnx import Fsmn_vad_online
        from funasr_onnx.utils.e2e_vad import VADXOptions

        settings = dict(generate or {})
        known = inspect.signature(VADXOptions.__init__).parameters.keys()
        unknown = sorted(settings.keys() - known - {"dynamic_silence"})
        if settings.pop("dynamic_silence", False):
            unknown.append("dynamic_silence = true")
        if unknown:
            raise SubjectError(
                f"generate: funasr-onnx knows nothing of {', '.join(unknown)}; "
                "expected settings of its detector"
            )
        try:
            self.model: Any = Fsmn_vad_online(model, intra_op_num_threads=1)
        except Exception as error:
            raise SubjectError(
                f"model {model}: could not be loaded: "
                f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            ) from error
        self.model.config["model_conf"].update(settings)
        self.model.max_end_sil = self.model.config["model_conf"]["max_end_silence_time"]
        if fix is not None:
            from leakbench import fixes

            fixes.apply(self.model, fix)
        self._stream: dict[str, Any] = {}
        self.start()

    def start(self) -> None:
        """Begin a stream with an empty ``param_dict``."""
        self._stream = {"in_cache": []}

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        """Return what the online VAD says of the next chunk.

        Raises
        ------
        Exception
            Whatever the runtime raises.
        """
        self._stream["is_final"] = is_final
        batch = self.model(samples, param_dict=self._stream)
        return batch[0] if batch else ()

    def roots(self) -> Mapping[str, object]:
        """Return the detector, the front end and the network's caches of the stream."""
        return {root: self._stream[item] for root, item in _ROOTS.items() if item in self._stream}

    def close(self) -> None:
        """Let go of the model and the stream."""
        self._stream = {}
        self.model = None
