"""Whether anything has begun to grow, and whether it keeps growing."""

import pytest

from leakbench.metrics import Metric, added_metric, metric_of
from leakbench.record.trace import ObjectSize
from leakbench.worker.movement import CLIMBS, RESTING_LOOKS, Movement

SIZES = {"a": ObjectSize(3, 100, 8), "total": ObjectSize(9, 500, 8)}


def grown(*looks: dict[str, float]) -> list[bool]:
    """Return after which of some looks at the process it has grown."""
    movement = Movement()
    return [movement.has_begun({}, look) for look in looks]


@pytest.mark.parametrize(
    "size", [ObjectSize(4, 100, 8), ObjectSize(3, 101, 8), ObjectSize(3, 100, 9)]
)
def test_any_growth_of_an_object_counts(size: ObjectSize) -> None:
    movement = Movement()
    assert not movement.has_begun(SIZES, {})
    assert not movement.has_begun(SIZES, {})
    assert movement.has_begun({**SIZES, "a": size}, {})
    assert not movement.has_begun(SIZES, {})


def test_a_path_that_was_not_there_before_has_begun() -> None:
    movement = Movement()
    movement.has_begun(SIZES, {})
    assert movement.has_begun({**SIZES, "b": ObjectSize(0, 56, 0)}, {})
    assert not movement.has_begun(SIZES, {})


def test_growth_within_the_noise_of_a_metric_does_not_count() -> None:
    noise = metric_of("heap_bytes").noise
    looks = [{"heap_bytes": 1e6}, {"heap_bytes": 1e6 + noise}, {"heap_bytes": 1e6 + 2 * noise + 1}]
    assert grown(*looks) == [False, False, True]


def test_one_descriptor_more_counts_and_one_less_does_not() -> None:
    assert grown(*({"descriptors": n} for n in (5, 5, 6, 6, 5))) == [
        *(False, False, True),
        *(False, False),
    ]


def test_what_goes_up_and_down_is_news_at_each_rise() -> None:
    levels = (5, 6, 5, 6, 7, 6, 7)
    rises = [False, True, False, True, False, False, True]
    assert grown(*({"descriptors": n} for n in levels)) == rises
    movement = Movement()
    looks = [{"a": ObjectSize(n, 56 + 8 * n, 0)} for n in levels]
    assert [movement.has_begun(look, {}) for look in looks] == rises


def test_what_grows_all_the_time_is_news_once() -> None:
    movement = Movement()
    looks = [{"a": ObjectSize(n, 56 + 8 * n, 0)} for n in range(9)]
    assert [movement.has_begun(look, {}) for look in looks] == [False, True, *[False] * 7]
    assert grown(*({"descriptors": n} for n in range(5))) == [False, True, *[False] * 3]


@pytest.mark.parametrize(("rest", "is_news"), [(RESTING_LOOKS - 1, False), (RESTING_LOOKS, True)])
def test_what_rested_and_grows_again_is_news(rest: int, is_news: bool) -> None:
    levels = [5, 6, *[6] * rest, 7]
    assert grown(*({"descriptors": n} for n in levels)) == [False, True, *[False] * rest, is_news]
    movement = Movement()
    looks = [{"a": ObjectSize(n, 56 + 8 * n, 0)} for n in levels]
    seen = [movement.has_begun(look, {}) for look in looks]
    assert seen == [False, True, *[False] * rest, is_news]


def test_times_and_what_is_looked_at_rarely_do_not_count() -> None:
    looks = [{"cpu_seconds": n, "chunk_seconds": n, "uss_bytes": n * 1e9} for n in (1.0, 2.0, 3.0)]
    assert grown(*looks) == [False] * 3


def test_a_metric_that_is_added_counts() -> None:
    with added_metric(
        Metric(
            name="locks",
            words="locks",
            label="locks",
            quantity="count",
            scope="process",
            tier="banded",
        )
    ):
        assert grown({"locks": 1}, {"locks": 2}) == [False, True]


def climbing(*values: float, metric: str = "heap_bytes") -> bool:
    """Whether a metric is climbing after some looks."""
    movement = Movement()
    for value in values:
        movement.has_begun({}, {metric: value})
    return movement.is_climbing


def test_what_rises_at_each_of_the_last_looks_is_climbing() -> None:
    assert climbing(*(1e6 + 800 * n for n in range(CLIMBS + 1)))
    assert climbing(*range(CLIMBS + 1), metric="descriptors")
    # Less than the noise from look to look, more in all.
    assert climbing(*(1e6 + 300 * n for n in range(CLIMBS + 1)))


def test_what_rises_less_often_or_within_its_noise_is_not_climbing() -> None:
    assert not climbing(*(1e6 + 800 * n for n in range(CLIMBS)))
    assert not climbing(*(1e6 + 250 * n for n in range(CLIMBS + 1)))
    assert not climbing(1e6, 2e6, 3e6, 3e6)
    assert not climbing(5, 6, 7, 6, 7, metric="descriptors")


def test_what_is_forgotten_is_above_nothing() -> None:
    movement = Movement()
    for n in range(CLIMBS + 1):
        movement.has_begun({}, {"descriptors": n})
    movement.forget()
    assert not movement.is_climbing
    assert not movement.has_begun({}, {"descriptors": 99})
