"""How a patch gets into one object and out of it again.

A patched object changes class: to one made for it, with the patch's methods in front of the
release's own. Other objects of the release keep theirs, ``isinstance`` still holds, and
taking the patch out is giving the class back.
"""

from __future__ import annotations

from typing import Any, Final

_FIX: Final = "_leakbench_fix"


def put_in(target: Any, patch: type, fix: object) -> None:
    """Put the methods of `patch` in front of those of `target`'s class.

    `fix` is what they find as ``self._leakbench_fix``.
    """
    base = type(target)
    # Named like the release's class, which FunASR and its users print.
    patched = type(
        base.__name__,
        (patch, base),
        {"__module__": base.__module__, "__qualname__": base.__qualname__},
    )
    target.__dict__[_FIX] = fix
    target.__class__ = patched


def take_out(target: Any) -> None:
    """Give `target` its own class back."""
    target.__class__ = type(target).__mro__[2]
    del target.__dict__[_FIX]


def is_patched(target: Any) -> bool:
    """Return whether `put_in` was called on `target`, and `take_out` not since."""
    return _FIX in getattr(target, "__dict__", {})


def release_module(target: Any) -> str:
    """Return the name of the module that `target`'s class, patched or not, comes from."""
    return type(target).__module__
