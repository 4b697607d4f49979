"""Slowing down: each chunk costs more than the last, whether memory grows or not.

A model that goes over all it has kept at every chunk slows down without end, even where what it
keeps is small. Processor time is what is judged: wall time measures the neighbours as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from leakbench.units import SECONDS_PER_HOUR, format_amount, format_duration
from leakbench.verdict.judgement import Judgement, Verdict, checked
from leakbench.verdict.slopes import theil_sen

BLOCKS: Final = 6
"""Blocks of a record: that the least of each is above the one before happens by chance once in
720 records."""
LOOKS_AT_LEAST: Final = 12
"""Two looks a block: the least of one is no floor."""
LOOKS_FOR_FLAT: Final = 5
SLOWER: Final = 1.5
"""The last floor over the first from which on a chunk costs more: neighbours on the same cores
move a floor by a fifth, and all floors alike."""
HARDLY: Final = 1.25
"""The same below which nothing is said: a processor that warms up, or a neighbour that comes
slowly, does as much."""


def judge_slowing(
    values: Sequence[float] | npt.ArrayLike,
    audio_seconds: Sequence[float] | npt.ArrayLike,
    *,
    budget_per_hour: float = 0.0,
) -> Judgement:
    """Judge the processor time a chunk over a run.

    Parameters
    ----------
    values
        Processor seconds a chunk, the least since the look before, shape (n,).
    audio_seconds
        When each was taken, shape (n,).
    budget_per_hour
        Seconds a chunk that it may grow by an audio-hour.

    Returns
    -------
    LEAK where the least of every block is above that of the block before, the last is half as
    much again as the first, and the growth is above the budget. FLAT where the last is hardly above
    the first, or a block is not above the one before and one of the halves hardly rises.
    UNDECIDED otherwise.

    Raises
    ------
    UsageError
        When a value is not finite.
    """
    costs, audio = checked(values, "values"), checked(audio_seconds, "audio_seconds")
    count = len(costs)
    if count < LOOKS_FOR_FLAT:
        return _say(Verdict.UNDECIDED, costs, audio, budget_per_hour, "too few looks")
    floors = np.array([block.min() for block in np.array_split(costs, min(BLOCKS, count // 2))])
    grown = float(floors[-1] / floors[0]) if floors[0] > 0 else 1.0
    text = f"the last sixth costs {grown:.2f} times the first"
    rises = bool(np.all(np.diff(floors) > 0))
    if grown < HARDLY or not (rises or _rises_in_both_halves(floors)):
        return _say(Verdict.FLAT, costs, audio, budget_per_hour, "does not rise in every block")
    if _per_hour(costs, audio) <= budget_per_hour:
        return _say(Verdict.FLAT, costs, audio, budget_per_hour, f"within its budget: {text}")
    if rises and count >= LOOKS_AT_LEAST and grown >= SLOWER:
        return _say(
            Verdict.LEAK,
            costs,
            audio,
            budget_per_hour,
            f"each chunk costs more than the last: {text}",
        )
    how = "rises in every block" if rises else "rises, though not in every block"
    return _say(Verdict.UNDECIDED, costs, audio, budget_per_hour, f"{how}: {text}")


def _rises_in_both_halves(floors: npt.NDArray[np.float64]) -> bool:
    """Whether it may have risen all along, though a neighbour has moved one floor or the other.

    A machine that is busy from some point on moves all floors from there, and none before.
    """
    middle = (len(floors) + 1) // 2
    halves = floors[:middle], floors[-middle:]
    return all(half[-1] >= math.sqrt(HARDLY) * half[0] for half in halves)


def _per_hour(costs: npt.NDArray[np.float64], audio: npt.NDArray[np.float64]) -> float:
    return theil_sen(audio, costs) * SECONDS_PER_HOUR


def _say(
    verdict: Verdict,
    costs: npt.NDArray[np.float64],
    audio: npt.NDArray[np.float64],
    budget: float,
    how: str,
) -> Judgement:
    driven = float(audio[-1] - audio[0]) if len(audio) else 0.0
    slope = _per_hour(costs, audio) if len(costs) > 1 else None
    level = f"{format_amount(float(costs[-1]), 'seconds')} a chunk; " if len(costs) else ""
    return Judgement(
        verdict=verdict,
        slope_per_hour=slope,
        low=slope,
        high=slope,
        budget_per_hour=budget,
        reason=f"{how}; {level}{len(costs)} looks, {format_duration(driven)} of audio",
        tier="slowing",
        audio_wanted_seconds=None if verdict.decided else 2 * max(driven, 60.0),
    )
