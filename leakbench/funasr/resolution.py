"""From a spec string such as ``funasr==1.3.14+ring-buffer`` to a subject that can be run."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata, util
from pathlib import Path
from types import MappingProxyType
from typing import Final

from leakbench import fixes
from leakbench.errors import ProvisionError, SubjectSpecError, UsageError
from leakbench.fixes.application import UPSTREAM
from leakbench.fixes.strategies import STRATEGIES
from leakbench.funasr import onnx_environment
from leakbench.subject import ResolvedSubject
from leakbench.subject.environments import install_target

_ALIASES: Final = MappingProxyType(
    {"original": "funasr==1.3.14", "fixed": "funasr==1.3.15", "latest": "funasr==1.4.16"}
)
"""1.3.14 is the last release that leaks, 1.3.15 the first fixed one, 1.4.16 the newest known."""
_EMBEDDED: Final = "embedded"
_MODEL_FILES: Final = ("config.yaml", "model.pt")
_ONNX_MODEL_FILES: Final = ("config.yaml", "am.mvn", "model.onnx")
_RELEASE: Final = re.compile(r"(funasr(?:-onnx)?)==(\d[\w.]*)")
_CLAIMED: Final = re.compile(r"(funasr(-onnx)?|original|fixed|latest)(?![\w.:/-]).*", re.DOTALL)
_VERSION: Final = re.compile(r"\d+(\.\d+)*")
_STRATEGIES_FROM, _STRATEGIES_UP_TO = (1, 1, 12), (1, 3, 14)
"""Releases that the four strategies are for; later ones drop frames themselves."""
_NEEDED: Final = ("hydra", "kaldi_native_fbank", "kaldiio", "librosa", "omegaconf", "torch", "tqdm")
"""What every release imports to load the VAD; the `funasr` extra brings them."""
_NAMED_PATHS: Final = ("stats.decibel", "stats.data_buf", "stats.data_buf_all")
"""What the reports of the leak speak of."""
_ONNX_NAMED_PATHS: Final = ("stats.decibel",)
"""The ONNX runtime keeps no audio, only its size."""
_REPORTED: Final = ("torch", "numpy", "kaldi-native-fbank")


def aliases() -> Mapping[str, str]:
    """Return the short names and the specs they stand for."""
    return _ALIASES


def claims(spec: str) -> bool:
    """Return whether `spec` is written as one of FunASR's, right or wrong."""
    return _CLAIMED.fullmatch(spec) is not None


def remedies(spec: str, versions: Mapping[str, str]) -> Sequence[str]:
    """Return the fixes that can patch the release or checkout which `spec` names.

    Parameters
    ----------
    spec
        Written as one of FunASR's.
    versions
        Of the packages in its process.
    """
    patched = any(spec.endswith(f"+{name}") for name in fixes.FIXES)
    version = versions.get("funasr-onnx" if spec.startswith("funasr-onnx") else "funasr", "")
    if patched or not _VERSION.match(version):
        return ()
    if spec.startswith("funasr-onnx"):
        return tuple(STRATEGIES)
    numbers = tuple(map(int, re.findall(r"\d+", version)[:3]))
    if numbers > _STRATEGIES_UP_TO:
        return (UPSTREAM,)
    return tuple(STRATEGIES) if numbers >= _STRATEGIES_FROM else ()


def resolve(
    spec: str, *, model: str, chunk_ms: int, generate: Mapping[str, object]
) -> ResolvedSubject:
    """Provision what `spec` names and return how to run it.

    Parameters
    ----------
    spec
        ``funasr==X``, ``funasr@PATH`` (a source checkout, a wheel or a source archive),
        ``funasr-onnx==X``, or an alias; each may end in ``+FIX``, the name of one of
        ``leakbench.fixes``.
    model
        ``embedded``, a FunASR model folder, or a name on FunASR's hub (not for
        ``funasr-onnx``).
    chunk_ms, generate
        As for `leakbench.funasr.subject.FunasrSubject`.

    Raises
    ------
    SubjectSpecError
        When `spec` names nothing.
    UsageError
        When `model` is a folder that holds no model.
    ProvisionError
        When the release cannot be installed, or what FunASR needs is not.
    """
    base, fix = _split_fix(spec)
    base = _ALIASES.get(base, base)
    release = _RELEASE.fullmatch(base)
    if release and release[1] == "funasr-onnx":
        return _resolve_onnx(spec, release[2], fix=fix, model=model, generate=generate)
    source = _check_model(model)
    _check_packages()
    folder = install_target(base) if release else _provide_path(spec, base)
    return ResolvedSubject(
        spec=spec,
        factory="leakbench.funasr.subject:FunasrSubject",
        options={"model": source, "chunk_ms": chunk_ms, "generate": dict(generate), "fix": fix},
        python=sys.executable,
        path=(folder,),
        named_paths=_NAMED_PATHS,
        versions={
            "funasr": _read_version(spec, folder),
            **{name: metadata.version(name) for name in _REPORTED},
        },
    )


def _resolve_onnx(
    spec: str, release: str, *, fix: str | None, model: str, generate: Mapping[str, object]
) -> ResolvedSubject:
    if model != _EMBEDDED:
        model = _check_folder(model, files=_ONNX_MODEL_FILES)
    python = onnx_environment.make_interpreter(release)
    if model == _EMBEDDED:
        model = str(onnx_environment.embedded_model(python))
    return ResolvedSubject(
        spec=spec,
        factory="leakbench.funasr.onnx_subject:OnnxSubject",
        options={"model": model, "generate": dict(generate), "fix": fix},
        python=str(python),
        named_paths=_ONNX_NAMED_PATHS,
        versions={"funasr-onnx": release, **onnx_environment.versions()},
    )


def _split_fix(spec: str) -> tuple[str, str | None]:
    """Split ``BASE+FIX``; a fix's own name may hold a ``+``.

    Raises
    ------
    SubjectSpecError
        When what follows a release or an alias is not a fix.
    """
    for name in sorted(fixes.FIXES, key=len, reverse=True):
        if spec.endswith(f"+{name}"):
            return spec.removesuffix(f"+{name}"), name
    base, plus, rest = spec.partition("+")
    # A path may hold a `+` of its own; a release or an alias may not.
    if plus and "@" not in base:
        raise SubjectSpecError(
            f"{spec}: expected {base}+FIX with FIX one of {', '.join(fixes.FIXES)}; got {rest!r}"
        )
    return spec, None


def _check_model(model: str) -> str:
    """Return `model` as a worker can use it: absolute where it is a folder.

    Raises
    ------
    UsageError
        When it is a path, and not of a folder that holds a model.
    ProvisionError
        When it is a name on FunASR's hub, and there is no client for the hub.
    """
    if model == _EMBEDDED:
        return model
    if Path(model).exists() or model.startswith((".", "/", "~")):
        return _check_folder(model, files=_MODEL_FILES)
    if util.find_spec("modelscope") is None:
        raise ProvisionError(
            f"model {model}: not a folder, and fetching a model from FunASR's hub needs a package "
            "that is not installed; `pip install modelscope`, or use `embedded` or a folder"
        )
    return model


def _check_folder(model: str, *, files: Sequence[str]) -> str:
    folder = Path(model).expanduser().resolve()
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"model {model}: expected `{_EMBEDDED}` or a folder with {', '.join(files)}; "
            f"{folder} has no {', '.join(missing)}"
        )
    return str(folder)


def _check_packages() -> None:
    missing = [name for name in _NEEDED if util.find_spec(name) is None]
    if missing:
        raise ProvisionError(
            f"FunASR subjects need {', '.join(missing)}, not installed beside leakbench; "
            "`pip install 'leakbench[funasr]'`"
        )


def _read_version(spec: str, folder: Path) -> str:
    """Return the version that a FunASR of the import path `folder` says it has.

    Raises
    ------
    SubjectSpecError
        When it is none, such as another project's wheel.
    """
    path = folder / "funasr" / "version.txt"
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SubjectSpecError(
            f"{spec}: expected FunASR, whose version is in funasr/version.txt: {error}"
        ) from error


def _provide_path(spec: str, base: str) -> Path:
    """Return the folder to put on the import path for ``funasr@PATH``."""
    kind, at, text = base.partition("@")
    if kind != "funasr" or not at or not text:
        raise SubjectSpecError(
            f"{spec}: expected funasr==VERSION, funasr-onnx==VERSION, funasr@PATH "
            f"or one of {', '.join(_ALIASES)}"
        )
    path = Path(text).expanduser().resolve()
    if path.is_file():
        return install_target(str(path))
    if not (path / "funasr" / "version.txt").is_file():
        raise SubjectSpecError(
            f"{spec}: expected a FunASR checkout (a folder that holds funasr/version.txt), "
            f"a wheel or a source archive; {path} is {'not one' if path.exists() else 'not there'}"
        )
    return path
