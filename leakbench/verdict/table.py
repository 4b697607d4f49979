"""Anyone's measurements as CSV text, parsed into the series that a judge takes."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import numpy as np

from leakbench.errors import UsageError
from leakbench.verdict.judgement import FloatArray

Series: TypeAlias = tuple[FloatArray, FloatArray]
"""Audio-seconds and values of one replicate, each of shape (n,), audio rising."""

_REQUIRED: Final = ("audio_seconds", "value")
_KNOWN: Final = (*_REQUIRED, "replicate")

AT_MOST: Final[Mapping[str, float]] = {"audio_seconds": 1e12, "value": 1e18}
"""Largest magnitudes. Thirty thousand years, and an exabyte: nothing that is measured is more, and
slopes, their squares and projections of less are all finite numbers."""
LEAST_SPACING_SECONDS: Final = 1e-6
"""Audio from one row to the next: a sixteenth of a sample at 48 kHz is more."""


def parse_table(lines: Iterable[str], source: str = "table") -> tuple[Series, ...]:
    """Parse CSV with the columns ``audio_seconds,value`` and perhaps ``replicate``.

    Replicates are told apart by any text, and returned in order of first sight. Other columns
    are ignored.

    Raises
    ------
    UsageError
        With ``source:line`` where the text cannot be used: a missing column, a field that is
        not a finite number, audio that does not rise within a replicate, no rows at all.
    """
    reader = csv.reader(lines)
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise UsageError(
            f"{source}:1: expected columns {','.join(_REQUIRED)}[,replicate], "
            f"found no {missing[0]}; got {','.join(header)[:60] or 'an empty file'}"
        )
    repeated = [name for name in _KNOWN if header.count(name) > 1]
    if repeated:
        raise UsageError(f"{source}:1: expected one column {repeated[0]}, got several")
    at = {name: header.index(name) for name in _KNOWN if name in header}
    rows: dict[str, list[tuple[float, float]]] = {}
    for row in reader:
        where = f"{source}:{reader.line_num}"
        if not row or not "".join(row).strip():
            continue
        if len(row) != len(header):
            raise UsageError(f"{where}: expected {len(header)} fields, got {len(row)}")
        audio, value = (_number(row[at[name]], name, where) for name in _REQUIRED)
        replicate = row[at["replicate"]].strip() if "replicate" in at else ""
        taken = rows.setdefault(replicate, [])
        if taken and audio - taken[-1][0] < LEAST_SPACING_SECONDS:
            raise UsageError(
                f"{where}: audio_seconds must rise within a replicate, "
                f"got {audio:g} after {taken[-1][0]:g}; is a replicate column missing?"
            )
        taken.append((audio, value))
    if not rows:
        raise UsageError(f"{source}: expected rows below the header, found none")
    return tuple(
        (np.array([a for a, _ in taken]), np.array([v for _, v in taken]))
        for taken in rows.values()
    )


def _number(text: str, name: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise UsageError(f"{where}: {name} must be a number, got {text.strip()[:40]!r}") from None
    if not math.isfinite(number):
        raise UsageError(f"{where}: {name} must be finite, got {text.strip()[:40]!r}")
    if abs(number) > AT_MOST[name]:
        raise UsageError(f"{where}: {name} must be at most {AT_MOST[name]:g}, got {number:g}")
    return number
