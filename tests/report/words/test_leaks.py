"""What bounds a leak and since when it is there: from what is on disk, and from nothing else."""

import json
from pathlib import Path

import pytest

from leakbench.bisect.findings import search_folder
from leakbench.record.result import CellResult, PathState, read_result, write_result
from leakbench.report.run_folder import read_run
from leakbench.report.words.leaks import gather_leaks, measure_remedies
from tests.report.explanations import explain, growth
from tests.report.run_folders import (
    error_cell,
    fixed_cell,
    leaking_cell,
    metric,
    run_result,
    undecided_cell,
    write_run,
)

PATH = "stats.decibel"
RING = "original+ring-buffer"
FIXES = ("ring-buffer", "sliding-window", "periodic-cleanup", "memory-pool")


def states(*cells: CellResult, path: str = PATH) -> dict[str, PathState]:
    return measure_remedies(leaking_cell(), path, FIXES, [leaking_cell(), *cells])


def test_a_fix_with_which_the_path_is_flat_bounds_it() -> None:
    assert states(fixed_cell(RING)) == {"ring-buffer": "flat"}


def test_a_fix_with_which_the_path_is_gone_bounds_it() -> None:
    assert states(fixed_cell(RING, metrics=(metric("other", "elements", 0),))) == {
        "ring-buffer": "absent"
    }


def test_a_fix_under_which_something_else_began_to_leak_is_not_believed() -> None:
    moved = fixed_cell(RING, verdict="leak", metrics=(metric("elsewhere", "elements", 64.0),))
    assert states(moved) == {"ring-buffer": "undecided"}


def test_a_fix_under_which_another_path_goes_on_to_leak_bounds_this_one() -> None:
    metrics = (metric(PATH, "elements", 0), metric("stats.scores", "storage_bytes", 6e6))
    assert states(fixed_cell(RING, verdict="leak", metrics=metrics)) == {"ring-buffer": "flat"}


def test_a_fix_with_which_it_leaks_or_is_undecided_does_not_bound_it() -> None:
    leaks = leaking_cell(subject=RING)
    unsure = metric(PATH, "elements", 3.0, verdict="undecided")
    pool = undecided_cell(subject="original+memory-pool", scenario="silence", metrics=(unsure,))
    assert states(leaks, pool) == {"ring-buffer": "leak", "memory-pool": "undecided"}


def test_items_that_still_weigh_more_count_as_the_path_that_holds_them() -> None:
    leaks = leaking_cell(subject=RING, metrics=(metric(f"{PATH}[]", "python_bytes", 6e6),))
    assert states(leaks) == {"ring-buffer": "leak"}


@pytest.mark.parametrize(
    "other",
    [
        error_cell(subject=RING),
        fixed_cell(RING, "bursts"),
        fixed_cell(RING, chunk_ms=200),
        fixed_cell(RING, model="./other"),
        fixed_cell("fixed+ring-buffer"),
        fixed_cell("original+unheard-of"),
        fixed_cell("fixed"),
    ],
    ids=["error", "scenario", "chunk", "model", "another release", "no fix", "unpatched"],
)
def test_cells_that_were_driven_otherwise_or_failed_say_nothing(other: CellResult) -> None:
    assert states(other) == {}


def test_a_short_name_and_what_it_stands_for_are_one_release() -> None:
    assert states(fixed_cell("funasr==1.3.14+ring-buffer")) == {"ring-buffer": "flat"}


def test_bounds_are_told_of_each_leak_and_no_command_is_needed(tmp_path: Path) -> None:
    cells = [
        leaking_cell(),
        fixed_cell(RING),
        leaking_cell(id="pool", subject="original+memory-pool"),
    ]
    folder = write_run(tmp_path / "run", cells)
    explain(folder, leaking_cell(), growth())
    (original, pool) = read_run(folder).leaks
    (leak,) = original.leaks
    assert leak.bounded_by == ("ring-buffer",)
    assert leak.not_bounded_by == ("memory-pool",)
    assert original.remedies_command == ""
    # Patched already: nothing more can be tried, and it is not explained.
    assert (pool.explanation, pool.remedies_command) == (None, "")
    assert pool.explain_command.endswith("original+memory-pool --scenario silence --explain")


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        (leaking_cell(), FIXES),
        (
            leaking_cell(subject="latest", versions={"funasr": "1.4.16"}),
            ("upstream+segments",),
        ),
        (leaking_cell(subject="vad.py:Vad"), ()),
    ],
)
def test_a_run_without_fixes_says_what_would_try_those_there_are(
    tmp_path: Path, cell: CellResult, names: tuple[str, ...]
) -> None:
    folder = write_run(tmp_path / "run", [cell])
    explain(folder, cell, growth())
    (found,) = read_run(folder).leaks
    assert found.leaks[0].bounded_by == ()
    tried = [word for word in found.remedies_command.split() if "+" in word]
    assert tried == [f"{cell.subject}+{name}" for name in names]


def test_a_search_beside_the_run_says_since_when_and_a_later_one_is_in_the_next_report(
    tmp_path: Path,
) -> None:
    folder = write_run(tmp_path / "run", [leaking_cell()])
    explain(folder, leaking_cell(), growth(), growth("stats.slow"))
    (before,) = read_run(folder).leaks
    assert [leak.since for leak in before.leaks] == [None, None]
    assert "--path" not in before.bisect_command
    leave_search(tmp_path)
    (after,) = read_run(folder).leaks
    known, unknown = after.leaks
    assert known.since is not None
    assert (known.since.fixed, known.since.measured, known.since.of) == ("1.3.15", 2, 2)
    assert unknown.since is None
    # What that search did not see has to be looked for by name.
    assert "--path stats.slow" in after.bisect_command


def leave_search(beside: Path) -> None:
    """Leave the findings of a bisection of two releases."""

    def probe(position: int, version: str, state: str) -> dict[str, object]:
        return {
            "position": position,
            "label": version,
            "name": f"funasr=={version}",
            "detail": "",
            "verdict": state,
            "reason": "",
            "skipped": False,
            "reused": False,
            "audio_seconds": 42.0,
            "rates": {PATH: {"state": state, "bytes_per_audio_hour": 1.0, "text": state}},
        }

    change = {
        "path": PATH,
        "kind": "fixed",
        "before": "funasr==1.3.14",
        "after": "funasr==1.3.15",
        "between": [],
        "rate_before": "leak",
        "rate_after": "flat",
    }
    folder = search_folder(beside, "silence")
    folder.mkdir()
    (folder / "bisect.json").write_text(
        json.dumps(
            {
                "schema": "leakbench.bisect/1",
                "scenario": "silence",
                "chunk_ms": 600,
                "model": "embedded",
                "command": ["leakbench", "bisect"],
                "line": ["1.3.14", "1.3.15"],
                "change": {**change, "path": ""},
                "paths": [PATH],
                "changes": [change],
                "probes": [probe(0, "1.3.14", "leak"), probe(1, "1.3.15", "flat")],
                "measured": 2,
                "wall_seconds": 29.0,
            }
        )
    )


def test_growth_outside_the_roots_has_no_path_to_ask_for(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [leaking_cell(), fixed_cell(RING)])
    explain(folder, leaking_cell(), growth("", chain="vad.HISTORY"))
    (found,) = read_run(folder).leaks
    assert (found.leaks[0].since, found.leaks[0].bounded_by) == (None, ())
    assert (found.bisect_command, found.remedies_command) == ("", "")


def test_only_cells_that_leak_are_told_of(tmp_path: Path) -> None:
    cells = (fixed_cell(), undecided_cell(), error_cell())
    explain(tmp_path, fixed_cell(), growth())
    assert gather_leaks(tmp_path, run_result(cells)) == ()


def test_an_explanation_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    cell = leaking_cell()
    write_result(tmp_path, run_result([cell]))
    explain(tmp_path, cell, growth())
    file = tmp_path / "cells" / cell.id / "explanation.json"
    file.write_text(file.read_text()[:200])
    # The verdict stands, and so does every other cell.
    (found,) = gather_leaks(tmp_path, read_result(tmp_path))
    assert found.explanation is not None
    assert found.explanation.error.startswith(f"{file}:")
    assert "not JSON" in found.explanation.error
    assert "\n" not in found.explanation.error


def test_a_subject_is_compared_with_its_own_fixes_only(tmp_path: Path) -> None:
    # `funasr@/a` and `funasr@/a+b` are two checkouts.
    cell = leaking_cell(subject="funasr@/a")
    other = fixed_cell("funasr@/a+b")
    assert measure_remedies(cell, PATH, FIXES, [cell, other]) == {}
