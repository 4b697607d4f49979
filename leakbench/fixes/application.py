"""Which fix goes into which model: found out, checked, applied and undone."""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from leakbench.errors import ConfigError, SubjectSpecError
from leakbench.fixes import patching
from leakbench.fixes.capacity import require_capacity, required_frames
from leakbench.fixes.funasr_vad import BoundedFsmnVad, FunasrFix
from leakbench.fixes.onnx_vad import BoundedE2EVad, BoundedOnlineVad, OnnxFix
from leakbench.fixes.strategies import STRATEGIES, Strategy, make_strategy
from leakbench.fixes.upstream import TrimmedFsmnVad, UpstreamFix

UPSTREAM: Final = "upstream+segments"
FIXES: Final = (*STRATEGIES, UPSTREAM)
"""Names of the fixes."""

_FIRST, _LAST, _FIXED = (1, 1, 12), (1, 3, 14), (1, 3, 15)


def apply(model: Any, name: str, **options: Any) -> None:
    """Patch a loaded VAD in place so that its streams hold bounded memory.

    Parameters
    ----------
    model
        FunASR's ``AutoModel`` of an FSMN-VAD, or of a recogniser with one as its
        ``vad_model``, or the ``FsmnVADStreaming`` inside; or the ONNX runtime's
        ``Fsmn_vad_online`` or ``E2EVadModel``. Apply between streams: one in progress is
        taken over, but starts with empty buffers.
    name
        One of `FIXES`.
    **options
        ``alignment``: ``original`` (default) decides as the release does, ``aligned`` as
        1.3.15 and later do; they differ only with thresholds that look at decibels.
        ``capacity``: frames held besides a chunk's, at least `required_frames`.
        ``every``: frames between two cleanups, of ``periodic-cleanup``.
        ``keep_history``, ``history_folder``, ``pool``: of ``memory-pool``.

    Raises
    ------
    SubjectSpecError
        When `name` is not a fix, the model is not one that can be patched, its release is
        not one the fix is for, or it is patched already.
    ConfigError
        When an option is unknown or its value cannot be.
    """
    if name not in FIXES:
        raise SubjectSpecError(f"fix must be one of {', '.join(FIXES)}; got {name!r}")
    target = _find_vad(model)
    if patching.is_patched(target):
        raise SubjectSpecError(
            f"{name}: this model has a fix already, {target._leakbench_fix.name}; remove it first"
        )
    if type(target).__name__ != "FsmnVADStreaming":
        _apply_to_onnx(target, name, options)
    elif name == UPSTREAM:
        _apply_upstream(target, options)
    else:
        _apply_to_funasr(target, name, options)


def remove(model: Any) -> None:
    """Undo `apply`: the model is the release's own again.

    Streams begun under the fix cannot be continued; start new ones.

    Raises
    ------
    SubjectSpecError
        When the model has no fix.
    """
    target = _find_vad(model)
    if not patching.is_patched(target):
        raise SubjectSpecError(f"no fix to remove from this {type(target).__name__}")
    patching.take_out(target)


def _apply_to_funasr(target: Any, name: str, options: dict[str, Any]) -> None:
    version, numbers = _release_of(target)
    if hasattr(type(target), "DropCachedFrames") or not _FIRST <= numbers <= _LAST:
        remedy = f"; use {UPSTREAM}" if numbers >= _FIXED else ""
        raise SubjectSpecError(
            f"{name} is for funasr 1.1.12 to 1.3.14, this model is of {version}{remedy}"
        )
    strategy = make_strategy(name, options)
    _check_capacity(strategy, name, target.vad_opts, _longest_scheduled_ms(target))
    fix = FunasrFix(name=name, strategy=strategy, single_precision=numbers == _FIRST)
    patching.put_in(target, BoundedFsmnVad, fix)


def _apply_upstream(target: Any, options: dict[str, Any]) -> None:
    if options:
        raise ConfigError(f"{UPSTREAM} takes no options; got {', '.join(options)}")
    version, numbers = _release_of(target)
    if numbers < _FIXED or not hasattr(type(target), "DropCachedFrames"):
        raise SubjectSpecError(
            f"{UPSTREAM} is for funasr 1.3.15 and later, this model is of {version}; "
            f"use one of {', '.join(STRATEGIES)}"
        )
    patching.put_in(target, TrimmedFsmnVad, UpstreamFix(name=UPSTREAM))


def _apply_to_onnx(target: Any, name: str, options: dict[str, Any]) -> None:
    if name == UPSTREAM:
        raise SubjectSpecError(
            f"{UPSTREAM} is for funasr 1.3.15 and later, not for the ONNX runtime; "
            f"use one of {', '.join(STRATEGIES)}"
        )
    strategy = make_strategy(name, options)
    fix = OnnxFix(name=name, strategy=strategy)
    if type(target).__name__ == "E2EVadModel":
        _check_capacity(strategy, name, target.vad_opts)
        patching.put_in(target, BoundedE2EVad, fix)
    else:
        patching.put_in(target, BoundedOnlineVad, fix)


def _find_vad(model: Any) -> Any:
    """Return the object to patch: `model`, or the VAD inside an ``AutoModel``."""
    candidates = (model, getattr(model, "vad_model", None), getattr(model, "model", None))
    for candidate in candidates:
        module = patching.release_module(candidate)
        known = (
            ("FsmnVADStreaming",)
            if module == "funasr.models.fsmn_vad_streaming.model"
            else ("E2EVadModel", "Fsmn_vad_online")
            if module in ("funasr_onnx.utils.e2e_vad", "funasr_onnx.vad_bin")
            else ()
        )
        if type(candidate).__name__ in known:
            return candidate
    raise SubjectSpecError(
        "expected FunASR's AutoModel or FsmnVADStreaming, or the ONNX runtime's "
        f"Fsmn_vad_online or E2EVadModel; got {type(model).__name__}"
    )


def _release_of(target: Any) -> tuple[str, tuple[int, ...]]:
    package = sys.modules[patching.release_module(target).partition(".")[0]]
    version = str(getattr(package, "__version__", "unknown"))
    return version, tuple(map(int, re.findall(r"\d+", version)[:3]))


def _longest_scheduled_ms(target: Any) -> float | None:
    """Return the longest end silence of the release's schedule, where it has one (1.3.5 on)."""
    module = sys.modules[patching.release_module(target)]
    schedule = getattr(module, "DEFAULT_SILENCE_SCHEDULE", None)
    if schedule is None:
        return None
    return float(max(silence for _, silence in schedule) - target.vad_opts.speech_to_sil_time_thres)


def _check_capacity(
    strategy: Strategy, name: str, vad_opts: Any, scheduled_ms: float | None = None
) -> None:
    required = required_frames(vad_opts)
    if scheduled_ms is not None:
        required = max(required, required_frames(vad_opts, scheduled_ms))
    require_capacity(strategy.capacity, required, name)
