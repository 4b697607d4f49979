"""Functions of the C library, with their types set."""

from __future__ import annotations

import ctypes
import os
from typing import Any

LIBC = ctypes.CDLL(None) if os.name == "posix" else None
"""What this process is linked with; None where it cannot be asked by name."""


def find_function(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Return a C function with its types set, or None where the library has none."""
    try:
        # By index: a prototype of our own, not the one every user of the library shares.
        function = library[name]
    except (AttributeError, TypeError):
        return None
    function.restype = result
    function.argtypes = arguments
    return function
