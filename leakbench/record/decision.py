"""How much of a cell was on disk when its verdict was reached.

Workers go on for a moment while their parent judges. What they measure by then is kept, and is
no part of the verdict: read again, the cell must be judged by what it was judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from leakbench.errors import OutputError
from leakbench.record.files import read_mapping, write_json

DECISION_FILE: Final = "decided.json"


def write_decision(folder: Path, samples: Sequence[int]) -> None:
    """Record in a cell's folder that it was decided by so many samples of each replicate."""
    write_json(folder / DECISION_FILE, {"samples": list(samples)})


def read_decision(folder: Path) -> tuple[int, ...] | None:
    """Return how many samples of each replicate decided a cell, None where none did.

    Raises
    ------
    OutputError
        When the file does not say so.
    """
    path = folder / DECISION_FILE
    if not path.exists():
        return None
    try:
        return tuple(int(count) for count in read_mapping(path)["samples"])
    except (ValueError, TypeError, KeyError) as error:
        raise OutputError(
            f'{path}: expected {{"samples": [a number a replicate]}}: {error}; remove it to judge '
            "all that was measured"
        ) from error
