"""What would decide an undecided cell: a command that can be typed, and what it takes."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from leakbench.cli.commands import cli
from leakbench.plan import Cell, Plan, write_plan
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.result import CellResult
from leakbench.report.words.deciding import more_audio_seconds, what_would_decide
from leakbench.report.words.phrases import plain_text
from leakbench.units import parse_duration
from leakbench.verdict.budgets import parse_rule
from tests.report.run_folders import fixed_cell, leaking_cell, metric

SUBJECT = "leakbench.controls:bounded"


def undecided(**more: object) -> CellResult:
    values: dict[str, object] = {
        "id": f"{SUBJECT.replace(':', '-')}--silence--600ms--embedded",
        "verdict": "undecided",
        "as_expected": False,
        "audio_seconds": 30.0,
        "speed": 60.0,
        "replicates": 1,
        "endings": ("completed",),
        "metrics": (metric("cache", "elements", 0, verdict="undecided"),),
        **more,
    }
    return replace(fixed_cell(SUBJECT), **values)  # type: ignore[arg-type]


def planned(folder: Path, **more: object) -> Cell:
    (cell,) = build_cells([CellRequest(subject=SUBJECT, scenario="silence", **more)])  # type: ignore[arg-type]
    write_plan(folder, Plan(cells=(cell,), jobs=2))
    return cell


def options(text: str) -> dict[str, str]:
    """Return the options of the command in backticks, as the command line understands them."""
    program, name, *arguments = shlex.split(text.split("`")[1])
    assert (program, name) == ("leakbench", "run")
    command = cli.get_command(cli.make_context("leakbench", ["list"]), "run")
    assert command is not None
    command.make_context("run", list(arguments))
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def test_more_audio_is_asked_for_with_what_it_takes(tmp_path: Path) -> None:
    planned(tmp_path / "run", audio_seconds=30.0)
    text = plain_text(what_would_decide(tmp_path / "run", undecided()))
    assert text.startswith("More audio may decide it: `leakbench run --subject")
    # Ten minutes are the scenario's own, and at sixty times real time they take ten seconds.
    assert options(text)["--audio"] == "10m"
    assert text.endswith(" drives 10 min of audio at most, which takes about 10 s.")


def test_twice_the_audio_is_asked_for_where_much_was_driven(tmp_path: Path) -> None:
    planned(tmp_path / "run")
    text = plain_text(what_would_decide(tmp_path / "run", undecided(audio_seconds=7200.0)))
    assert parse_duration(options(text)["--audio"]) == 4 * 3600
    assert "about 4 min" in text


def test_as_much_is_asked_for_as_the_judge_wants() -> None:
    assert more_audio_seconds(undecided(audio_wanted_seconds=900.0)) == 900.0
    assert more_audio_seconds(undecided(audio_wanted_seconds=40.0)) == 60.0
    two = undecided(replicates=2, audio_seconds=60.0)
    assert more_audio_seconds(two) == 60.0


def test_what_was_asked_of_the_cell_is_asked_again(tmp_path: Path) -> None:
    planned(
        tmp_path / "run",
        seed=7,
        expect="flat",
        rules=(parse_rule("process:heap_bytes=64 KiB/h"), parse_rule("*=1 B/chunk")),
    )
    text = plain_text(what_would_decide(tmp_path / "run", undecided(seed=7)))
    found = options(text)
    assert found["--seed"] == "7"
    assert found["--expect"] == "flat"
    assert "--budget 'process:heap_bytes=64 KiB/h'" in text
    assert "'*=1 B/chunk'" in text


def test_several_processes_are_asked_for_where_nothing_but_noise_is_undecided(
    tmp_path: Path,
) -> None:
    planned(tmp_path / "run")
    heap = metric("process", "heap_bytes", 9000, width=70_000, allow=16384, verdict="undecided")
    noisy = undecided(metrics=(replace(heap, tier="banded"),), audio_seconds=600.0)
    text = plain_text(what_would_decide(tmp_path / "run", noisy))
    assert options(text)["--replicates"] == "4"
    assert "in each of 4 processes" in text
    # Two at a time take twice as long.
    assert "about 20 s" in text
    short = replace(noisy, audio_seconds=60.0)
    assert "--replicates" not in plain_text(what_would_decide(tmp_path / "run", short))


@pytest.mark.parametrize(
    "endings", [("interrupted",), ("killed",), ("completed",), ("completed", "running")]
)
def test_a_run_that_was_cut_short_is_to_be_run_again(
    tmp_path: Path, endings: tuple[str, ...]
) -> None:
    planned(tmp_path / "run", audio_seconds=1200.0, replicates=2)
    cut = undecided(endings=endings, replicates=len(endings))
    text = plain_text(what_would_decide(tmp_path / "run", cut))
    assert text.startswith("It was not driven as planned; `leakbench run")
    assert options(text)["--audio"] == "20m"
    assert options(text)["--replicates"] == "2"


def test_a_result_without_its_plan_has_a_command_too(tmp_path: Path) -> None:
    text = plain_text(what_would_decide(tmp_path, undecided(speed=0.0)))
    assert options(text)["--audio"] == "60s"
    assert text.endswith(" drives 60 s of audio at most.")


def test_nothing_is_to_be_done_about_what_is_decided(tmp_path: Path) -> None:
    assert what_would_decide(tmp_path, leaking_cell()) == ()
    assert what_would_decide(tmp_path, fixed_cell()) == ()
