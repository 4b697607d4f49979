"""Which cells' segments are compared with which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leakbench.conclude.replicates import Replicate
from leakbench.plan import Cell, Plan
from leakbench.record.result import Parity
from leakbench.record.trace import Begin
from leakbench.verdict.parity import compare_segments


def compare_subjects(
    plan: Plan, replicates: Mapping[str, Sequence[Replicate]]
) -> dict[str, Parity]:
    """Compare each cell with its reference, over the chunks both were fed.

    The reference of ``SUBJECT+CHANGE`` is SUBJECT where the run drives it, and otherwise, as
    for any other subject, the first one that was fed the same audio.
    """
    fed: dict[tuple[str, int, str], list[tuple[Cell, Replicate, Begin]]] = {}
    for cell in plan.cells:
        first = next(iter(replicates[cell.id]), None)
        if first is not None and first.begin is not None:
            audio = (first.begin.stimulus_sha256, cell.chunk_ms, cell.model)
            fed.setdefault(audio, []).append((cell, first, first.begin))
    parities: dict[str, Parity] = {}
    for group in fed.values():
        for cell, own, begin in group:
            unchanged = cell.subject.spec.partition("+")[0]
            reference, other, _begin = next(
                (member for member in group if member[0].subject.spec == unchanged), group[0]
            )
            if reference is cell:
                reference, other, _begin = group[0]
            if reference is not cell:
                parities[cell.id] = compare_segments(
                    other.events,
                    own.events,
                    reference_name=reference.subject.spec,
                    chunks=min(own.chunks, other.chunks),
                    chunk_seconds=begin.chunk_seconds,
                )
    return parities
