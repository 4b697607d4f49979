"""What growth comes with: each chunk, each segment, each stream, or only the period."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np

from leakbench.record.trace import Column

RatePer: TypeAlias = Literal["chunk", "segment", "stream", "period"]

MIN_CHUNKS: Final = 20
"""Chunks in a row below which nothing is said."""
NEARLY_ALL: Final = 0.9
"""Share of chunks that must grow: the first chunks of a stream may still fill a context."""


def select_dense(column: Column, *, chunk_seconds: float) -> Column:
    """Return the longest stretch of `column` that was sampled after every chunk."""
    if not len(column):
        return column
    spacing = np.diff(column.audio_seconds)
    breaks = np.flatnonzero(np.abs(spacing - chunk_seconds) > 1e-3 * chunk_seconds)
    edges = np.concatenate(([-1], breaks, [len(column) - 1]))
    longest = int(np.argmax(np.diff(edges)))
    rows = np.zeros(len(column), dtype=np.bool_)
    rows[int(edges[longest]) + 1 : int(edges[longest + 1]) + 1] = True
    return column.where(rows)


def attribute(
    dense: Column,
    growth_per_period: float,
    *,
    chunks_per_period: int,
    segments_per_period: float = 0.0,
    streams_per_period: float = 0.0,
    wobble: float = 0.0,
) -> tuple[float, RatePer]:
    """Say what the growth of a period comes with.

    Parameters
    ----------
    dense
        Values after every chunk, as :func:`select_dense` returns, of a period or more where
        there are so many.
    growth_per_period
        Growth a period, as :func:`~leakbench.verdict.exact.judge_exact` found it.
    chunks_per_period, segments_per_period, streams_per_period
        What a period holds.
    wobble
        Moves up to this size, up or down, are none.

    Returns
    -------
    The growth each chunk, segment or stream, and which. ``period`` where the values fall
    within the period, or rise at other chunks than those: then no single cause fits.
    """
    growth = np.diff(dense.values)
    rises = growth > wobble
    falls = growth < -wobble
    if len(growth) < min(MIN_CHUNKS, chunks_per_period) or not rises.any() or falls.any():
        return growth_per_period, "period"
    if rises.mean() >= NEARLY_ALL:
        return growth_per_period / chunks_per_period, "chunk"
    streams, segments = np.diff(dense.streams), np.diff(dense.segments)
    if streams_per_period and np.array_equal(rises, streams > 0):
        return growth_per_period / streams_per_period, "stream"
    # A segment is counted at the chunk that closes it but may have been stored at the one
    # that opened it, so as many rises as segments are enough.
    if segments_per_period and rises.sum() == np.count_nonzero(segments):
        return growth_per_period / segments_per_period, "segment"
    return growth_per_period, "period"
