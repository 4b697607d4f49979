"""Every buffer against a plain list, and what is its own."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.fixes.buffers import (
    BlockPool,
    CleanupTrack,
    PooledTrack,
    RingTrack,
    Track,
    WindowTrack,
)

KEEP, EVERY = 7, 10

TRACKS: dict[str, Callable[[int], Track]] = {
    "ring": lambda start: RingTrack(KEEP, start),
    "window": lambda start: WindowTrack(KEEP, start),
    "cleanup": lambda start: CleanupTrack(KEEP, EVERY, start),
    "pool": lambda start: PooledTrack(BlockPool(), KEEP, start),
}
every_track = pytest.mark.parametrize("kind", TRACKS)
run = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 10)), max_size=40)


def values(start: int, size: int) -> np.ndarray:
    return np.arange(start, start + size, dtype=np.float32)


@every_track
@given(start=st.integers(0, 50), run=run)
@settings(max_examples=150, deadline=None)
def test_holds_what_a_list_that_drops_nothing_would_hold(kind, start, run):
    track = TRACKS[kind](start)
    everything: list[float] = []
    needed = 0
    for size, behind in run:
        before = start + len(everything)
        needed = max(before - behind, needed)  # what was given up is not asked for again
        track.append(values(before, size), needed)
        everything += values(before, size).tolist()
        assert track.end == start + len(everything)
        # What is needed of the last KEEP, and all of the last append.
        assert track.start <= max(needed, before - KEEP, start)
        held = track.read(track.start)
        assert held.tolist() == everything[track.start - start :]
        for index in range(track.start, track.end):
            assert track.item(index) == everything[index - start]
        middle = (track.start + track.end) // 2
        assert track.read(middle).tolist() == everything[middle - start :]


@every_track
@given(sizes=st.lists(st.integers(1, 6), min_size=60, max_size=90))
@settings(max_examples=30, deadline=None)
def test_what_is_held_is_bounded_however_much_is_appended(kind, sizes):
    track = TRACKS[kind](0)
    for size in sizes:
        track.append(values(track.end, size), max(track.end - 3, 0))
        assert track.end - track.start <= KEEP + EVERY + 2 * 6


@every_track
def test_what_is_never_consumed_is_bounded_too(kind):
    track = TRACKS[kind](0)
    for _ in range(200):
        track.append(values(track.end, 4), 0)
        assert track.end - track.start <= KEEP + EVERY + 2 * 4


@every_track
def test_an_index_that_is_not_held_is_an_error(kind):
    track = TRACKS[kind](0)
    with pytest.raises(IndexError, match="outside of what is held"):
        track.item(0)
    for _ in range(30):
        track.append(values(track.end, 4), track.end)
    for index in (-1, 0, track.start - 1, track.end):
        with pytest.raises(IndexError, match=f"index {index} is outside"):
            track.item(index)


@every_track
def test_what_was_read_does_not_change_afterwards(kind):
    track = TRACKS[kind](0)
    track.append(values(0, 5), 0)
    read = track.read(0)
    for _ in range(20):
        track.append(values(track.end, 5), track.end)
    assert read.tolist() == [0, 1, 2, 3, 4]


@every_track
def test_values_appended_are_copied(kind):
    track = TRACKS[kind](0)
    mine = values(0, 5)
    track.append(mine, 0)
    mine[:] = -1
    assert track.read(0).tolist() == [0, 1, 2, 3, 4]


@every_track
def test_reserving_more_keeps_more_from_then_on(kind):
    track = TRACKS[kind](0)
    track.append(values(0, 5), 0)
    track.reserve(25)
    for _ in range(20):
        track.append(values(track.end, 5), 0)
    assert track.end - 5 - track.start >= 25


def test_a_ring_overwrites_in_place():
    ring = RingTrack(4)
    ring.append(values(0, 2), 0)
    memory = ring._ring
    for _ in range(50):
        ring.append(values(ring.end, 2), 0)
    assert ring._ring is memory
    assert len(memory) == 6
    assert ring.read(0).tolist() == [96, 97, 98, 99, 100, 101]


def test_a_window_is_exactly_as_long_as_asked():
    window = WindowTrack(4)
    for _ in range(10):
        window.append(values(window.end, 3), 0)
    assert window.end - window.start == 4 + 3


def test_a_cleanup_waits_until_it_is_due():
    track = CleanupTrack(2, every=10)
    held = []
    for _ in range(12):
        track.append(values(track.end, 2), track.end)
        held.append(track.end - track.start)
    assert held == [2, 4, 6, 8, 10, 2, 4, 6, 8, 10, 2, 4]


def test_a_pool_allocates_no_more_than_is_lent_at_once():
    pool = BlockPool()
    for _ in range(5):
        streams = [PooledTrack(pool, KEEP) for _ in range(3)]
        for _ in range(50):
            for stream in streams:
                stream.append(values(stream.end, 3), stream.end)
        del streams, stream
        assert pool.allocated == 3
        assert pool.free_blocks == 3


def test_a_block_lent_again_shows_nothing_of_its_last_stream():
    pool = BlockPool()
    first = PooledTrack(pool, KEEP)
    first.append(values(100, 5), 0)
    del first
    second = PooledTrack(pool, KEEP)
    assert second.read(0).tolist() == []
    second.append(values(0, 2), 0)
    assert second.read(0).tolist() == [0, 1]
