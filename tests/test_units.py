import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakbench.errors import ConfigError
from leakbench.units import (
    Exposure,
    format_bytes,
    format_duration,
    parse_budget,
    parse_duration,
    parse_size,
    write_duration,
)

EXPOSURE = Exposure(chunks_per_hour=6000, segments_per_hour=600, streams_per_hour=2)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7200), ("600ms", 0.6), (" 1.5 H ", 5400), ("1d", 86400)],
)
def test_durations_are_read_in_every_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "-5m", "0s", "five minutes", "10 parsecs", "nan s"])
def test_a_bad_duration_is_refused_with_what_was_typed(text: str) -> None:
    with pytest.raises(ConfigError, match="duration must be") as error:
        parse_duration(text)
    assert repr(text) in str(error.value)


def test_sizes_are_read_in_binary_and_decimal_units() -> None:
    assert parse_size("4 GiB") == 4 * 2**30
    assert parse_size("1.5MB") == 1_500_000


@pytest.mark.parametrize("text", ["0 B", "3 elements", "big", "4"])
def test_a_bad_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "per_hour"),
    [
        ("64 KiB/h", 65536),
        ("1 MiB/day", 2**20 / 24),
        ("1 KiB/min", 61440),
        ("16 B/segment", 9600),
        ("1 element/chunk", 6000),
        ("8 B/stream", 16),
        ("64 KiB/h + 16 B/segment", 65536 + 9600),
        ("2 ms/h", 0.002),
    ],
)
def test_a_budget_is_an_amount_an_audio_hour(text: str, per_hour: float) -> None:
    budget = parse_budget(text)
    assert budget.per_hour(EXPOSURE) == pytest.approx(per_hour)
    assert str(budget) == text


@pytest.mark.parametrize(
    "text", ["", "64 KiB", "64/h", "KiB/h", "64 KiB/fortnight", "-1 B/h", "1 B/h + 1 element/h"]
)
def test_a_bad_budget_is_refused_with_what_was_typed(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_budget(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["9" * 400 + "h", "1000001h", "9" * 30 + "d"])
def test_a_duration_that_no_number_can_count_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="at most 1e\\+06h") as error:
        parse_duration(text)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("amount", ["9" * 400, "1000000001"])
def test_an_amount_that_nothing_can_hold_is_refused(amount: str) -> None:
    with pytest.raises(ConfigError, match="size must be"):
        parse_size(f"{amount} GiB")
    with pytest.raises(ConfigError, match="amount must be at most"):
        parse_budget(f"{amount} GiB/h")


@given(st.floats(0.01, 1e6))
def test_a_duration_is_written_as_it_is_read_and_never_too_short(seconds: float) -> None:
    read = parse_duration(write_duration(seconds))
    assert seconds <= read <= seconds + 60


def test_a_duration_is_written_in_its_largest_whole_unit() -> None:
    assert [write_duration(s) for s in (45, 90.5, 600, 601, 7200, 7260, 36_000)] == [
        *("45s", "91s", "10m", "11m", "2h", "121m", "10h"),
    ]


def test_a_budget_a_segment_needs_to_know_the_segments() -> None:
    with pytest.raises(ConfigError, match="number of segments"):
        parse_budget("16 B/segment").per_hour()


@given(st.floats(min_value=0, max_value=1e15))
def test_formatted_bytes_stay_within_a_percent(count: float) -> None:
    number, unit = format_bytes(count).split()
    scale = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit]
    # Below 1 byte and at a unit's edge, three digits are all there is.
    assert math.isclose(float(number.replace(",", "")) * scale, count, rel_tol=0.01, abs_tol=0.5)


def test_durations_are_written_in_the_unit_that_reads_best() -> None:
    assert [format_duration(s) for s in (45, 720, 7200, 90_000, 400_000)] == [
        "45 s",
        "12 min",
        "2 h",
        "25 h",
        "4.63 d",
    ]


def test_a_duration_beyond_all_counting_is_still_short() -> None:
    assert format_duration(86400 * 1.5e240) == "1.5e+240 d"
    assert format_duration(86400 * 1e6) == "1,000,000 d"
