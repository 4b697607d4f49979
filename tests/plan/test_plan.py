import sys
from pathlib import Path

import pytest

from leakbench.errors import OutputError
from leakbench.plan import Cell, Limits, Plan, read_plan, write_plan
from leakbench.scenario import load_scenario
from leakbench.subject import ResolvedSubject
from leakbench.units import parse_budget
from leakbench.verdict.assess import BudgetRule


def cell(spec: str = "fixed", model: str = "embedded") -> Cell:
    return Cell(
        subject=ResolvedSubject(
            spec=spec,
            factory="leakbench.controls:bounded",
            options={"chunk_ms": 600},
            python=sys.executable,
            path=(Path("somewhere"),),
            named_paths=("stats.decibel",),
        ),
        scenario=load_scenario("silence"),
        chunk_ms=600,
        model=model,
        audio_seconds=600.0,
        expect="leak",
        leaks_in=("stats.*",),
        rules=(
            BudgetRule(
                path="stats.output_data_buf",
                metric="python_bytes",
                budget=parse_budget("400 B/segment"),
                reason="known",
                link="",
            ),
        ),
    )


def test_a_plan_reads_back_as_it_was_written(tmp_path: Path) -> None:
    plan = Plan(cells=(cell(),), jobs=2, limits=Limits(memory_bytes=10**9), command=("leakbench",))
    write_plan(tmp_path / "run", plan)
    read = read_plan(tmp_path / "run")
    assert read.limits == plan.limits
    assert read.command == plan.command
    assert read.cells[0].rules == plan.cells[0].rules
    assert read.cells[0].subject == plan.cells[0].subject
    assert read.cells[0].id == plan.cells[0].id
    # The scenario is the run's own copy, so that a later edit does not change what was run.
    assert read.cells[0].scenario.source == tmp_path / "run" / "scenarios" / "silence.toml"


def test_cells_have_readable_names_that_are_folders(tmp_path: Path) -> None:
    assert cell("original+ring-buffer").id == "original+ring-buffer--silence--600ms--embedded"
    odd = cell("../../etc/<script>.py:Vad", model="/models/fsmn vad").id
    assert "/" not in odd
    assert "<" not in odd
    assert odd.endswith("fsmn-vad")


def test_names_that_differ_only_where_they_are_cut_are_told_apart() -> None:
    long = "/a" * 200
    cells = [cell(f"{long}/{name}.py:Vad", model="m" * 300) for name in ("one", "two")]
    cells.append(cell(f"/b{long}/one.py:Vad", model="m" * 300))
    names = [each.id for each in cells]
    assert len(set(names)) == 3
    assert all(len(f"{name}.png".encode()) <= 255 for name in names)
    # The end of a path says more than its beginning.
    assert all("one.py-Vad--silence--600ms--" in name for name in (names[0], names[2]))
    # Pictures of cells driven alike are named by what follows the subject.
    assert len({name.partition("--")[2] for name in names}) == 1


def test_a_run_is_never_written_over(tmp_path: Path) -> None:
    write_plan(tmp_path, Plan(cells=(cell(),), jobs=1))
    with pytest.raises(OutputError, match="already holds a run"):
        write_plan(tmp_path, Plan(cells=(cell(),), jobs=1))


@pytest.mark.parametrize("content", [None, "{", "{}", '{"cells": [{}]}'])
def test_what_is_no_manifest_is_refused_with_one_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(OutputError) as error:
        read_plan(tmp_path)
    assert "\n" not in str(error.value)
