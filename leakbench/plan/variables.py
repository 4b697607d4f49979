"""Environment variables that workers get beside those that are always handed on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Final

from leakbench.errors import ConfigError

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SECRET: Final = re.compile(r"token|secret|passw|credential|private|api_?key", re.IGNORECASE)
_OURS: Final = ("PYTHONPATH", "TMPDIR")
"""Names that a worker's own house needs."""


def parse_variable(text: str) -> str:
    """Check ``NAME``, which hands a variable on, or ``NAME=VALUE``, which sets one.

    Raises
    ------
    ConfigError
        When it is neither, or names what is not to be changed.
    """
    name, _, value = text.partition("=")
    if not _NAME.match(name) or "\0" in value:
        raise ConfigError(f"expected NAME or NAME=VALUE, got {text!r:.80}")
    if value and _SECRET.search(name):
        raise ConfigError(
            f"{name} looks like a secret, and how a run was called is recorded: export it, and say "
            f"{name} alone to hand it on"
        )
    if name in _OURS:
        raise ConfigError(f"{name} is set for every worker; put what it needs beside the subject")
    return text


def values_of(variables: Iterable[str]) -> Mapping[str, str]:
    """Return what they are worth here; a name that is not set here is left out."""
    values = {}
    for text in variables:
        name, given, value = text.partition("=")
        if given:
            values[name] = value
        elif name in os.environ:
            values[name] = os.environ[name]
    return values
