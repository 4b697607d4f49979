"""What a judge says: one of four verdicts, with the numbers it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from leakbench.errors import UsageError
from leakbench.metrics import Tier
from leakbench.record.result import Outcome
from leakbench.units import Quantity, format_amount

FloatArray = npt.NDArray[np.float64]


class Verdict(StrEnum):
    """Is growth proved below its budget, proved above it, or neither yet."""

    FLAT = "flat"
    LEAK = "leak"
    SATURATING = "saturating"
    """Above the budget, but ever more slowly: more audio will tell."""
    UNDECIDED = "undecided"

    @property
    def outcome(self) -> Outcome:
        """The word that results and exit statuses know."""
        if self is Verdict.FLAT:
            return "flat"
        return "leak" if self is Verdict.LEAK else "undecided"

    @property
    def decided(self) -> bool:
        """Whether more audio could not be wanted."""
        return self in (Verdict.FLAT, Verdict.LEAK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict on one metric, and what it rests on."""

    verdict: Verdict
    slope_per_hour: float | None
    """Estimated growth an audio-hour; None where there is too little to estimate it from."""
    low: float | None
    """Lower end of the interval of the slope."""
    high: float | None
    """Upper end of the interval of the slope."""
    budget_per_hour: float
    """Growth allowed an audio-hour."""
    reason: str
    """One sentence for people: estimate, interval, budget, audio, replicates."""
    tier: Tier
    replicates: int = 1
    """Processes that the verdict rests on."""
    advisory: bool = False
    """Whether it rests on one process only, which cannot show how processes differ."""
    rate: float | None = None
    """Exact growth each `rate_per`, where growth is exactly regular."""
    rate_per: str = ""
    """``period``, or what :func:`~leakbench.verdict.attribution.attribute` says."""
    audio_wanted_seconds: float | None = None
    """Audio a replicate, counted from the end of warm-up, at which to ask again."""


def checked(values: Sequence[float] | npt.ArrayLike, what: str) -> FloatArray:
    """Return `values` as float64, shape (n,).

    Raises
    ------
    UsageError
        When a value is NaN or infinite, or there is more than one dimension.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise UsageError(f"{what} must have one dimension, got shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise UsageError(
            f"{what}[{bad[0]}] must be a finite number, got {array[bad[0]]}; "
            "leave out what was not measured"
        )
    return array


def describe_rate(low: float, slope: float, high: float, quantity: Quantity) -> str:
    """Return a slope and its interval as ``1.2 KiB/h (0.9 KiB to 1.5 KiB)``."""
    text = f"{format_amount(slope, quantity)}/h"
    if low == high:
        return text
    return f"{text} ({format_amount(low, quantity)} to {format_amount(high, quantity)})"
