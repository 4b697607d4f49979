"""When a growing series is looked at, and what error each look may spend.

Looking at every new sample would turn a 1 % error into a certainty. Looks come at T, 2T,
4T, ... audio-seconds; look j may err with alpha / (j (j + 1)), which sums to alpha over
however many looks there turn out to be. Between looks the answer is that of the last look,
so asking often costs nothing and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_LOOK_SECONDS: Final = 600.0
"""Ten audio-minutes: what proves a flat glibc heap within 64 KiB/h on 3 or 4 replicates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at all replicates."""

    seconds: float
    """Audio of each replicate that is looked at, from the end of warm-up."""
    share: float
    """Part of the error budget that this look may spend."""


WHOLE = 1.0
"""The share of an only look."""


def last_look(
    reached_seconds: float, *, first_seconds: float = FIRST_LOOK_SECONDS, final: bool = False
) -> Look | None:
    """Return the last look due when every replicate has `reached_seconds` of audio.

    A `final` look takes all there is, once the run has ended. None before the first look.
    """
    due, number = first_seconds, 0
    last: Look | None = None
    while due <= reached_seconds + 1e-6:
        number += 1
        last = Look(seconds=due, share=WHOLE / (number * (number + 1)))
        due *= 2
    if final and reached_seconds > 0 and (last is None or reached_seconds > 1.05 * last.seconds):
        number += 1
        return Look(seconds=reached_seconds, share=WHOLE / (number * (number + 1)))
    return last


def next_look_seconds(
    reached_seconds: float, *, first_seconds: float = FIRST_LOOK_SECONDS
) -> float:
    """Return the audio at which the next look is due."""
    due = first_seconds
    while due <= reached_seconds + 1e-6:
        due *= 2
    return due
