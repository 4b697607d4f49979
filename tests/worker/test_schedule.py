"""When looks come: close at first, ever rarer, always on one even grid."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from leakbench.worker.schedule import (
    EARLY_CHUNKS,
    EVERY_PERIOD,
    Due,
    Pace,
    Schedule,
    stride,
)


def plan(**changes: float) -> Schedule:
    settings = {
        "chunks_per_period": 10,
        "phase": 0,
        "warmup_periods": 2,
        "period_seconds": 6.0,
        "process_interval_seconds": 6.0,
    }
    return Schedule.plan(**{**settings, **changes})  # type: ignore[arg-type]


def looks(pace: Pace, chunks: int, *due: Due) -> list[int]:
    """Return after which of so many chunks such looks are due."""
    return [chunk for chunk in range(1, chunks) if pace.due(chunk) in due]


def periods(schedule: Schedule, pace: Pace, count: int, *due: Due) -> list[int]:
    """Return the periods, from the end of warm-up, at whose phase such looks are due.

    A pace is asked in order, and once.
    """
    first = schedule.warmup_chunks + schedule.phase
    chunks = {p: first + p * schedule.chunks_per_period for p in range(count)}
    return [period for period, chunk in chunks.items() if pace.due(chunk) in due]


def test_looks_are_as_close_as_can_be_at_first_and_half_as_close_after_twice_the_time() -> None:
    assert [stride(p) for p in (-3, 0, EVERY_PERIOD - 1)] == [1, 1, 1]
    for doublings in range(1, 8):
        begins = EVERY_PERIOD << (doublings - 1)
        assert stride(begins) == stride(2 * begins - 1) == 2**doublings
        assert begins % 2**doublings == 0


def test_within_warm_up_each_period_is_looked_at_at_the_phase() -> None:
    schedule = plan(phase=3, warmup_periods=4, chunks_per_period=20)
    assert looks(Pace(schedule), 80, "everything") == [3, 23, 43, 63]


def test_a_long_run_is_looked_at_ever_more_rarely() -> None:
    schedule = plan(phase=3)
    seen = periods(schedule, Pace(schedule), 600, "everything")
    assert seen[:EVERY_PERIOD] == list(range(EVERY_PERIOD))
    assert [b - a for a, b in pairwise(seen)] == [stride(p) for p in seen[:-1]]
    assert len(seen) < 4 * EVERY_PERIOD


def test_the_process_is_looked_at_at_every_kth_period_where_periods_are_short() -> None:
    schedule = plan(chunks_per_period=2, period_seconds=1.2)
    assert schedule.process_every_periods == 8  # 9.6 s: a power of two, and at least 6 s
    objects = periods(schedule, Pace(schedule), 600, "objects", "everything")
    process = periods(schedule, Pace(schedule), 600, "everything")
    assert process[:EVERY_PERIOD] == list(range(0, 8 * EVERY_PERIOD, 8))
    assert set(process) <= set(objects)
    assert [p // 8 for p in process] == [q for q in range(75) if q % stride(q) == 0]


def test_a_period_as_long_as_the_interval_is_looked_at_every_time() -> None:
    assert plan(period_seconds=6.0).process_every_periods == 1
    assert plan(period_seconds=72.0).process_every_periods == 1
    assert plan(period_seconds=4.8).process_every_periods == 2


def test_when_something_grows_looks_are_close_again_and_thin_out_from_there() -> None:
    schedule = plan()
    pace = Pace(schedule)
    grown = 8 * EVERY_PERIOD + 16
    pace.tighten(schedule.warmup_chunks + 10 * grown)
    seen = [p for p in periods(schedule, pace, 700, "everything") if p >= grown]
    assert seen[:EVERY_PERIOD] == list(range(grown, grown + EVERY_PERIOD))
    rest = range(grown + EVERY_PERIOD, 700)
    assert seen[EVERY_PERIOD:] == [p for p in rest if p % stride(p - grown) == 0]


@given(
    grown=st.lists(st.integers(0, 900), max_size=5),
    every=st.sampled_from([1, 2, 8]),
    last=st.integers(100, 1000),
)
def test_looks_at_multiples_of_the_widest_stride_are_an_even_grid_whatever_has_grown(
    grown: list[int], every: int, last: int
) -> None:
    schedule = plan(period_seconds=6.0 / every)
    pace = Pace(schedule)
    seen = []
    for period in range(last):
        chunk = schedule.warmup_chunks + period * schedule.chunks_per_period
        if pace.due(chunk) == "everything":
            seen.append(period)
        if period in grown:
            pace.tighten(chunk)
    widest = max(every, *(stride(period) for period in seen))
    assert set(range(0, last, widest)) <= set(seen)


@given(
    chunks_per_period=st.integers(1, 30),
    phase=st.integers(0, 29),
    interval=st.sampled_from([1.0, 6.0, 30.0]),
    grown=st.sets(st.integers(0, 1500), max_size=4),
)
def test_what_is_skipped_without_asking_is_what_nothing_is_due_after(
    chunks_per_period: int, phase: int, interval: float, grown: set[int]
) -> None:
    schedule = plan(
        chunks_per_period=chunks_per_period,
        phase=phase % chunks_per_period,
        period_seconds=0.6 * chunks_per_period,
        process_interval_seconds=interval,
    )
    pace = Pace(schedule)
    for chunk in range(1, 1500):
        thorough = pace._due(chunk)
        assert pace.due(chunk) == thorough
        if chunk in grown and schedule.period(chunk) is not None:
            pace.tighten(chunk)


def test_two_periods_after_warm_up_are_looked_at_chunk_by_chunk() -> None:
    schedule = plan()
    dense = [c for c in range(20, 61) if Pace(schedule).due(c) != "nothing"]
    assert dense == [*range(20, 41), 50, 60]


def test_long_periods_are_looked_at_chunk_by_chunk_only_so_far() -> None:
    schedule = plan(chunks_per_period=1200, warmup_periods=1, period_seconds=720.0)
    dense = [c for c in range(1200, 3600) if Pace(schedule).due(c) != "nothing"]
    assert dense == [*range(1200, 1601), 2400]


def test_the_first_chunks_are_looked_at_one_by_one_unsettled() -> None:
    schedule = plan()
    assert looks(Pace(schedule), 20, "early") == list(range(1, EARLY_CHUNKS + 1))


def test_a_look_that_counts_is_never_an_early_one() -> None:
    schedule = plan(chunks_per_period=2, warmup_periods=2, period_seconds=1.2)
    pace = Pace(schedule)
    assert [pace.due(chunk) for chunk in range(1, 9)] == [
        *["early"] * 3,
        "everything",
        *["objects"] * 4,
    ]


def test_the_process_is_looked_at_after_each_chunk_of_two_periods_once() -> None:
    schedule = plan()
    pace = Pace(schedule)
    pace.look_at_each_chunk(120)
    assert looks(pace, 200, "everything")[11:] == [*range(120, 141), 150, 160, 170, 180, 190]
    pace.look_at_each_chunk(210)
    assert pace.due(213) == "nothing"


def test_of_long_periods_the_process_is_looked_at_after_each_chunk_only_so_far() -> None:
    schedule = plan(chunks_per_period=1200, period_seconds=720.0)
    pace = Pace(schedule)
    pace.look_at_each_chunk(4800)
    assert looks(pace, 7300, "everything")[3:] == [*range(4800, 5201), 6000, 7200]


def test_looks_that_are_dear_come_no_closer_and_never_chunk_by_chunk() -> None:
    schedule = plan()
    pace = Pace(schedule)
    pace.spare(8)
    pace.look_at_each_chunk(200)
    assert looks(pace, 500, "objects", "everything") == [20, 100, 180, 260, 340, 420]
    pace.spare(2)
    pace.tighten(420)
    assert looks(pace, 900, "objects", "everything")[5:] == [420, 500, 580, 660, 740, 820]


def test_a_look_is_due_when_all_has_been_fed() -> None:
    schedule = plan()
    last = schedule.warmup_chunks + 197 * schedule.chunks_per_period
    assert looks(Pace(schedule), last + 1, "everything")[-1] == last - 50
    assert looks(Pace(schedule, last), last + 1, "everything")[-2:] == [last - 50, last]
