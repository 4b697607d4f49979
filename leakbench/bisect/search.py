"""Where a line of candidates changes, in the fewest measurements: pure search, no I/O.

With ``jobs`` measurements at a time the open interval is cut into ``jobs + 1`` parts, so that a
line of ``n`` takes ``ceil(log(n - 1, jobs + 1))`` rounds between its ends. What cannot be
measured is skipped, as ``git bisect skip`` does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Outcome(Enum):
    """What is known of one candidate."""

    LEAKS = "leaks"
    BOUNDED = "bounded"
    SKIPPED = "skipped"
    """It could not be measured, or its figures decide nothing."""


Measure: TypeAlias = Callable[[Sequence[int]], Mapping[int, Outcome]]
"""From positions in the line to the outcome of each; those asked for together may be measured
side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Two positions of unlike outcome with nothing measurable between them."""

    before: int
    after: int
    skipped: tuple[int, ...]
    """Positions between the two; the change is at `after` only where there are none."""
    rounds: int
    """Times that something was measured, one or several at once."""


def find_change(
    low: int, high: int, measure: Measure, *, known: Mapping[int, Outcome], jobs: int = 1
) -> Change:
    """Return where the outcome changes between `low` and `high`.

    Parameters
    ----------
    low, high
        Positions whose outcomes are in `known` and differ.
    measure
        Asked for positions that are not in `known`, up to `jobs` at a time.
    known
        Outcomes to start from; those inside narrow the search before anything is measured.
    jobs
        Measurements at a time.

    Raises
    ------
    ValueError
        When the outcomes at `low` and `high` are not one of each.

    Notes
    -----
    Where the outcome changes more than once, one of the changes is found: the newest of those
    that `known` already shows.

    With one job and S measurements that had to be skipped, at most ``ceil(log2(high - low)) +
    2 S`` are made: one after a success halves what is left, and one after a skip may not.
    """
    found = dict(known)
    if {found.get(low), found.get(high)} != {Outcome.LEAKS, Outcome.BOUNDED}:
        raise ValueError(f"the outcomes at {low} and {high} must be one of each")
    rounds = 0
    low, high = _narrow(low, high, found)
    stuck = False
    while untested := [place for place in range(low + 1, high) if place not in found]:
        chosen = _choose_apart(untested, jobs) if stuck else _spread(untested, jobs)
        news = measure(chosen)
        rounds += 1
        found.update({place: news[place] for place in chosen})
        stuck = all(news[place] is Outcome.SKIPPED for place in chosen)
        low, high = _narrow(low, high, found)
    return Change(before=low, after=high, skipped=tuple(range(low + 1, high)), rounds=rounds)


def find_all_changes(
    measure: Measure, *, known: Mapping[int, Outcome], jobs: int = 1
) -> tuple[Change, ...]:
    """Return every change that `known` shows, each searched for until nothing lies between.

    Parameters
    ----------
    measure
        As for `find_change`.
    known
        Outcomes to start from. What lies between two of the same outcome is taken to be of it.
    jobs
        Measurements at a time.
    """
    found = dict(known)

    def measure_and_note(places: Sequence[int]) -> Mapping[int, Outcome]:
        news = measure(places)
        found.update(news)
        return news

    settled: dict[tuple[int, int], Change] = {}
    while open_pairs := [pair for pair in _changes(found) if pair not in settled]:
        change = find_change(*open_pairs[0], measure_and_note, known=found, jobs=jobs)
        settled[change.before, change.after] = change
    return tuple(settled[pair] for pair in _changes(found))


def _changes(found: Mapping[int, Outcome]) -> list[tuple[int, int]]:
    """Return the pairs of measured neighbours that differ, oldest first."""
    measured = sorted(place for place in found if found[place] is not Outcome.SKIPPED)
    return [
        (before, after)
        for before, after in itertools.pairwise(measured)
        if found[before] is not found[after]
    ]


def _narrow(low: int, high: int, found: Mapping[int, Outcome]) -> tuple[int, int]:
    """Return the newest pair of measured neighbours that differ, from `low` to `high`."""
    return _changes({place: found[place] for place in found if low <= place <= high})[-1]


def _spread(places: Sequence[int], count: int) -> list[int]:
    """Return up to `count` of `places`, cutting them into parts as equal as can be."""
    count = min(count, len(places))
    left = len(places) - count
    # Part i of what is left over goes before the i-th choice, rounded so that none is larger
    # than ceil(left / (count + 1)).
    return [places[left * i // (count + 1) + i - 1] for i in range(1, count + 1)]


def _choose_apart(places: Sequence[int], count: int) -> list[int]:
    """Return up to `count` of `places`, far from the ones that were skipped.

    What fails to load tends to do so for many releases in a row: the middle of the longest
    run between skipped ones leaves such a stretch in a few steps, not one at a time.
    """
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    shares = [0] * len(runs)
    for _ in range(min(count, len(places))):
        largest = max(
            (i for i, run in enumerate(runs) if shares[i] < len(run)),
            key=lambda i: len(runs[i]) / (shares[i] + 1),
        )
        shares[largest] += 1
    return [
        place
        for run, share in zip(runs, shares, strict=True)
        if share
        for place in _spread(run, share)
    ]
