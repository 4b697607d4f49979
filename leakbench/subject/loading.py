"""From a factory's name to a subject, in the process that drives it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from leakbench.errors import UsageError
from leakbench.subject import Subject
from leakbench.subject.checks import check_sample_rate


def load_subject(name: str, options: Mapping[str, object]) -> Subject:
    """Build the subject that ``module:NAME`` or ``path/to/file.py:NAME`` makes of `options`.

    Raises
    ------
    UsageError
        When the module, file or name does not exist, or what it makes is not a subject.
    """
    location, _, attribute = name.rpartition(":")
    module = _load_module(location)
    try:
        factory = getattr(module, attribute)
    except AttributeError as error:
        raise UsageError(
            f"{location}: has no {attribute!r}; a subject is named module:NAME"
        ) from error
    subject = factory(**options)
    missing = [
        member
        for member in ("sample_rate", "start", "feed", "roots", "close")
        if not hasattr(subject, member)
    ]
    if missing:
        raise UsageError(
            f"{name}: made a {type(subject).__name__} without {', '.join(missing)}; "
            "a subject has sample_rate, start(), feed(), roots() and close()"
        )
    check_sample_rate(name, subject.sample_rate)
    loaded: Subject = subject
    return loaded


def _load_module(location: str) -> ModuleType:
    if not location.endswith(".py"):
        _import_from(Path.cwd())
        try:
            return importlib.import_module(location)
        except ModuleNotFoundError as error:
            if error.name is not None and not location.startswith(error.name):
                raise
            raise UsageError(f"{location}: no such module on the import path") from error
    path = Path(location)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{location}: no such file")
    _import_from(path.resolve().parent)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _import_from(folder: Path) -> None:
    """Import from `folder` too: before what is installed, but after the standard library.

    A subject finds what lies beside it, and a random.py there shadows nothing that others import.
    """
    if str(folder) in sys.path:
        return
    installed = (
        index
        for index, entry in enumerate(sys.path)
        if Path(entry).name in ("site-packages", "dist-packages")
    )
    sys.path.insert(next(installed, len(sys.path)), str(folder))
