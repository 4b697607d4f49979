from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakbench.errors import ScenarioError
from leakbench.scenario import Part, Reach, Scenario, load_scenario, shipped_scenarios

SPEECH = """
[[parts]]
kind = "speech"
seconds = 3.0
level_dbfs = -23
"""
MINIMAL = f"period_seconds = 3.0\n{SPEECH}"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_scenario(text: str) -> Path:
        path = tmp_path / "x.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_scenario


def refusal(path: Path | str) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(str(path))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_shipped_scenario_loads_and_fits_chunks_of_60_200_and_600_ms() -> None:
    assert set(shipped_scenarios()) == {
        "silence",
        "noise",
        "alternating",
        "long-speech",
        "bursts",
        "recorded",
        "reconnect",
    }
    for name in shipped_scenarios():
        scenario = load_scenario(name)
        assert scenario.name == name
        assert scenario.description
        assert scenario.chunk_ms == 600
        assert scenario.generate == {"dynamic_silence": False}
        assert scenario.reach != Reach()
        for chunk_ms in (60, 200, 600):
            scenario.check_chunk(chunk_ms)


def test_every_shipped_scenario_drives_at_least_eight_periods_by_default() -> None:
    for name in set(shipped_scenarios()) - {"recorded"}:
        scenario = load_scenario(name)
        assert scenario.period_seconds is not None
        assert scenario.audio_seconds >= 8 * scenario.period_seconds
        assert scenario.audio_seconds >= (scenario.warmup_periods + 6) * scenario.period_seconds


def test_a_minimal_file_gets_defaults(write: Write) -> None:
    path = write(MINIMAL)
    scenario = load_scenario(str(path))
    assert scenario == Scenario(
        name="x",
        period_seconds=3.0,
        parts=(Part(kind="speech", seconds=3.0, level_dbfs=-23.0),),
        source=path,
    )
    assert scenario.stream_seconds is None
    assert scenario.reach == Reach()


def test_what_a_file_says_is_what_the_scenario_holds(write: Write) -> None:
    scenario = load_scenario(
        str(
            write(
                f"""
                name = "<script>"
                chunk_ms = 60
                warmup_periods = 0
                audio_seconds = 90
                stream_seconds = 1.5
                phase_seconds = 0.6
                {MINIMAL}
                [generate]
                max_end_silence_time = 500
                tags = ["a", "b"]
                [reach]
                min_segments_per_period = 2
                max_segments_per_period = 2
                min_silence_share = 0.5
                """
            )
        )
    )
    assert scenario.name == "<script>"
    assert scenario.generate == {"max_end_silence_time": 500, "tags": ["a", "b"]}
    assert scenario.reach == Reach(
        min_segments_per_period=2.0, max_segments_per_period=2.0, min_silence_share=0.5
    )
    assert scenario.chunks_per_period(60) == 50
    assert scenario.chunks_per_stream(60) == 25
    assert scenario.phase_chunk(60) == 10


def test_a_stream_may_span_several_periods(write: Write) -> None:
    scenario = load_scenario(str(write(f"stream_seconds = 9\n{MINIMAL}")))
    assert scenario.chunks_per_stream(600) == 15


def test_a_scenario_of_an_endless_stream_has_no_chunks_per_stream(write: Write) -> None:
    assert load_scenario(str(write(MINIMAL))).chunks_per_stream(600) is None


def test_an_unknown_name_lists_the_shipped_ones_and_the_close_one() -> None:
    message = refusal("silense")
    assert "alternating, bursts, long-speech, noise, reconnect, recorded, silence" in message
    assert "did you mean silence?" in message


def test_a_missing_file_is_named() -> None:
    assert refusal("no/such.toml") == "no/such.toml: expected a TOML file, found none"


def test_a_folder_is_not_a_scenario(tmp_path: Path) -> None:
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    assert refusal(folder) == f"{folder}: cannot be read: Is a directory"


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"name = '\xff'")
    assert refusal(path) == f"{path}: not UTF-8 text at byte 8"


def test_invalid_toml_tells_the_line(write: Write) -> None:
    message = refusal(write("chunk_ms = 600\nperiod_seconds = = 3\n"))
    assert message.startswith(f"{write('')}: not valid TOML: ")
    assert "line 2" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"chunk_msec = 60\n{MINIMAL}", "unknown key chunk_msec; did you mean chunk_ms?"),
        (f"{MINIMAL}loud = true", "unknown key parts[1].loud; use kind, seconds, level_dbfs"),
        (
            f"{MINIMAL}[reach]\nmin_segments = 1",
            "unknown key reach.min_segments; did you mean min_segments_per_period?",
        ),
        (f"chunk_ms = 60.0\n{MINIMAL}", "chunk_ms must be a whole number, got 60.0"),
        (f"chunk_ms = true\n{MINIMAL}", "chunk_ms must be a whole number, got True"),
        (f"chunk_ms = -10\n{MINIMAL}", "chunk_ms must be > 0, got -10"),
        (f"chunk_ms = 0\n{MINIMAL}", "chunk_ms must be > 0, got 0"),
        (f"description = 3\n{MINIMAL}", "description must be text, got 3"),
        (f"recordings = 1\n{MINIMAL}", "recordings must be true or false, got 1"),
        (f"audio_seconds = nan\n{MINIMAL}", "audio_seconds must be a finite number, got nan"),
        (f"audio_seconds = inf\n{MINIMAL}", "audio_seconds must be a finite number, got inf"),
        (f"audio_seconds = '10m'\n{MINIMAL}", "audio_seconds must be a finite number, got '10m'"),
        (f"audio_seconds = 0\n{MINIMAL}", "audio_seconds must be > 0, got 0.0"),
        (
            f"audio_seconds = 6\n{MINIMAL}",
            "audio_seconds must be longer than the warm-up (2 periods of 3 s), got 6",
        ),
        (f"warmup_periods = -1\n{MINIMAL}", "warmup_periods must be >= 0, got -1"),
        (
            f"phase_seconds = 3\n{MINIMAL}",
            "phase_seconds must be >= 0 and less than the period, got 3.0",
        ),
        (
            f"phase_seconds = 0.7\n{MINIMAL}",
            "phase 0.7 s is not a whole number of 600 ms chunks; choose 100 ms",
        ),
        (
            f"stream_seconds = 2\n{MINIMAL}",
            "stream_seconds must divide the period (3 s) or be a multiple of it, got 2.0",
        ),
        (f"name = ''\n{MINIMAL}", "name must be printable and without a slash, got ''"),
        (f"name = 'a/b'\n{MINIMAL}", "name must be printable and without a slash, got 'a/b'"),
        (SPEECH, "period_seconds must be given, got none"),
        (
            f"period_seconds = 4.2\n{SPEECH}",
            "period_seconds must be the sum of its parts (3 s), got 4.2",
        ),
        (f"period_seconds = -3\n{SPEECH}", "period_seconds must be > 0, got -3.0"),
        (
            "period_seconds = 6",
            "parts must hold at least one part, or recordings must be true",
        ),
        (
            "period_seconds = 6\nparts = 3",
            "parts must be tables, each headed [[parts]], got 3",
        ),
        (
            "period_seconds = 6\n[[parts]]\nkind = 'hum'\nseconds = 6",
            "parts[1].kind must be one of speech, silence, noise, got 'hum'",
        ),
        (
            "period_seconds = 6\n[[parts]]\nkind = 'silence'\nseconds = 0",
            "parts[1].seconds must be > 0, got 0.0",
        ),
        (
            "period_seconds = 6\n[[parts]]\nkind = 'silence'\nseconds = 6\nlevel_dbfs = -90",
            "parts[1].level_dbfs must be left out for silence, which is zeros; got -90.0",
        ),
        (
            "period_seconds = 6\n[[parts]]\nkind = 'noise'\nseconds = 6",
            "parts[1].level_dbfs must be between -150 and 0, got None",
        ),
        (
            "period_seconds = 6\n[[parts]]\nkind = 'noise'\nseconds = 6\nlevel_dbfs = 3",
            "parts[1].level_dbfs must be between -150 and 0, got 3.0",
        ),
        (
            "period_seconds = 7200\naudio_seconds = 1e6\n"
            "[[parts]]\nkind = 'silence'\nseconds = 7200",
            "period_seconds must be at most 3600, got 7200.0",
        ),
        (
            f"recordings = true\n{MINIMAL}",
            "parts and period_seconds must be left out where recordings = true",
        ),
        (
            "recordings = true\nstream_seconds = 6",
            "stream_seconds must be left out where recordings = true",
        ),
        (f"generate = 3\n{MINIMAL}", "generate must be a table, got 3"),
        (
            f"{MINIMAL}[generate]\nsince = 2026-01-01",
            "generate must hold text, finite numbers, booleans, lists and tables only: "
            "Object of type date is not JSON serializable",
        ),
        (
            f"{MINIMAL}[generate]\nthreshold = nan",
            "generate must hold text, finite numbers, booleans, lists and tables only: "
            "Out of range float values are not JSON compliant",
        ),
        (
            f"{MINIMAL}[reach]\nmin_speech_share = 1.5",
            "reach.min_speech_share must be between 0 and 1, got 1.5",
        ),
        (
            f"{MINIMAL}[reach]\nmin_segments_per_period = -1",
            "reach.min_segments_per_period must be >= 0, got -1.0",
        ),
        (
            f"{MINIMAL}[reach]\nmin_segments_per_period = 3\nmax_segments_per_period = 2",
            "reach.min_segments_per_period must be at most max_segments_per_period (2), got 3",
        ),
    ],
)
def test_bad_values_are_refused_in_one_line(write: Write, text: str, expected: str) -> None:
    path = write(text)
    message = refusal(path)
    assert message.startswith(f"{path}: {expected}")


def test_a_huge_wrong_value_is_shortened(write: Write) -> None:
    message = refusal(write(f"chunk_ms = [{', '.join(['1'] * 10_000)}]\n{MINIMAL}"))
    assert len(message) < 300


def test_a_file_is_named_as_the_reader_would_write_it(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("chunk_ms = 'a'")
    monkeypatch.chdir(path.parent)
    assert refusal(path).startswith("x.toml: chunk_ms must be")


@pytest.mark.parametrize("chunk_ms", [0, -10])
def test_a_chunk_without_length_is_refused(chunk_ms: int) -> None:
    with pytest.raises(ScenarioError, match=f"chunk_ms must be > 0, got {chunk_ms}$"):
        load_scenario("silence").chunks_per_period(chunk_ms)


def test_a_chunk_that_does_not_divide_the_period_is_refused_with_those_that_do() -> None:
    with pytest.raises(
        ScenarioError,
        match=r"silence\.toml: period 6\.0 s is not a whole number of 70 ms chunks; "
        r"choose 60 or 75 ms$",
    ):
        load_scenario("silence").chunks_per_period(70)


def test_the_chunks_offered_divide_stream_and_phase_too() -> None:
    # 4.2 s, the phase, is not a whole number of 375 ms, which divides the period.
    with pytest.raises(ScenarioError, match=r"choose 300 or 600 ms$"):
        load_scenario("alternating").check_chunk(375)


def test_the_period_of_recordings_is_not_known_beforehand() -> None:
    scenario = load_scenario("recorded")
    assert scenario.period_seconds is None
    with pytest.raises(ScenarioError, match="known only once they are rendered"):
        scenario.chunks_per_period(600)
    with pytest.raises(ScenarioError, match="chunk_ms must be > 0"):
        scenario.check_chunk(0)


@given(chunks=st.integers(1, 100), chunk_ms=st.integers(1, 1000), cuts=st.sets(st.integers(1, 99)))
def test_a_period_made_of_whole_chunks_is_counted_exactly_however_it_is_cut(
    chunks: int, chunk_ms: int, cuts: set[int]
) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < chunks), chunks]
    parts = tuple(
        Part(kind="silence", seconds=(end - begin) * chunk_ms / 1000)
        for begin, end in pairwise(edges)
    )
    scenario = Scenario(
        name="any",
        chunk_ms=chunk_ms,
        period_seconds=chunks * chunk_ms / 1000,
        parts=parts,
        audio_seconds=1000.0,
    )
    assert scenario.chunks_per_period(chunk_ms) == chunks
