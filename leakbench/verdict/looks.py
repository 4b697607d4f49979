"""When a growing series is looked at, and what error each look may spend.

Looking at every new sample would turn a 1 % error into a certainty. Looks come at T, 2T,
4T, ... audio-seconds and once more at the end. Where the end is known beforehand each of the
n looks may err with alpha / n; where it is open, look j with alpha / (j (j + 1)), which sums
to alpha over however many there turn out to be. Between looks the answer is that of the last
look, so asking often costs nothing and changes nothing.
"""

from __future__ import annotations

import dataclasses
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
    ends_run: bool = True
    """Whether a run that is decided here ends here; not so for looks that it went on after."""


def last_look(
    reached_seconds: float,
    *,
    first_seconds: float = FIRST_LOOK_SECONDS,
    horizon_seconds: float | None = None,
    final: bool = False,
) -> Look | None:
    """Return the last look due when every replicate has `reached_seconds` of audio.

    Parameters
    ----------
    reached_seconds
        Audio that all replicates have, from the end of warm-up.
    first_seconds
        When the first look is due.
    horizon_seconds
        The most audio that will be driven; None where that is open.
    final
        Whether the run has ended: then all there is is looked at.

    Returns
    -------
    None before the first look.
    """
    dues = [first_seconds]
    while dues[-1] * 2 <= max(reached_seconds, horizon_seconds or 0.0) + 1e-6:
        dues.append(dues[-1] * 2)
    if horizon_seconds is not None and horizon_seconds > WORTH_A_LOOK * dues[-1]:
        dues.append(horizon_seconds)
    passed = [due for due in dues if due <= reached_seconds + 1e-6]
    if final and reached_seconds > (WORTH_A_LOOK * passed[-1] if passed else 0.0):
        passed.append(reached_seconds)
    if not passed:
        return None
    number = len(passed)
    known = horizon_seconds is not None and number <= len(dues)
    return Look(seconds=passed[-1], share=1 / len(dues) if known else 1 / (number * (number + 1)))


def looks_taken(
    reached_seconds: float,
    *,
    first_seconds: float = FIRST_LOOK_SECONDS,
    horizon_seconds: float | None = None,
    final: bool = False,
) -> tuple[Look, ...]:
    """Return the looks that `reached_seconds` of audio are judged by, in their order.

    While a run goes on that is the last one due: the earlier ones were taken, and did not end
    it. Of a run that has ended it is all of them, and the one more at its end last, so that it
    is judged as it was while it ran.

    Parameters
    ----------
    reached_seconds, first_seconds, horizon_seconds, final
        As of `last_look`.
    """
    due = last_look(reached_seconds, first_seconds=first_seconds, horizon_seconds=horizon_seconds)
    if not final:
        return (due,) if due is not None else ()
    looks = []
    seconds = first_seconds
    while due is not None and seconds < due.seconds - 1e-6:
        look = last_look(seconds, first_seconds=first_seconds, horizon_seconds=horizon_seconds)
        if look is not None:
            looks.append(dataclasses.replace(look, ends_run=False))
        seconds *= 2
    end = last_look(
        reached_seconds,
        first_seconds=first_seconds,
        horizon_seconds=horizon_seconds,
        final=True,
    )
    looks += [look for look in dict.fromkeys((due, end)) if look is not None]
    return tuple(looks)


WORTH_A_LOOK: Final = 1.05
"""Audio, as a multiple of the last look's, below which one more at the end is not worth its
error."""


def next_look_seconds(
    reached_seconds: float,
    *,
    first_seconds: float = FIRST_LOOK_SECONDS,
    horizon_seconds: float | None = None,
) -> float:
    """Return the audio at which the next look is due."""
    due = first_seconds
    while due <= reached_seconds + 1e-6:
        due *= 2
    return (
        due
        if horizon_seconds is None or reached_seconds >= horizon_seconds
        else min(due, horizon_seconds)
    )
