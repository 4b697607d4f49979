from leakbench.worker.sampling import Schedule


def plan(**changes: float) -> Schedule:
    settings = {
        "chunks_per_period": 10,
        "phase": 0,
        "warmup_periods": 2,
        "period_seconds": 6.0,
        "process_interval_seconds": 30.0,
    }
    return Schedule.plan(**{**settings, **changes})  # type: ignore[arg-type]


def test_objects_are_looked_at_once_a_period_at_the_phase() -> None:
    schedule = plan(phase=3)
    late = range(200, 240)
    assert [c for c in late if schedule.looks_at_objects(c)] == [203, 213, 223, 233]


def test_two_periods_after_warm_up_are_looked_at_chunk_by_chunk() -> None:
    schedule = plan()
    assert [c for c in range(1, 60) if schedule.looks_at_objects(c)] == [10, *range(20, 41), 50]


def test_long_periods_are_looked_at_chunk_by_chunk_only_so_far() -> None:
    schedule = plan(chunks_per_period=1200, warmup_periods=1)
    dense = [c for c in range(1200, 3600) if schedule.looks_at_objects(c)]
    assert dense == [*range(1200, 1601), 2400]


def test_the_process_is_looked_at_at_the_phase_and_not_more_often_than_asked() -> None:
    schedule = plan(phase=3)
    looks = [c for c in range(300) if schedule.looks_at_process(c)]
    assert looks == [3, 53, 103, 153, 203, 253]
    assert all(schedule.looks_at_objects(c) for c in looks)


def test_a_period_longer_than_the_interval_is_looked_at_every_time() -> None:
    schedule = plan(chunks_per_period=120, period_seconds=72.0)
    assert [c for c in range(1, 400) if schedule.looks_at_process(c)] == [120, 240, 360]
