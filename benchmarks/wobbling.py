"""Bounded series that never repeat, one value a period, and the leaks that may lie under them.

Every kind fills a band from 0 to 1 and stays in it. Times are in periods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Draw: TypeAlias = Callable[[np.random.Generator, int], Array]


def uniform(rng: np.random.Generator, count: int) -> Array:
    """A list of random length."""
    return rng.uniform(0, 1, count)


def two_levels(rng: np.random.Generator, count: int) -> Array:
    """Two counters that now and then are one object."""
    return np.where(rng.random(count) < 0.2, 1.0, 0.0)


def eighths(rng: np.random.Generator, count: int) -> Array:
    """A buffer that grows and shrinks by whole blocks."""
    return rng.integers(0, 9, count) / 8


def bell(rng: np.random.Generator, count: int) -> Array:
    """Slack of an allocator: nearly always in the middle of its band."""
    return np.clip(0.5 + rng.normal(0, 1 / 6, count), 0, 1)


def spikes(rng: np.random.Generator, count: int) -> Array:
    """A rare event that takes something and gives it back."""
    return np.where(rng.random(count) < 0.04, 1.0, 0.0)


def sawtooth(rng: np.random.Generator, count: int) -> Array:
    """A buffer that fills unevenly and is trimmed every two to four periods."""
    level, values = 0.0, np.zeros(count)
    for index in range(count):
        level = level + rng.uniform(0.2, 0.5)
        if level > 1:
            level = 0.0
        values[index] = level
    return values


def wave(rng: np.random.Generator, count: int) -> Array:
    """Something with a cycle of its own, of three to nine periods and no whole number of them."""
    step, start = rng.uniform(0.7, 2.1), rng.uniform(0, 6.3)
    return 0.5 + 0.5 * np.sin(start + step * np.arange(count))


def queue(rng: np.random.Generator, count: int) -> Array:
    """A queue's length: a random walk between two walls."""
    level, values = rng.uniform(0, 1), np.zeros(count)
    for index in range(count):
        level = min(max(level + rng.normal(0, 1 / 6), 0.0), 1.0)
        values[index] = level
    return values


def autoregressive(strength: float) -> Draw:
    """Return noise that follows its neighbours."""

    def draw(rng: np.random.Generator, count: int) -> Array:
        level, values = 0.0, np.zeros(count)
        for index in range(-50, count):
            level = strength * level + rng.normal(0, np.sqrt(1 - strength**2))
            if index >= 0:
                values[index] = level
        return np.clip(0.5 + values / 4, 0, 1)

    return draw


def slow_wave(rng: np.random.Generator, count: int) -> Array:
    """A cycle of 30 periods: on its way up it cannot be told from growth."""
    return 0.5 + 0.5 * np.sin(rng.uniform(0, 6.3) + 0.21 * np.arange(count))


KINDS: Final[Mapping[str, Draw]] = {
    "random length": uniform,
    "two levels": two_levels,
    "whole blocks": eighths,
    "allocator slack": bell,
    "rare spikes": spikes,
    "sawtooth, 2 to 4 periods": sawtooth,
    "wave, 3 to 9 periods": wave,
    "AR(0.5)": autoregressive(0.5),
    "AR(0.9)": autoregressive(0.9),
    "queue": queue,
}
WEAK: Final[Mapping[str, Draw]] = {"slow wave, 30 periods": slow_wave}
"""What no rule for a few periods can tell from growth: told in the table, not pooled."""
