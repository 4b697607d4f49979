"""FunASR's streaming VAD behind the subject protocol. Imported in the worker only."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from leakbench.errors import SubjectError
from leakbench.funasr import embedded, features
from leakbench.subject import Samples, Segments

EMBEDDED = "embedded"

# Settings of the detector that `generate` reads by itself, though the detector has them too.
_READ_BY_GENERATE = frozenset({"max_end_silence_time"})


class FunasrSubject:
    """Drives ``AutoModel.generate`` as FunASR's users do, one cache a stream.

    Parameters
    ----------
    model
        ``embedded``, a FunASR model folder, or a name on FunASR's hub.
    chunk_ms
        Passed to ``generate`` as ``chunk_size``; every chunk fed must be as long.
    generate
        Further keyword arguments of ``generate``. Those that only the detector's constructor
        reads (``detect_mode``, ``output_frame_probs``, ``decibel_thres`` ...) go to
        ``AutoModel``: ``generate`` takes them too, and ignores them.
    fix
        Name of one of ``leakbench.fixes`` to apply to the loaded model.

    Raises
    ------
    SubjectError
        When FunASR cannot load the model.
    """

    sample_rate = 16000

    def __init__(
        self,
        *,
        model: str = EMBEDDED,
        chunk_ms: int = 600,
        generate: Mapping[str, object] | None = None,
        fix: str | None = None,
    ) -> None:
        features.install_stand_in()
        import torch
        from funasr import AutoModel
        from funasr.models.fsmn_vad_streaming.model import VADXOptions

        torch.set_num_threads(1)
        options = dict(generate or {})
        detector = set(inspect.signature(VADXOptions.__init__).parameters) - _READ_BY_GENERATE
        settings = {name: options.pop(name) for name in detector & options.keys()}
        source = str(embedded.cached_model()) if model == EMBEDDED else model
        try:
            self.model: Any = AutoModel(
                model=source,
                disable_update=True,
                disable_pbar=True,
                log_level="ERROR",
                device="cpu",
                ncpu=1,
                **settings,
            )
        except Exception as error:
            raise SubjectError(_describe_failure(model, source, error)) from error
        if fix is not None:
            from leakbench import fixes

            fixes.apply(self.model, fix)
        self._options = {**options, "chunk_size": chunk_ms}
        self._cache: dict[str, object] = {}

    def start(self) -> None:
        """Begin a stream with an empty cache."""
        self._cache = {}

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        """Return what ``generate`` says of the next chunk.

        Raises
        ------
        Exception
            Whatever FunASR raises.
        """
        result = self.model.generate(
            input=samples, cache=self._cache, is_final=is_final, **self._options
        )
        return cast(Segments, result[0]["value"])

    def roots(self) -> Mapping[str, object]:
        """Return the items of the stream's cache."""
        return self._cache

    def close(self) -> None:
        """Let go of the model and the stream."""
        self._cache = {}
        self.model = None


def _describe_failure(model: str, source: str, error: Exception) -> str:
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
    if Path(source).is_dir():
        return f"model {model}: could not be loaded: {said}"
    # FunASR prints why a download failed, and goes on until it misses the model.
    return (
        f"model {model}: not a folder, and not fetched from FunASR's hub; "
        f"check the name and the network, worker.log has FunASR's words ({said})"
    )
