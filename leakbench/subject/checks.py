"""What a subject must be made of: the mistakes that people make, told where they are made."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any, Final, cast

from leakbench.errors import SubjectError, UsageError

SAMPLE_RATES: Final = (1_000, 384_000)
"""Hz. Below the first there is no speech, above the second no recording: a rate in kHz is below,
one that was multiplied by 1,000 too often is above."""
_FOR_ROOTS: Final = "return what to measure by name, such as {'cache': self.cache}"

_repr: Final = reprlib.Repr()
_repr.maxstring = _repr.maxother = 50


def check_roots(value: object) -> Mapping[str, object]:
    """Return what a subject's ``roots()`` returned.

    No root at all is right where a subject keeps nothing in Python: then the process alone is
    measured.

    Raises
    ------
    SubjectError
        When it is not a mapping of names to objects.
    """
    if not callable(getattr(value, "items", None)):
        raise SubjectError(
            f"roots() must return a mapping of names to objects, got {_shown(value)}; {_FOR_ROOTS}"
        )
    # Whatever has items() will do: torch's ModuleDict is no Mapping.
    roots = cast(Mapping[Any, object], value)
    for name in roots:
        if not isinstance(name, str) or not name:
            raise SubjectError(
                f"roots() must have names for keys, got {_shown(name)}; {_FOR_ROOTS}"
            )
    return roots


def check_sample_rate(subject: str, value: object) -> None:
    """Refuse what is no rate that audio can have.

    Parameters
    ----------
    subject
        What messages call the subject.
    value
        Its ``sample_rate``.

    Raises
    ------
    UsageError
        When it is not a whole number of Hz within `SAMPLE_RATES`.
    """
    lowest, highest = SAMPLE_RATES
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return
    raise UsageError(
        f"{subject}: sample_rate must be a whole number of Hz from {lowest:,} to {highest:,}, "
        f"got {_shown(value)}; set it in the subject, such as sample_rate = 16000"
    )


def _shown(value: object) -> str:
    """Return a value's type and what it looks like, both short."""
    return "None" if value is None else f"{type(value).__name__} {_repr.repr(value):.60}"
