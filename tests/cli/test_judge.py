"""``leakbench judge`` as users call it: on files and pipes of measurements."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.calling import Call, Done

MIB = 2**20


Judge = Callable[..., Done]


@pytest.fixture
def judge(call: Call) -> Judge:
    def judge(*arguments: str, text: str = "") -> Done:
        return call("judge", *arguments, text=text.encode())

    return judge


def table(value: Callable[[float], float], replicates: int = 3) -> str:
    """One value a minute for four hours, with a little noise, in each of some processes."""
    rng = np.random.default_rng(7)
    rows = ["audio_seconds,value,replicate"]
    for replicate in range(replicates):
        for minute in range(1, 241):
            noise = rng.normal(0, 2048)
            rows.append(f"{minute * 60},{value(minute / 60) + noise:.0f},{replicate}")
    return "\n".join(rows) + "\n"


FLAT = table(lambda hours: 100 * MIB)
LEAK = table(lambda hours: 100 * MIB + 3 * MIB * hours)
FILLING = table(lambda hours: 100 * MIB + 12 * MIB * (1 - np.exp(-hours / 1.5)))


def test_flat_exits_0_with_estimate_interval_and_budget(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "flat.csv").write_text(FLAT)
    done = judge("flat.csv", "--budget", "1 MiB/h")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("flat: ")
    assert [line.split()[0] for line in lines[1:4]] == ["estimate", "interval", "budget"]
    assert "1 MiB/h" in lines[3]


def test_a_leak_exits_1_and_says_where_memory_will_be(judge: Judge) -> None:
    done = judge("-", "--budget", "1 MiB/h", "--limit", "512 MiB", text=LEAK)
    assert done.returncode == 1
    assert done.stdout.startswith("leak: growth proved above its budget: 3 MiB/h")
    for ahead in ("in 24 h", "in 7 d", "in 30 d"):
        assert ahead in done.stdout
    # 112 MiB after four hours, 400 MiB to go at 3 MiB an hour: five and a half days.
    assert "512 MiB is full in 5.5" in done.stdout


def test_a_flat_series_never_fills_a_limit_at_its_estimate(judge: Judge) -> None:
    falling = table(lambda hours: 100 * MIB - MIB * hours)
    done = judge("-", "--budget", "1 MiB/h", "--limit", "512 MiB", text=falling)
    assert done.returncode == 0
    assert "is never full" in done.stdout
    done = judge("-", "--budget", "1 MiB/h", "--limit", "1 MiB", text=falling)
    assert "is full already" in done.stdout


def test_the_json_object_holds_what_was_found(judge: Judge) -> None:
    done = judge("-", "--budget", "1 MiB/h", "--limit", "1 GiB", "--json", text=LEAK)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["verdict"] == "leak"
    assert found["low"] <= found["slope_per_audio_hour"] <= found["high"]
    assert found["slope_per_audio_hour"] == pytest.approx(3 * MIB, rel=0.02)
    assert found["budget_per_audio_hour"] == MIB
    assert found["reason"]
    assert [ahead["hours"] for ahead in found["projection"]] == [24, 168, 720]
    assert found["time_to_limit"]["limit_bytes"] == 2**30


def test_a_filling_cache_is_undecided_and_the_reason_says_so(judge: Judge) -> None:
    done = judge("-", "--budget", "64 KiB/h", "--json", text=FILLING)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["verdict"] == "undecided"
    assert "slowing down" in found["reason"]


def test_too_few_samples_are_undecided_without_figures(judge: Judge) -> None:
    text = "audio_seconds,value\n60,1\n120,2\n"
    done = judge("-", "--budget", "1 MiB/h", text=text)
    assert done.returncode == 3
    assert done.stdout.startswith("undecided: fewer than")
    found = json.loads(judge("-", "--budget", "1 MiB/h", "--json", text=text).stdout)
    assert found["slope_per_audio_hour"] is None
    assert found["projection"] == []


def test_a_warm_up_is_left_out(judge: Judge) -> None:
    loading = table(lambda hours: 100 * MIB + 50 * MIB * min(hours, 3))
    assert judge("-", "--budget", "1 MiB/h", text=loading).returncode == 3
    done = judge("-", "--budget", "1 MiB/h", "--warmup", "3h", text=loading)
    assert done.returncode == 0


def test_a_sawtooth_is_flat_once_its_cycle_is_named(judge: Judge) -> None:
    sawtooth = table(lambda hours: 100 * MIB + 30 * MIB * ((hours * 3600) % 600) / 600)
    done = judge("-", "--budget", "1 MiB/h", "--cycle", "10m", text=sawtooth)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (["nowhere.csv", "--budget", "1 MiB/h"], "", "nowhere.csv: cannot be read: No such file"),
        (["-", "--budget", "1 MiB/h"], "", "expected columns audio_seconds,value"),
        (["-", "--budget", "1 MiB/h"], "audio_seconds,value\n1,nan\n", "input:2: value must be"),
        (["-", "--budget", "1 MiB/h"], "a,b\n1,2\n", "found no audio_seconds"),
        (["-", "--budget", "1 MiB"], FLAT, "budget must read"),
        (["-", "--budget", "1 B/segment"], FLAT, "needs the number of segments"),
        (["-", "--budget", "1 element/h", "--limit", "1 MiB"], FLAT, "--limit is in bytes"),
        (["-", "--budget", "1 B/h", "--cycle", "0s"], FLAT, "duration must be"),
        (["-"], FLAT, "--budget"),
    ],
)
def test_bad_input_exits_2_with_one_clear_line(
    judge: Judge, arguments: list[str], text: str, says: str
) -> None:
    done = judge(*arguments, text=text)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"status": "success", "data": [' + "1," * 30_000 + "1]}", "got JSON; write a line for"),
        ("\n  [[1, 2], [3, 4]]", "found no audio_seconds"),
        ('["a"]', "got JSON"),
        ("a\x1b[31mb\x07,::error::x,##[error]y\n1,2", r"got a\x1b[31mb\x07,::error::x"),
        ('"a\n::error::x",b\n', "got a ::error::x,b"),
        ("column," * 5_000 + "x\n", "got column,column"),
        ("audio_seconds,value\n1," + "9" * 9_000, "value must be finite"),
        ("audio_seconds,value\n1," + "x" * 9_000, "value must be a number"),
        ("audio_seconds,value\n1,1e308\n2,-1e308", "value must be at most 1e+18"),
        ("audio_seconds,value\n" + "x" * 200_000, "field larger than field limit"),
    ],
)
def test_a_file_of_anything_else_is_told_in_one_short_line(
    judge: Judge, text: str, says: str
) -> None:
    for more in ((), ("--json",)):
        done = judge("-", "--budget", "1 MiB/h", *more, text=text)
        assert done.returncode == 2
        assert done.stdout == ""
        assert says in done.stderr
        line = done.stderr.removesuffix("\n").removeprefix("leakbench: ")
        assert line.isprintable()
        assert len(line) <= 200


def test_a_long_file_name_leaves_room_for_what_is_wrong(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / ("r" * 250)).write_text("a,b\n1,2\n")
    done = judge("r" * 250, "--budget", "1 MiB/h")
    assert done.returncode == 2
    assert "found no audio_seconds; got a,b" in done.stderr
    assert len(done.stderr) <= 211


def test_a_file_that_is_no_text_exits_2(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    done = judge("plot.png", "--budget", "1 MiB/h")
    assert done.returncode == 2
    assert "plot.png: expected CSV in UTF-8" in done.stderr


def test_a_spreadsheets_byte_order_mark_is_no_column_name(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "rss.csv").write_text("\ufeff" + FLAT, encoding="utf-8")
    assert judge("rss.csv", "--budget", "1 MiB/h").returncode == 0


def test_measurements_can_be_piped_in(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "leakbench", "judge", "-", "--budget", "1 MiB/h"],
        cwd=tmp_path,
        input=LEAK,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("leak: ")
