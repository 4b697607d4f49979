"""What the interpreter and the standard library keep for themselves, made to let go.

A cache that fills to a bound looks like a leak until it is full, and its misses and evictions
make the heap wobble for ever. CPython's own leak finder (``Lib/test/libregrtest/refleak.py``)
clears such caches before it counts. These are cleared here, where their modules are loaded:

- the type-attribute cache: 4,096 entries, each of which keeps the name it was asked for. C code
  that asks by a C string makes a new one each time;
- of the standard library, every ``functools`` cache with a bound at the top of a module (``re``,
  ``fnmatch``, ``fractions``, ``tokenize``, ``urllib.parse``, ``pathlib``, ``glob`` ...), and the
  caches of ``re``, ``struct``, ``_strptime`` and ``filecmp``, which bound themselves;
- lines that ``linecache`` has read from files: it reads them again.

Each is bounded, so what is lost is no leak, and each is filled again when asked: nothing behaves
differently. What refleak clears beside them is left alone, since either does not hold for it:
registries of warnings (a warning with ever new text is kept for ever, and clearing shows it
again), types made by ``ctypes``, ``mimetypes`` and ``copyreg`` (a subject's entries would be
lost), the opener and the temporary files of ``urllib.request``, and the weak caches of abstract
base classes, which are no larger than the classes there are. A subject's own caches are never
touched: one without a bound is a leak.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_STANDARD_LIBRARY: Final = Path(os.__file__).parent


class StandardCaches:
    """The caches that may be cleared, found again whenever a module has been loaded."""

    def __init__(self) -> None:
        self._modules = 0
        self._clearers: list[Callable[[], object]] = []

    def clear(self) -> None:
        """Clear those of the standard library."""
        if len(sys.modules) != self._modules:
            self._clearers = _find_clearers()
            self._modules = len(sys.modules)
        for clear in self._clearers:
            clear()


def clear_type_cache() -> None:
    """Clear the interpreter's own caches; after everything that may modify types."""
    _clear_interpreter()


# 3.13 renamed it, and later versions warn of the old name.
_clear_interpreter: Final[Callable[[], object]] = (
    getattr(sys, "_clear_internal_caches", None)
    or getattr(sys, "_clear_type_cache", None)
    or (lambda: None)
)


def _find_clearers() -> list[Callable[[], object]]:
    modules = {
        name: module for name, module in list(sys.modules.items()) if _is_standard(name, module)
    }
    clearers = [
        clear
        for name, find in _SELF_BOUNDED.items()
        if name in modules and (clear := find(modules[name])) is not None
    ]
    bounded = {
        id(value): value.cache_clear
        for module in modules.values()
        for value in list(vars(module).values())
        if isinstance(value, functools._lru_cache_wrapper)
        and value.cache_parameters()["maxsize"] is not None
        and _is_standard(home := getattr(value, "__module__", ""), sys.modules.get(home))
    }
    return [*clearers, *bounded.values()]


def _is_standard(name: str, module: object) -> bool:
    """Whether a module is the standard library's, and not one of a subject's called the same."""
    if name.partition(".")[0] not in sys.stdlib_module_names or not isinstance(module, ModuleType):
        return False
    file = getattr(module, "__file__", None)
    if file is None:
        return True  # built in or frozen
    path = Path(file)
    return path.is_relative_to(_STANDARD_LIBRARY) and "site-packages" not in path.parts


def _line_cache(linecache: ModuleType) -> Callable[[], object] | None:
    cache: dict[str, Any] | None = getattr(linecache, "cache", None)
    if cache is None:
        return None

    def forget_files() -> None:
        # An entry without a time is no file's: code made at run time, which is nowhere else.
        for name, entry in list(cache.items()):
            if len(entry) > 1 and entry[1] is not None:
                cache.pop(name, None)

    return forget_files


def _method(*names: str) -> Callable[[ModuleType], Callable[[], object] | None]:
    """Return what finds the function called `names` in a module, or None where it is not."""

    def find(module: ModuleType) -> Callable[[], object] | None:
        found: Any = module
        for name in names:
            found = getattr(found, name, None)
        return found if callable(found) else None

    return find


_SELF_BOUNDED: Final[dict[str, Callable[[ModuleType], Callable[[], object] | None]]] = {
    "re": _method("purge"),
    "struct": _method("_clearcache"),
    "_strptime": _method("_regex_cache", "clear"),
    "filecmp": _method("clear_cache"),
    "linecache": _line_cache,
}
"""Module to its cache that is no ``functools`` cache."""
