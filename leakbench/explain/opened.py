"""From three looks at what is open to what stays open, and who opens it. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from leakbench.explain.census import Driven, grows
from leakbench.explain.places import Place
from leakbench.explain.rates import rate_of
from leakbench.explain.shelves import Kept
from leakbench.explain.source import describe_lines
from leakbench.record.explanation import Opened

Look: TypeAlias = Mapping[str, Sequence[Kept]]
"""What is open by the metric that counts it."""

_BY_SIZE: Final = ("mapped_bytes", "temp_files")
"""Metrics of things that may also grow by getting larger."""


def find_opened(
    first: Look, middle: Look, last: Look, *, driven: Driven, hours: float
) -> tuple[Opened, ...]:
    """Return what stays open, of each metric and kind, most an hour first.

    Parameters
    ----------
    first, middle, last
        Equally far apart.
    driven, hours
        From the first to the last, in audio-hours.
    """
    found = []
    for metric in last:
        looks = [look.get(metric, ()) for look in (first, middle, last)]
        for what in sorted({kept.what for kept in looks[-1]}):
            found += _grown(
                metric, [_of_kind(look, what) for look in looks], driven=driven, hours=hours
            )
    return tuple(sorted(found, key=lambda opened: -opened.count_per_hour))


def _of_kind(look: Iterable[Kept], what: str) -> list[Kept]:
    return [kept for kept in look if kept.what == what]


def _grown(
    metric: str, looks: Sequence[list[Kept]], *, driven: Driven, hours: float
) -> list[Opened]:
    counts = [len(look) for look in looks]
    sizes = [sum(kept.nbytes for kept in look) for look in looks]
    by_size = metric in _BY_SIZE and grows(sizes[0], sizes[1], sizes[2])
    if not (grows(counts[0], counts[1], counts[2]) or by_size):
        return []
    first, _, last = looks
    by_count = counts[2] > counts[0]
    before, after = (_by_place(look, by_count=by_count) for look in (first, last))
    new = {place: count - before[place] for place, count in after.items()}
    grown = {place: float(count) for place, count in new.items() if count > 0}
    unseen = grown.pop((), 0.0)
    total = unseen + sum(grown.values())
    unit, rate = rate_of(counts[2] - counts[0], driven, hours)
    nbytes_per_hour = max(sizes[2] - sizes[0], 0) / hours
    return [
        Opened(
            metric=metric,
            what=last[0].what,
            example=_newest(first, last),
            amount=rate,
            per=unit,
            count_per_hour=(counts[2] - counts[0]) / hours,
            bytes_per_hour=nbytes_per_hour,
            openers=tuple(
                dataclasses.replace(line, bytes_per_hour=line.share * nbytes_per_hour)
                for line in describe_lines(grown, hours, of=total)
            ),
        )
    ]


def _by_place(look: Iterable[Kept], *, by_count: bool) -> Counter[Place]:
    found: Counter[Place] = Counter()
    for kept in look:
        found[kept.place] += 1 if by_count else kept.nbytes
    return found


def _newest(first: Iterable[Kept], last: Sequence[Kept]) -> str:
    """Return the name of one that was not there at first, or of the last there is."""
    before = Counter(kept.name for kept in first)
    for kept in reversed(last):
        if kept.name and not before[kept.name]:
            return kept.name
    return last[-1].name
