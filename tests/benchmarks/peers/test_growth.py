import pytest

from benchmarks.peers.growth import format_growth, is_leak, line_per_hour, per_hour, settled

CHUNKS_PER_HOUR = 6000


def test_growth_is_scaled_to_an_hour_of_audio() -> None:
    assert per_hour(100.0, CHUNKS_PER_HOUR / 2) == pytest.approx(200.0)


def test_a_line_through_a_ramp_is_its_growth_an_hour() -> None:
    assert line_per_hour([0, 1000, 2000], CHUNKS_PER_HOUR) == pytest.approx(2000.0)


def test_a_line_through_a_constant_is_flat() -> None:
    assert line_per_hour([7.0] * 5, 100) == pytest.approx(0.0)


def test_more_than_a_mebibyte_an_hour_is_a_leak_and_just_that_is_not() -> None:
    assert is_leak(2**20 + 1)
    assert not is_leak(2**20)
    assert not is_leak(-(2**22))


def test_growth_counts_after_the_first_third() -> None:
    assert settled(400) == 133


@pytest.mark.parametrize(
    ("size", "text"),
    [(1536, "+1.5 KiB"), (-1536, "-1.5 KiB"), (0, "0 B"), (-1e-9, "0 B"), (1e-9, "0 B")],
)
def test_growth_has_its_sign_and_rounding_none(size: float, text: str) -> None:
    assert format_growth(size) == text
