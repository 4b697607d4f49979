"""Small seeded series for tests: a budget of 1 an hour, one sample an audio-minute."""

import numpy as np
import numpy.typing as npt

from leakbench.verdict import Series

Array = npt.NDArray[np.float64]


def minutes(count: int) -> Array:
    return 60.0 * np.arange(1, count + 1)


def replicates(
    count: int = 8,
    *,
    samples: int = 240,
    slope: float = 0.0,
    noise: float = 0.05,
    seed: int = 0,
    shape: Array | None = None,
) -> list[Series]:
    """`slope` an hour plus white noise, plus `shape` of shape (samples,)."""
    rng = np.random.default_rng(seed)
    audio = minutes(samples)
    base = slope * audio / 3600 + (0.0 if shape is None else shape)
    return [(audio, base + noise * rng.standard_normal(samples)) for _ in range(count)]
