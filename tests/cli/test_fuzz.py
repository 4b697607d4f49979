"""Whatever files and arguments hold: one line, no traceback, and no status that means a leak."""

import contextlib
import json
import os
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.calling import Call, Done

BOUNDED = settings(
    # More in `nox -s fuzz`.
    max_examples=int(os.environ.get("LEAKBENCH_FUZZ_EXAMPLES", "150")),
    # Each example is a whole call, which leaves nothing behind but files in a folder of its own.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SAID_OF_A_FILE = 200
"""Characters of a message, without the name of the program before it."""


def check(done: Done) -> None:
    """Check what holds of every call."""
    assert "Traceback" not in done.stdout + done.stderr
    assert "leakbench: unexpected" not in done.stderr, done.stderr
    assert done.returncode in (0, 2, 3, 4), done
    if done.returncode in (2, 4):
        assert done.stderr.startswith(("leakbench: ", "Usage: "))
    if done.stderr.startswith("leakbench: "):
        (line,) = done.stderr.splitlines()
        assert line.isprintable()


NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**40), 10**40).map(str),
    st.sampled_from(
        ["1e308", "-1e308", "1e999", "nan", "-inf", "5e-324", "1_0", "", " 7 ", "0x10", "٣", "1,2"]
    ),
)
RISING = st.lists(st.floats(1e-7, 1e9) | st.sampled_from([1.0, 60.0, 1e-6, 1e12]), max_size=40).map(
    lambda steps: [sum(steps[: n + 1]) for n in range(len(steps))]
)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A table that is nearly what is asked for."""
    head = draw(
        st.sampled_from(
            ["audio_seconds,value", "audio_seconds,value,replicate", "Value,AUDIO_SECONDS"]
        )
        | st.text(max_size=60)
    )
    level = draw(NUMBERS)
    value = st.just(level) if draw(st.booleans()) else NUMBERS
    rows = [f"{time!r},{draw(value)}" for time in draw(RISING)]
    return "\n".join([head, *rows]).encode("utf-8", "surrogatepass")


MAGNITUDES = st.floats(-1e18, 1e18) | st.sampled_from([0.0, 1e18, -1e18, 5e-324, 1e-300, 2.0**30])


@st.composite
def measurements(draw: st.DrawFn) -> bytes:
    """A table that is what is asked for, of any size and shape of growth."""
    lines = ["audio_seconds,value,replicate"]
    for replicate in range(draw(st.integers(1, 3))):
        rows = draw(st.integers(0, 80))
        step = draw(st.sampled_from([1e-6, 1e-3, 1.0, 60.0, 1e9]))
        first, slope = draw(MAGNITUDES), draw(MAGNITUDES)
        noise = draw(st.lists(MAGNITUDES, min_size=1, max_size=3))
        for row in range(rows):
            value = (first + slope * row) / 1e3 + noise[row % len(noise)] / draw(
                st.sampled_from([1.0, 1e6])
            )
            lines.append(f"{(row + 1) * step!r},{value!r},{replicate}")
    return "\n".join(lines).encode()


OPTIONS = st.tuples(
    st.sampled_from(["1 MiB/h", "0 B/h", "1 B/day", f"{10**18} B/min", "1 element/h"]),
    st.sampled_from([(), ("--cycle", "1ms"), ("--cycle", "1000000h"), ("--warmup", "10s")]),
    st.sampled_from([(), ("--limit", "1 B"), ("--limit", "900000000 GiB")]),
    st.booleans(),
)


@BOUNDED
@given(st.binary(max_size=200) | tables(), OPTIONS)
def test_judge_says_of_any_file_what_is_wrong_with_it_in_one_short_line(
    call: Call, data: bytes, options: tuple[str, tuple[str, ...], tuple[str, ...], bool]
) -> None:
    judged(call, data, options)


@BOUNDED
@given(measurements(), OPTIONS)
def test_judge_gives_finite_numbers_of_any_measurements(
    call: Call, data: bytes, options: tuple[str, tuple[str, ...], tuple[str, ...], bool]
) -> None:
    judged(call, data, options)


def judged(
    call: Call, data: bytes, options: tuple[str, tuple[str, ...], tuple[str, ...], bool]
) -> None:
    budget, cycle, limit, as_json = options
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = call(
            *("judge", "-", "--budget", budget, *cycle, *limit), *(["--json"] * as_json), text=data
        )
    if done.returncode == 1:
        # Some of these do grow: a leak it is, and it says so.
        assert '"verdict": "leak"' in done.stdout or done.stdout.startswith("leak: ")
        done.returncode = 0
    check(done)
    assert done.returncode in (0, 2, 3)
    if done.returncode == 2:
        assert done.stdout == ""
        assert len(done.stderr) <= len("leakbench: ") + SAID_OF_A_FILE + 1
        return
    assert done.stderr == ""
    if as_json:
        json.loads(done.stdout, parse_constant=pytest.fail)
    else:
        assert all(len(line) <= SAID_OF_A_FILE for line in done.stdout.splitlines())
        assert not {"inf", "nan"} & set(done.stdout.replace("(", " ").split())


COMMANDS = ("run", "gate", "report", "compare", "history", "judge", "list", "init", "completion")
"""All but those that ask the package index, or drive for minutes."""
WORDS = (
    *("--subject", "--scenario", "--audio", "--at-least", "--chunk-ms", "--replicates", "--jobs"),
    *("--budget", "--leaks-in", "--expect", "--memory-limit", "--chunk-limit", "--recordings"),
    *("--output", "--config", "--cycle", "--warmup", "--limit", "--json", "-o", "--help", "--"),
    *("--seed", "--model", "--until-sure", "--tracemalloc", "--explain", "--no-explain", "-", ""),
    *("silence", "recorded", "flat", "leak", "10m", "-1", "0", "1 B/h", "x=1 B/h", "x:y=1 B/h"),
    *("leakbench.controls:Nothing", "json:dumps", "nowhere.py:Vad", ".", "..", "/dev/null", "/"),
    *("file", "folder", "subjects", "scenarios", "bash", "leakbench.toml", "run.json"),
)
TEXTS = st.text(st.characters(exclude_characters="\0=@", exclude_categories=["Cs"]), max_size=20)
BYTES = st.binary(max_size=20).map(lambda data: os.fsdecode(data.translate(None, b"\0=@")))
"""As a shell passes on what is no UTF-8."""
ARGUMENTS = st.lists(
    st.sampled_from(WORDS)
    | TEXTS
    | BYTES
    | st.sampled_from(["[/x]", ":V:", "\x1b[31m", "::error::x", "\udcff", "%s%n", "9" * 400]),
    max_size=8,
)


@BOUNDED
@given(st.sampled_from(COMMANDS) | TEXTS, ARGUMENTS)
def test_any_arguments_end_with_one_line_or_do_what_they_say(
    call: Call, tmp_path: Path, command: str, arguments: list[str]
) -> None:
    # Each in a folder of its own: `init` leaves what `gate` would drive for minutes.
    home = Path(tempfile.mkdtemp(dir=tmp_path))
    (home / "file").write_text("audio_seconds,value\n")
    (home / "folder").mkdir()
    with contextlib.chdir(home):
        check(call(command, *arguments))
