"""Patches for streaming VADs that leak: bounded memory, the same segments.

>>> from leakbench import fixes
>>> fixes.apply(model, "ring-buffer")  # doctest: +SKIP
"""

from leakbench.fixes.application import FIXES, apply, remove
from leakbench.fixes.capacity import required_frames

__all__ = ["FIXES", "apply", "remove", "required_frames"]
