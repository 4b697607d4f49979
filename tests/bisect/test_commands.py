"""The three commands as a user calls them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from leakbench.bisect import releases
from leakbench.cli import bisect, sweep
from leakbench.cli import releases as releases_command
from tests.bisect.repositories import BOUNDED, commit


def call(command: object, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, env={"COLUMNS": "200"})  # type: ignore[arg-type]


def test_bisect_prints_the_answer_and_leaves_table_plot_and_json(
    repository: Path, tmp_path: Path
) -> None:
    fixed = commit(repository, BOUNDED, "release the samples")
    subject = f"{repository}/src/vad.py:Vad"
    out = tmp_path / "out"
    done = call(
        bisect.command,
        *("--scenario", "silence", "--jobs", "2", "--output", str(out)),
        *("--good", f"{subject}:HEAD", "--bad", f"{subject}:HEAD~3"),
    )
    # The commit before the fix leaks, the one before that does not load.
    assert done.exit_code == 0, done.output
    assert f"the cell: first fixed in src/vad.py:Vad:{fixed[:10]}" in done.output
    assert "release the samples" in done.output
    assert {path.name for path in out.iterdir()} == {
        "bisect.json",
        "bisect.png",
        "bisect.svg",
        "probes",
        "runs",
    }
    assert json.loads((out / "bisect.json").read_text())["change"]["kind"] == "fixed"


def test_a_boundary_that_cannot_be_placed_exits_undecided(repository: Path, tmp_path: Path) -> None:
    commit(repository, "not python\n", "broken on the way")
    commit(repository, BOUNDED, "release the samples")
    subject = f"{repository}/src/vad.py:Vad"
    done = call(
        bisect.command,
        *("--scenario", "silence", "--jobs", "1", "--output", str(tmp_path / "out")),
        *("--good", f"{subject}:HEAD", "--bad", f"{subject}:HEAD~2"),
    )
    assert done.exit_code == 3, done.output
    assert "one of the 1 before it without figures" in done.output


def test_sweep_measures_a_range_of_commits(repository: Path, tmp_path: Path) -> None:
    subject = f"{repository}/src/vad.py:Vad"
    out = tmp_path / "out"
    done = call(
        sweep.command,
        *("--scenario", "silence", "--jobs", "2", "--at-most", "3", "--output", str(out)),
        *("--subject-range", f"{subject}:HEAD~5..{subject}:HEAD"),
    )
    assert done.exit_code == 0, done.output
    assert "3 of 6 looked at, 3 of them now" in done.output
    assert (out / "sweep.svg").is_file()


def test_sweep_refuses_two_ways_to_leave_out(repository: Path) -> None:
    done = call(
        sweep.command,
        *("--scenario", "silence", "--every", "2", "--at-most", "3"),
        *("--subject-range", "a==1..a==2"),
    )
    assert done.exit_code == 2
    assert "name one" in done.output


def test_releases_lists_the_projects_of_installed_families(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def run_pip(arguments: list[str], *, what: str, log: Path) -> str:
        asked.append(what)
        return "Available versions: 1.3.15, 1.3.9, 1.3.14"

    monkeypatch.setattr(releases, "run_pip", run_pip)
    monkeypatch.setenv("LEAKBENCH_CACHE", str(tmp_path))
    done = call(releases_command.command)
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.output.splitlines()[1:]]
    project = asked[0]
    assert lines == [
        [f"{project}==1.3.9"],
        [f"{project}==1.3.14", "original"],
        [f"{project}==1.3.15", "fixed"],
    ]
    assert call(releases_command.command, "other").output.splitlines()[1].strip() == "other==1.3.9"
