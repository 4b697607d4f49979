import pytest

from leakbench.errors import UsageError
from leakbench.verdict import parse_table


def test_one_series_without_a_replicate_column() -> None:
    ((audio, values),) = parse_table(["audio_seconds,value", "60,1.5", "", "120,2e3"])
    assert audio.tolist() == [60, 120]
    assert values.tolist() == [1.5, 2000]


def test_replicates_may_alternate_and_other_columns_are_ignored() -> None:
    lines = ["note, Replicate,value,audio_seconds", "x,b,1,60", "x,a,5,60", "x,b,2,120"]
    first, second = parse_table(lines)
    assert first[1].tolist() == [1, 2]
    assert second[1].tolist() == [5]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "run.csv:1: expected columns audio_seconds,value"),
        (["time,value", "1,2"], "run.csv:1: .*found no audio_seconds; got time,value"),
        (["audio_seconds,value,value"], "run.csv:1: expected one column value, got several"),
        (["audio_seconds,value"], "run.csv: expected rows below the header"),
        (["audio_seconds,value", "1"], "run.csv:2: expected 2 fields, got 1"),
        (["audio_seconds,value", "1,2", "2,x"], "run.csv:3: value must be a number, got 'x'"),
        (["audio_seconds,value", "1,nan"], "run.csv:2: value must be finite, got 'nan'"),
        (["audio_seconds,value", "inf,1"], "run.csv:2: audio_seconds must be finite"),
        (["audio_seconds,value", "2,1", "2,1"], "run.csv:3: audio_seconds must rise"),
        (["audio_seconds,value", "0,1", "1e-300,2"], "run.csv:3: audio_seconds must rise"),
        (
            ["audio_seconds,value", "1,1e308"],
            r"run.csv:2: value must be at most 1e\+18, got 1e\+308",
        ),
        (
            ["audio_seconds,value", "1,-1e19"],
            r"run.csv:2: value must be at most 1e\+18, got -1e\+19",
        ),
        (["audio_seconds,value", "1e13,1"], r"run.csv:2: audio_seconds must be at most 1e\+12"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(lines: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_table(lines, "run.csv")
