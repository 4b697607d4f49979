"""What growth comes with: each chunk, each segment, each stream, or only the period."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np

from leakbench.trace import Column

RatePer: TypeAlias = Literal["chunk", "segment", "stream", "period"]

NEARLY_ALL: Final = 0.9
"""Share of chunks that must grow: the first chunks of a stream may still fill a context."""


def select_dense(column: Column, *, chunk_seconds: float, chunks_per_period: int) -> Column:
    """Return the longest stretch sampled after every chunk, cut to whole periods.

    The first row is the one before the first chunk of the stretch, so there are a whole
    number of periods plus one; fewer than one period gives an empty column.
    """
    spacing = np.diff(column.audio_seconds)
    breaks = np.flatnonzero(np.abs(spacing - chunk_seconds) > 1e-3 * chunk_seconds)
    edges = np.concatenate(([-1], breaks, [len(column) - 1]))
    longest = int(np.argmax(np.diff(edges)))
    start, stop = int(edges[longest]) + 1, int(edges[longest + 1]) + 1
    periods = (stop - start - 1) // chunks_per_period
    rows = np.zeros(len(column), dtype=np.bool_)
    if periods >= 1:
        # The later chunks are kept: the first ones are nearest to the warm-up.
        rows[stop - periods * chunks_per_period - 1 : stop] = True
    return column.where(rows)


def attribute(
    dense: Column, growth_per_period: float, *, chunks_per_period: int
) -> tuple[float, RatePer]:
    """Say what the growth of a period comes with.

    Parameters
    ----------
    dense
        Values after every chunk over whole periods, and the one before the first of them,
        as :func:`select_dense` returns: shape (k * chunks_per_period + 1,).
    growth_per_period
        Growth a period, as :func:`~leakbench.verdict.exact.judge_exact` found it.

    Returns
    -------
    The growth each chunk, segment or stream, and which. ``period`` where the values fall
    within the period, or rise at other chunks than those: then no single cause fits.
    """
    growth = np.diff(dense.values)
    if growth_per_period <= 0 or not np.any(growth > 0) or np.any(growth < 0):
        return growth_per_period, "period"
    grown = growth_per_period * len(growth) / chunks_per_period
    rises = growth > 0
    if rises.mean() >= NEARLY_ALL:
        return grown / len(growth), "chunk"
    streams, segments = np.diff(dense.streams), np.diff(dense.segments)
    if streams.sum() and np.array_equal(rises, streams > 0):
        return grown / int(streams.sum()), "stream"
    # A segment is counted at the chunk that closes it but may have been stored at the one
    # that opened it, so as many rises as segments are enough.
    if segments.sum() and rises.sum() == np.count_nonzero(segments):
        return grown / int(segments.sum()), "segment"
    return growth_per_period, "period"
