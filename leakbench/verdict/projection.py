"""Where memory will be if growth goes on: after a day, a week, a month; and when it is full."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from leakbench.units import SECONDS_PER_HOUR

HORIZON_HOURS: Final = (24.0, 24.0 * 7, 24.0 * 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Memory at one moment to come."""

    hours: float
    """Audio-hours from now."""
    low: float
    """Bytes, if growth is at the lower end of its interval."""
    expected: float
    """Bytes, at the estimated growth."""
    high: float
    """Bytes, at the upper end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToLimit:
    """When a limit is met; None stands for never."""

    limit_bytes: float
    soonest_seconds: float | None
    """At the upper end of the slope's interval."""
    expected_seconds: float | None
    latest_seconds: float | None
    """At the lower end."""


def project(
    current: float,
    *,
    slope_per_hour: float,
    low: float | None = None,
    high: float | None = None,
    hours: tuple[float, ...] = HORIZON_HOURS,
) -> tuple[Projection, ...]:
    """Return memory after each of `hours`, as `current` bytes plus growth.

    `low` and `high` are the interval of the slope in bytes an audio-hour; without them the
    slope is taken as exact. Memory does not fall below zero.
    """
    low = slope_per_hour if low is None else low
    high = slope_per_hour if high is None else high
    return tuple(
        Projection(
            hours=span,
            low=max(current + low * span, 0.0),
            expected=max(current + slope_per_hour * span, 0.0),
            high=max(current + high * span, 0.0),
        )
        for span in hours
    )


def time_to_limit(
    current: float,
    limit_bytes: float,
    *,
    slope_per_hour: float,
    low: float | None = None,
    high: float | None = None,
) -> TimeToLimit:
    """Return the audio-seconds until `limit_bytes` is full, from `current` bytes on."""

    def seconds(slope: float) -> float | None:
        if current >= limit_bytes:
            return 0.0
        ahead = (limit_bytes - current) / slope * SECONDS_PER_HOUR if slope > 0 else math.inf
        return ahead if math.isfinite(ahead) else None

    return TimeToLimit(
        limit_bytes=limit_bytes,
        soonest_seconds=seconds(slope_per_hour if high is None else high),
        expected_seconds=seconds(slope_per_hour),
        latest_seconds=seconds(slope_per_hour if low is None else low),
    )
