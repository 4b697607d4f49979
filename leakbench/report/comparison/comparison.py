"""Two runs side by side: what grows now that did not, and what no longer does.

Comparing is pure: results in, comparison out. It takes the verdicts as they stand and sets
them beside each other; it does not judge anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.record.result import CellResult, MetricResult, Parity, Result

Change: TypeAlias = Literal[
    "newly growing", "still growing", "no longer growing", "not growing", "not decided"
]
CHANGE_ORDER: Final[tuple[Change, ...]] = (
    "newly growing",
    "still growing",
    "not decided",
    "no longer growing",
    "not growing",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathComparison:
    """One path and metric of a pair of cells."""

    path: str
    metric: str
    before: MetricResult | None
    """None where BEFORE never held the path."""
    after: MetricResult | None
    """None where AFTER never held it."""
    change: Change

    @property
    def ratio(self) -> float | None:
        """Growth after divided by growth before; None where before is not surely above 0."""
        if self.before is None or self.after is None:
            return None
        before, low = self.before.slope_per_audio_hour, self.before.low
        after = self.after.slope_per_audio_hour
        if before is None or after is None or not before > 0 or not math.isfinite(after):
            return None
        return after / before if low is None or low > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellComparison:
    """A cell of BEFORE and the cell of AFTER that was driven alike."""

    before: CellResult | None
    """None where only AFTER has the cell."""
    after: CellResult | None
    """None where only BEFORE has it."""
    paths: tuple[PathComparison, ...]
    """Newly growing first, then by growth."""
    parity: Parity | None
    """Whether AFTER's segments are BEFORE's; None where that is not known."""

    @property
    def regressed(self) -> bool:
        """Whether AFTER leaks where BEFORE did not.

        A path that leaks only after; or a cell with nothing to compare with that leaks and
        was not said to.
        """
        if self.after is None:
            return False
        if self.before is None:
            return self.after.verdict == "leak" and not self.after.as_expected
        return any(path.change == "newly growing" for path in self.paths)

    @property
    def cell(self) -> CellResult:
        """The cell of AFTER, or of BEFORE where there is no other."""
        found = self.after or self.before
        assert found is not None, "a pair holds at least one cell"
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs, cell by cell."""

    before_name: str
    after_name: str
    cells: tuple[CellComparison, ...]

    @property
    def regressed(self) -> bool:
        """Whether any cell leaks after where it did not before."""
        return any(cell.regressed for cell in self.cells)


def compare(
    before: Result,
    after: Result,
    *,
    before_name: str = "before",
    after_name: str = "after",
    parities: Mapping[str, Parity] | None = None,
) -> Comparison:
    """Set two runs side by side.

    Parameters
    ----------
    before, after
        The runs. Cells are paired by subject, scenario, chunk and model; those left over by
        scenario, chunk and model, in order, so that a run of one subject can be compared with
        a run of another.
    before_name, after_name
        What to call the runs.
    parities
        Cell id in `after` to whether its segments are those of the cell it is paired with,
        where the caller has read them; otherwise what `after` says of a reference of
        BEFORE's subject is used.
    """
    parities = parities or {}
    return Comparison(
        before_name=before_name,
        after_name=after_name,
        cells=tuple(
            CellComparison(
                before=old,
                after=new,
                paths=_compare_paths(old, new) if old and new else (),
                parity=_parity(old, new, parities),
            )
            for old, new in pair_cells(before.cells, after.cells)
        ),
    )


def pair_cells(
    before: Sequence[CellResult], after: Sequence[CellResult]
) -> list[tuple[CellResult | None, CellResult | None]]:
    """Return the pairs of cells that were driven alike, then those without a counterpart."""
    free = list(before)
    found: dict[str, CellResult] = {}
    for alike in (_same_subject, CellResult.driven_as):
        for new in after:
            old = next((c for c in free if new.id not in found and alike(c, new)), None)
            if old is not None:
                free.remove(old)
                found[new.id] = old
    pairs: list[tuple[CellResult | None, CellResult | None]] = [
        (found[new.id], new) for new in after if new.id in found
    ]
    pairs += [(None, new) for new in after if new.id not in found]
    return pairs + [(old, None) for old in free]


def _same_subject(one: CellResult, other: CellResult) -> bool:
    return one.subject == other.subject and one.driven_as(other)


def _compare_paths(before: CellResult, after: CellResult) -> tuple[PathComparison, ...]:
    old = {(m.path, m.metric): m for m in before.metrics}
    new = {(m.path, m.metric): m for m in after.metrics}
    paths = [
        PathComparison(
            path=path,
            metric=metric,
            before=old.get((path, metric)),
            after=new.get((path, metric)),
            change=_change(
                old.get((path, metric)),
                new.get((path, metric)),
                cell_leaked=before.verdict == "leak",
            ),
        )
        for path, metric in dict.fromkeys((*new, *old))
    ]
    return tuple(sorted(paths, key=_order))


def _change(
    before: MetricResult | None, after: MetricResult | None, *, cell_leaked: bool
) -> Change:
    """Return what became of a path, from the verdicts on it that count."""
    leaked, leaks = (m is not None and m.gated and m.verdict == "leak" for m in (before, after))
    if leaks and before is not None and before.verdict == "undecided":
        # A run too short to be sure of a leak is no proof that there was none.
        return "still growing" if _may_have_grown(before, after, cell_leaked) else "newly growing"
    if leaks:
        return "still growing" if leaked else "newly growing"
    if after is not None and after.gated and after.verdict == "undecided":
        return "not decided"
    return "no longer growing" if leaked else "not growing"


def _may_have_grown(before: MetricResult, after: MetricResult | None, cell_leaked: bool) -> bool:
    """Whether an undecided path may have grown as fast before.

    By its interval; where there is none, by whether its cell leaked at all.
    """
    if after is None or before.high is None or after.low is None:
        return cell_leaked
    return before.high >= after.low


def _order(path: PathComparison) -> tuple[object, ...]:
    results = [m for m in (path.after, path.before) if m is not None]
    explained = any(m.explained_by for m in results)
    growth = max(m.slope_per_audio_hour or 0.0 for m in results)
    scaled = growth if metric_of(path.metric).quantity == "bytes" else 0.0
    process = path.path == PROCESS_PATH
    return (CHANGE_ORDER.index(path.change), process, explained, -scaled, path.path, path.metric)


def _parity(
    before: CellResult | None, after: CellResult | None, read: Mapping[str, Parity]
) -> Parity | None:
    if before is None or after is None:
        return None
    if after.id in read:
        return read[after.id]
    told = after.parity
    return told if told is not None and told.reference == before.subject else None
