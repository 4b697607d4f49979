"""Simulated memory series of known truth, for calibrating verdicts.

Every kind draws an array of shape (sets, replicates, samples), one sample an audio-minute,
in units in which the budget is 1 an audio-hour; time is in audio-hours. Noise is 0.25 of an
hour's budget unless said otherwise: on a budget of 1 MiB/h, RSS that wobbles by 256 KiB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

Array: TypeAlias = npt.NDArray[np.float64]
Truth: TypeAlias = Literal["flat", "budget", "leak", "fills", "late"]

SAMPLES_AN_HOUR: Final = 60
NOISE: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of series and what the right answers are."""

    name: str
    truth: Truth
    """flat: growth below budget. budget: exactly at it. leak: above it throughout. fills:
    growth that ends, above the budget for part of the run. late: flat, then a leak."""
    draw: Callable[[np.random.Generator, int, int, int], Array]
    """(generator, sets, replicates, samples) to values; NaN where a sample is missing."""
    heap: bool = False
    """Whether it is a heap-like series: little noise, first looked at after 10 minutes."""
    slope_at: Callable[[float], float] | None = None
    """True growth an hour at an hour of the run, where it changes."""
    starts: float = 0.0
    """Hour at which a late leak begins."""


def kinds() -> tuple[Kind, ...]:
    """Return every kind, in the order of the table."""
    found: list[Kind] = []
    for name, noise in NOISES.items():
        found.append(Kind(name=f"flat, {name}", truth="flat", draw=_with(noise, 0.0)))
    found += [
        Kind(name="flat, one step of 2 B h", truth="flat", draw=_one_step),
        Kind(name="flat, bursts", truth="flat", draw=_bursts),
        Kind(name="flat, 30 % of samples missing", truth="flat", draw=_missing(0.0)),
        Kind(name="half the budget, white", truth="flat", draw=_with(_white, 0.5)),
        Kind(name="half the budget, AR(0.9)", truth="flat", draw=_with(_ar(0.9), 0.5)),
        Kind(name="half the budget, steps", truth="flat", draw=_with(_allocator_steps, 0.5)),
    ]
    for name, noise in NOISES.items():
        found.append(Kind(name=f"at the budget, {name}", truth="budget", draw=_with(noise, 1.0)))
    for label, hours in PLATEAUS.items():
        found.append(
            Kind(
                name=f"plateau, tau {label}",
                truth="fills",
                draw=_plateau(hours),
                slope_at=lambda hour, tau=hours: 5.0 * float(np.exp(-hour / tau)),
            )
        )
    found.append(
        Kind(
            name="logarithmic",
            truth="fills",
            draw=_logarithmic,
            slope_at=lambda hour: 5.0 / (hour + 0.25),
        )
    )
    for name, noise in NOISES.items():
        for times in (1.5, 2.0, 3.0, 10.0):
            found.append(
                Kind(name=f"leak {times:g} B, {name}", truth="leak", draw=_with(noise, times))
            )
    found += [
        Kind(name="leak 3 B, bursts", truth="leak", draw=_sum(_bursts, 3.0)),
        Kind(name="leak 3 B, 30 % of samples missing", truth="leak", draw=_missing(3.0)),
        Kind(name="leak 3 B, every tenth segment", truth="leak", draw=_tenth_segment),
        Kind(name="leak 3 B, in lumps an hour apart", truth="leak", draw=_lumps),
        Kind(name="leak 3 B from minute 30", truth="late", draw=_late(0.5), starts=0.5),
        Kind(name="leak 3 B from hour 3", truth="late", draw=_late(3.0), starts=3.0),
        Kind(name="heap, flat", truth="flat", draw=_heap(0.0), heap=True),
        Kind(name="heap, half the budget", truth="flat", draw=_heap(0.5), heap=True),
        Kind(name="heap, at the budget", truth="budget", draw=_heap(1.0), heap=True),
        Kind(name="heap, leak 1.5 B", truth="leak", draw=_heap(1.5), heap=True),
        Kind(name="heap, leak 2 B", truth="leak", draw=_heap(2.0), heap=True),
        Kind(name="heap, leak 3 B", truth="leak", draw=_heap(3.0), heap=True),
        Kind(
            name="heap, plateau, tau 6 h",
            truth="fills",
            draw=lambda rng, sets, replicates, samples: (
                _heap(0.0)(rng, sets, replicates, samples) + _filling(samples, 6.0)
            ),
            heap=True,
            slope_at=lambda hour: 5.0 * float(np.exp(-hour / 6.0)),
        ),
    ]
    return tuple(found)


def hours(samples: int) -> Array:
    """Return the audio-hours at which samples are taken, shape (samples,)."""
    return np.arange(1, samples + 1) / SAMPLES_AN_HOUR


def _white(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    return NOISE * rng.standard_normal((sets, replicates, samples))


def _ar(phi: float) -> Callable[[np.random.Generator, int, int, int], Array]:
    def draw(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
        shocks = rng.standard_normal((sets, replicates, samples)) * np.sqrt(1 - phi**2)
        # Stationary from the first sample on.
        shocks[..., 0] /= np.sqrt(1 - phi**2)
        return NOISE * lfilter([1.0], [1.0, -phi], shocks, axis=-1)

    return draw


def _sawtooth(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    """Return a sawtooth of height 1 and 13 min that nobody declared, at a random phase."""
    phase = rng.random((sets, replicates, 1))
    teeth = (hours(samples) * 60 / 13 + phase) % 1.0
    return teeth + 0.2 * _white(rng, sets, replicates, samples)


def _random_sawtooth(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    """Return a sawtooth that rises by 1 in 13 min and falls to 0 after 4 to 26 min."""
    most = samples // 4 + 2
    edges = np.cumsum(rng.integers(4, 27, (sets, replicates, most)), axis=-1)
    minutes = np.arange(1, samples + 1)
    teeth = np.empty((sets, replicates, samples))
    for index in np.ndindex(sets, replicates):
        mine = np.concatenate(([0], edges[index]))
        teeth[index] = (minutes - mine[np.searchsorted(mine, minutes, side="right") - 1]) / 13
    return teeth + 0.2 * _white(rng, sets, replicates, samples)


def _allocator_steps(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    """Return steps up and down of about 1, two an hour, at random times."""
    happens = rng.random((sets, replicates, samples)) < 2 / SAMPLES_AN_HOUR
    sizes = rng.choice([-1.0, 1.0], (sets, replicates, samples)) * rng.uniform(
        0.5, 1.5, (sets, replicates, samples)
    )
    walk = np.cumsum(happens * sizes, axis=-1)
    return walk + 0.2 * _white(rng, sets, replicates, samples)


NOISES: Final[dict[str, Callable[[np.random.Generator, int, int, int], Array]]] = {
    "white": _white,
    "AR(0.5)": _ar(0.5),
    "AR(0.9)": _ar(0.9),
    "AR(0.99)": _ar(0.99),
    "sawtooth": _sawtooth,
    "random sawtooth": _random_sawtooth,
    "allocator steps": _allocator_steps,
}
PLATEAUS: Final = {
    "5 min": 1 / 12,
    "30 min": 0.5,
    "2 h": 2.0,
    "6 h": 6.0,
    "12 h": 12.0,
    "24 h": 24.0,
}
"""Label to time constant in hours; each begins at 5 times the budget."""


def _with(
    noise: Callable[[np.random.Generator, int, int, int], Array], times: float
) -> Callable[[np.random.Generator, int, int, int], Array]:
    return _sum(noise, times)


def _sum(
    noise: Callable[[np.random.Generator, int, int, int], Array], times: float
) -> Callable[[np.random.Generator, int, int, int], Array]:
    def draw(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
        return noise(rng, sets, replicates, samples) + times * hours(samples)

    return draw


def _one_step(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    at = rng.integers(1, samples, (sets, replicates, 1))
    return _white(rng, sets, replicates, samples) + 2.0 * (np.arange(samples) >= at)


def _bursts(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    """Return now and then 10 min of 4 more."""
    begins = rng.random((sets, replicates, samples)) < 1 / SAMPLES_AN_HOUR
    lasting = lfilter(np.ones(10), [1.0], begins.astype(float), axis=-1) > 0
    return _white(rng, sets, replicates, samples) + 4.0 * lasting


def _missing(times: float) -> Callable[[np.random.Generator, int, int, int], Array]:
    def draw(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
        values = _white(rng, sets, replicates, samples) + times * hours(samples)
        lost = rng.random(values.shape) < 0.3
        # The last one is there, or the run would not have come so far.
        lost[..., -1] = False
        return np.where(lost, np.nan, values)

    return draw


def _filling(samples: int, tau: float) -> Array:
    return 5.0 * tau * (1 - np.exp(-hours(samples) / tau))


def _plateau(tau: float) -> Callable[[np.random.Generator, int, int, int], Array]:
    def draw(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
        return _white(rng, sets, replicates, samples) + _filling(samples, tau)

    return draw


def _logarithmic(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    return _white(rng, sets, replicates, samples) + 5.0 * np.log1p(hours(samples) / 0.25)


def _tenth_segment(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    """Return a segment a minute, every tenth of which keeps half of an hour's budget."""
    return _white(rng, sets, replicates, samples) + 0.5 * (np.arange(1, samples + 1) // 10)


def _lumps(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
    """Return three hours' budget at once, every hour, at a random phase."""
    phase = rng.random((sets, replicates, 1))
    return _white(rng, sets, replicates, samples) + 3.0 * np.floor(hours(samples) + phase)


def _late(starts: float) -> Callable[[np.random.Generator, int, int, int], Array]:
    def draw(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
        grown = 3.0 * np.maximum(hours(samples) - starts, 0.0)
        return _white(rng, sets, replicates, samples) + grown

    return draw


def _heap(times: float) -> Callable[[np.random.Generator, int, int, int], Array]:
    """Return what a glibc heap does against 64 KiB/h: 200 B of noise, a 1 to 2 KB step an hour."""

    def draw(rng: np.random.Generator, sets: int, replicates: int, samples: int) -> Array:
        shape = (sets, replicates, samples)
        happens = rng.random(shape) < 1 / SAMPLES_AN_HOUR
        steps = happens * rng.choice([-1.0, 1.0], shape) * rng.uniform(1000, 2000, shape)
        nbytes = 200 * rng.standard_normal(shape) + np.cumsum(steps, axis=-1)
        return nbytes / 65536 + times * hours(samples)

    return draw
