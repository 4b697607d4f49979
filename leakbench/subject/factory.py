"""From a class or function of the caller's process to what a worker can build."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from leakbench.errors import SubjectSpecError
from leakbench.subject import ResolvedSubject, Subject

SubjectFactory: TypeAlias = Callable[[], Subject]
"""A class or function, at the top of a module, that makes a subject when called."""


def locate_factory(factory: SubjectFactory) -> ResolvedSubject:
    """Return what a worker needs to call `factory` itself, in a process of its own.

    A module within a package is imported by its name, any other from its file: a test module
    or a script often has a name that nobody else could import. The worker gets this process's
    import path, so that what imports here imports there.

    Raises
    ------
    SubjectSpecError
        When `factory` is no class or function at the top of a module.
    """
    name = getattr(factory, "__qualname__", None)
    module = sys.modules.get(getattr(factory, "__module__", None) or "")
    if name is None or not callable(factory):
        raise SubjectSpecError(
            f"subject must be a spec, or a class or function that makes one in the worker; "
            f"got {type(factory).__name__} {factory!r:.60}"
        )
    if module is None or getattr(module, name, None) is not factory:
        raise SubjectSpecError(
            f"subject {name}: expected a class or function at the top of a module, which a worker "
            "process can import; got one made inside a function or class, or a lambda"
        )
    source = inspect.getsourcefile(module)
    import_path = [Path(entry or ".").absolute() for entry in sys.path]
    if source is None:
        location = module.__name__
    else:
        file = Path(source).resolve()
        root, package_name = _package_of(file)
        # Beside a file that is loaded by its path lies what it imports.
        import_path.insert(0, root)
        location = package_name if package_name == module.__name__ else str(file)
    return ResolvedSubject(
        spec=f"{_shown(location)}:{name}",
        factory=f"{location}:{name}",
        python=sys.executable,
        path=tuple(dict.fromkeys(entry for entry in import_path if entry.exists())),
    )


def _package_of(file: Path) -> tuple[Path, str | None]:
    """Return the folder to import from and the dotted name; None for a file in no package."""
    parts = [] if file.stem == "__init__" else [file.stem]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    in_package = folder != file.parent
    return folder, ".".join(parts) if in_package else None


def _shown(location: str) -> str:
    """Return a file's path as a reader at the current folder would write it."""
    path = Path(location)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return location
