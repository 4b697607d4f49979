"""Commands that a report names: they can be typed as they are."""

import shlex
from dataclasses import replace
from pathlib import Path

import click
import pytest

from leakbench.cli.commands import cli as _cli
from leakbench.record.result import CellResult
from leakbench.report.words.commands import bisect_command, explain_command, remedies_command
from leakbench.scenario import shipped_scenarios
from tests.report.conftest import HOSTILE_SCENARIO
from tests.report.run_folders import fixed_cell, leaking_cell

RUN = Path("reports/run-1")


def check(command: str) -> None:
    """Parse a command as the command line would."""
    program, name, *arguments = shlex.split(command)
    assert program == "leakbench"
    with click.Context(_cli) as context:
        found = _cli.get_command(context, name)
        assert found is not None
        found.make_context(name, arguments)


def test_a_cell_is_explained_by_running_it_again() -> None:
    command = explain_command(RUN, leaking_cell())
    assert command == "leakbench run --subject original --scenario silence --explain"
    check(command)


def test_fixes_are_tried_beside_the_subject() -> None:
    command = remedies_command(RUN, leaking_cell(), ("ring-buffer", "memory-pool"))
    assert command == (
        "leakbench run --subject original --subject original+ring-buffer "
        "--subject original+memory-pool --scenario silence"
    )
    check(command)


def test_a_search_goes_to_a_release_that_is_flat_in_the_same_run() -> None:
    cells = [leaking_cell(), fixed_cell("other==1"), fixed_cell("fixed", "bursts"), fixed_cell()]
    command = bisect_command(RUN, leaking_cell(), cells)
    assert command == "leakbench bisect --scenario silence --bad original --good fixed"
    check(command)


def test_a_search_without_such_a_release_leaves_it_to_the_reader() -> None:
    command = bisect_command(RUN, leaking_cell(), [leaking_cell()], "stats.decibel")
    assert command == (
        "leakbench bisect --scenario silence --path stats.decibel "
        "--bad original --good funasr==ONE_THAT_DOES_NOT_LEAK"
    )
    check(command)


def test_what_a_search_finds_is_kept_beside_the_run() -> None:
    command = bisect_command(Path("/elsewhere/run"), leaking_cell(), [fixed_cell()])
    assert command.endswith(" --output /elsewhere/since-silence")
    check(command)


def test_a_subject_in_a_checkout_is_searched_by_its_commits() -> None:
    command = bisect_command(RUN, leaking_cell(subject="src/vad.py:Vad"), [])
    assert "--bad src/vad.py:Vad:HEAD --good src/vad.py:Vad:ONE_THAT" in command
    check(command)


@pytest.mark.parametrize(
    "subject",
    ["package.module:Vad", "original+ring-buffer", "funasr@dist/funasr-1.3.14.whl", "orginal"],
)
def test_a_subject_without_a_history_has_no_search(subject: str) -> None:
    assert bisect_command(RUN, leaking_cell(subject=subject), []) == ""


def test_what_differs_from_the_scenario_is_said(tmp_path: Path) -> None:
    cell = leaking_cell(chunk_ms=200, model="./my model")
    command = explain_command(RUN, cell)
    assert "--scenario silence --chunk-ms 200 --model './my model'" in command
    check(command)


@pytest.fixture
def own_scenario(tmp_path: Path) -> tuple[Path, CellResult]:
    """A run of a scenario that has the name of a shipped one, and another text."""
    text = shipped_scenarios()["silence"].read_text().replace("600", "200", 1)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "silence.toml").write_text(text)
    return tmp_path, leaking_cell()


def test_a_scenario_of_ones_own_is_named_by_the_runs_copy(
    own_scenario: tuple[Path, CellResult],
) -> None:
    folder, cell = own_scenario
    command = explain_command(folder, cell)
    assert f"--scenario {folder}/scenarios/silence.toml" in command
    check(command)


def test_a_recorded_scenario_needs_its_recordings() -> None:
    recorded = next(
        n for n, p in shipped_scenarios().items() if "recordings = true" in p.read_text()
    )
    command = explain_command(RUN, replace(leaking_cell(), scenario=recorded))
    assert "--recordings FOLDER" in command
    check(command)


def test_a_name_cannot_bring_a_command_of_its_own() -> None:
    cell = leaking_cell(scenario=HOSTILE_SCENARIO, subject="x; rm -rf /")
    words = shlex.split(explain_command(RUN, cell))
    assert words[words.index("--subject") + 1] == "x; rm -rf /"
    assert words[words.index("--scenario") + 1] == HOSTILE_SCENARIO
