"""Quantities as people write them: durations, sizes, growth budgets."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from leakbench.errors import ConfigError

SECONDS_PER_HOUR: Final = 3600.0
MOST_SECONDS: Final = 3.6e9
"""Longest duration, a million hours: counts of chunks and samples stay whole numbers in a float."""
MOST: Final = 1e18
"""Largest amount, an exabyte: sums and products of amounts stay finite."""

Quantity: TypeAlias = Literal["bytes", "elements", "count", "seconds"]
Per: TypeAlias = Literal["minute", "hour", "day", "chunk", "segment", "stream"]

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)")
_DURATION_SECONDS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_UNITS: Final[Mapping[str, tuple[float, Quantity]]] = {
    "b": (1, "bytes"),
    "byte": (1, "bytes"),
    "bytes": (1, "bytes"),
    "kb": (10**3, "bytes"),
    "mb": (10**6, "bytes"),
    "gb": (10**9, "bytes"),
    "kib": (2**10, "bytes"),
    "mib": (2**20, "bytes"),
    "gib": (2**30, "bytes"),
    "element": (1, "elements"),
    "elements": (1, "elements"),
    "count": (1, "count"),
    "counts": (1, "count"),
    "descriptor": (1, "count"),
    "descriptors": (1, "count"),
    "thread": (1, "count"),
    "threads": (1, "count"),
    "child": (1, "count"),
    "children": (1, "count"),
    "file": (1, "count"),
    "files": (1, "count"),
    "ms": (1e-3, "seconds"),
    "s": (1, "seconds"),
}
_PER: Final[Mapping[str, Per]] = {
    "min": "minute",
    "minute": "minute",
    "h": "hour",
    "hour": "hour",
    "d": "day",
    "day": "day",
    "chunk": "chunk",
    "segment": "segment",
    "stream": "stream",
}
_PER_HOUR: Final[Mapping[Per, float]] = {"minute": 60.0, "hour": 1.0, "day": 1 / 24}


def parse_duration(text: str) -> float:
    """Return the seconds that ``"90s"``, ``"10m"``, ``"2h"`` or ``"600ms"`` stand for.

    Raises
    ------
    ConfigError
        When `text` is not a positive number with one of those units.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _DURATION_SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise ConfigError(
            "duration must be a positive number with a unit, such as 90s, 10m or 2h, and at most "
            f"{MOST_SECONDS / SECONDS_PER_HOUR:g}h; got {text!r:.60}"
        )
    return seconds


def parse_size(text: str) -> int:
    """Return the bytes that ``"512 MiB"`` or ``"4GB"`` stand for.

    Raises
    ------
    ConfigError
        When `text` is not a positive amount of bytes.
    """
    try:
        amount, quantity = _parse_amount(text)
    except ConfigError:
        # Which units there are besides those of bytes helps nobody here.
        amount, quantity = 0.0, "bytes"
    if quantity != "bytes" or amount < 1:
        raise ConfigError(
            f"size must be a positive amount of bytes, such as 512 MiB; got {text!r:.60}"
        )
    return int(amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How much of everything an hour of the driven audio holds.

    A budget a segment means little until one knows the segments an hour.
    """

    chunks_per_hour: float
    """Chunks fed an audio-hour."""
    segments_per_hour: float
    """Segments closed an audio-hour, as measured."""
    streams_per_hour: float
    """Streams started an audio-hour, as measured."""


@dataclass(frozen=True, slots=True)
class Rate:
    """An amount of bytes, elements, counts or seconds for each unit of something driven."""

    amount: float
    quantity: Quantity
    per: Per

    def per_hour(self, exposure: Exposure | None = None) -> float:
        """Return the amount an audio-hour.

        Raises
        ------
        ConfigError
            When the rate counts chunks, segments or streams and no `exposure` says how many
            an hour holds.
        """
        if self.per in _PER_HOUR:
            return self.amount * _PER_HOUR[self.per]
        if exposure is None:
            raise ConfigError(f"a budget a {self.per} needs the number of {self.per}s driven")
        return self.amount * {
            "chunk": exposure.chunks_per_hour,
            "segment": exposure.segments_per_hour,
            "stream": exposure.streams_per_hour,
        }.get(self.per, 0.0)


@dataclass(frozen=True, slots=True)
class Budget:
    """A ceiling on growth: one rate or a sum of them, ``64 KiB/h + 400 B/segment``."""

    rates: tuple[Rate, ...]
    text: str

    @property
    def quantity(self) -> Quantity:
        """What is counted; the same for every term."""
        return self.rates[0].quantity

    def per_hour(self, exposure: Exposure | None = None) -> float:
        """Return the growth allowed an audio-hour, in what it counts."""
        return sum(rate.per_hour(exposure) for rate in self.rates)

    def __str__(self) -> str:
        return self.text


def parse_budget(text: str) -> Budget:
    """Return the budget that ``"64 KiB/h"`` or ``"1 element/chunk"`` stands for.

    Terms may be added: ``"64 KiB/h + 400 B/segment"``.

    Raises
    ------
    ConfigError
        When a term has no amount, unit or ``/per``, or two terms count different things.
    """
    rates = []
    for term in text.split("+"):
        amount_text, slash, per_text = term.partition("/")
        per = _PER.get(per_text.strip().lower())
        if not slash or per is None:
            raise ConfigError(
                f"budget must read AMOUNT UNIT/PER with PER one of {', '.join(_PER)}, "
                f"such as 64 KiB/h or 16 B/segment; got {text!r}"
            )
        amount, quantity = _parse_amount(amount_text)
        rates.append(Rate(amount, quantity, per))
    if len({rate.quantity for rate in rates}) > 1:
        raise ConfigError(f"budget must count one thing in all its terms; got {text!r}")
    return Budget(tuple(rates), text.strip())


def format_bytes(count: float) -> str:
    """Return `count` bytes in the largest binary unit that keeps it at 1 or more."""
    size = abs(count)
    sign = "-" if count < 0 else ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{sign}{_significant(size)} {unit}"


def format_amount(count: float, quantity: Quantity) -> str:
    """Return an amount with its unit, scaled to be read."""
    if quantity == "bytes":
        return format_bytes(count)
    if quantity == "seconds":
        return f"{_significant(count * 1e3)} ms"
    return f"{_significant(count)} elements" if quantity == "elements" else _significant(count)


def format_duration(seconds: float) -> str:
    """Return seconds as ``45 s``, ``12 min``, ``3.5 h`` or ``2.1 d``."""
    for limit, divisor, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if abs(seconds) < limit:
            return f"{_significant(seconds / divisor)} {unit}"
    return f"{_significant(seconds / 86400)} d"


def write_duration(seconds: float) -> str:
    """Return at least `seconds` as :func:`parse_duration` reads it, in its largest whole unit."""
    for unit, divisor in (("h", 3600), ("m", 60)):
        # A few minutes more or less are nothing in hours; to the second is for what is short.
        if seconds >= 2 * divisor and (unit == "m" or seconds % divisor == 0):
            return f"{math.ceil(seconds / divisor)}{unit}"
    return f"{math.ceil(seconds)}s"


LONGEST: Final = 1e15
"""From which on a number is shown by its power of ten: nobody counts so many digits."""


def _significant(value: float) -> str:
    is_whole = abs(value) < LONGEST and (abs(value) >= 100 or value == int(value))
    return f"{value:,.0f}" if is_whole else f"{value:.3g}"


def _parse_amount(text: str) -> tuple[float, Quantity]:
    match = _AMOUNT.fullmatch(text.strip())
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ConfigError(
            f"amount must be a number with one of {', '.join(_UNITS)}; got {text.strip()!r:.60}"
        )
    amount = float(match[1]) * unit[0]
    if amount > MOST:
        raise ConfigError(f"amount must be at most {MOST:g}; got {text.strip()!r:.60}")
    return amount, unit[1]
