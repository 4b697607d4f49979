import json
from dataclasses import replace

import pytest

from leakbench.record.result import Parity, Result
from leakbench.report.comparison.comparison import compare
from leakbench.report.comparison.text import (
    comparison_data,
    comparison_markdown,
    comparison_sentence,
    comparison_text,
)
from tests.report.conftest import HOSTILE_SUBJECT
from tests.report.run_folders import fixed_cell, leaking_cell, metric, run_result, undecided_cell

LEAKING = run_result([leaking_cell()])
FIXED = run_result([fixed_cell()])


def test_a_run_that_leaks_where_the_one_before_did_not_has_regressed() -> None:
    comparison = compare(FIXED, LEAKING)
    assert comparison.regressed
    worst = comparison.cells[0].paths[0]
    assert (worst.path, worst.change) == ("stats.scores", "newly growing")
    assert comparison_sentence(comparison).startswith(
        "REGRESSED: after against before: fixed → original on silence, 600 ms now leaks in "
        "stats.scores storage, +340 MiB/h where it was 0 B/h"
    )


def test_a_run_that_no_longer_leaks_is_better() -> None:
    comparison = compare(LEAKING, FIXED)
    assert not comparison.regressed
    gone = [p.path for p in comparison.cells[0].paths if p.change == "no longer growing"]
    assert gone[0] == "stats.scores"
    assert comparison_sentence(comparison).startswith("Better: after against before: 7 paths")


def test_a_run_compared_with_itself_has_not_changed() -> None:
    for result in (LEAKING, FIXED):
        comparison = compare(result, result)
        assert not comparison.regressed
        changes = {path.change for path in comparison.cells[0].paths}
        assert changes <= {"still growing", "not growing"}
        assert "No regression" in comparison_sentence(comparison)


def test_growth_is_compared_as_a_ratio_where_it_grew_before() -> None:
    before = run_result([leaking_cell(metrics=(metric("a", "storage_bytes", 1000.0),))])
    after = run_result([leaking_cell(metrics=(metric("a", "storage_bytes", 250.0),))])
    assert compare(before, after).cells[0].paths[0].ratio == pytest.approx(0.25)
    assert compare(FIXED, LEAKING).cells[0].paths[0].ratio is None


def test_a_ratio_to_what_may_be_nothing_is_not_given() -> None:
    before = run_result([fixed_cell(metrics=(metric("process", "heap_bytes", 310, width=900),))])
    assert compare(before, LEAKING).cells[0].paths[0].ratio is None
    heap = [p for p in compare(before, LEAKING).cells[0].paths if p.metric == "heap_bytes"]
    assert heap[0].ratio is None


def test_a_path_only_one_side_held_is_compared_with_nothing() -> None:
    after = run_result([leaking_cell(metrics=(metric("new.list", "elements", 60.0),))])
    paths = {p.path: p for p in compare(FIXED, after).cells[0].paths}
    assert paths["new.list"].before is None
    assert paths["new.list"].change == "newly growing"
    assert paths["stats.decibel"].after is None
    assert "not held" in comparison_text(compare(FIXED, after))


def test_what_is_only_shown_never_regresses() -> None:
    shown = replace(metric("process", "chunk_seconds", 1.0), gated=False)
    after = run_result([fixed_cell(metrics=(shown,))])
    assert not compare(FIXED, after).regressed


def test_what_is_undecided_after_is_said_to_be_so_and_is_no_regression() -> None:
    before = run_result([fixed_cell("latest", "recorded")])
    comparison = compare(before, run_result([undecided_cell()]))
    assert comparison.cells[0].paths[0].change == "not decided"
    assert not comparison.regressed


def grown(verdict: str, slope: float, width: float = 0.0) -> Result:
    made = metric("stats.decibel", "python_bytes", slope, width=width, verdict=verdict)
    return run_result([leaking_cell(metrics=(made,), verdict=verdict)])


def test_a_leak_that_a_shorter_run_could_not_be_sure_of_is_not_new() -> None:
    comparison = compare(grown("undecided", 12e6, 0.2e6), grown("leak", 12.1e6, 0.3e6))
    assert comparison.cells[0].paths[0].change == "still growing"
    assert not comparison.regressed


def test_a_leak_faster_than_an_undecided_run_allowed_for_is_new() -> None:
    assert compare(grown("undecided", 1_000, 2_000), grown("leak", 12e6)).regressed


def test_a_leak_where_nothing_was_known_before_is_new_unless_the_cell_leaked() -> None:
    unknown = replace(
        metric("stats.decibel", "python_bytes", 0.0, verdict="undecided"),
        slope_per_audio_hour=None,
        low=None,
        high=None,
    )
    for verdict, regressed in (("undecided", True), ("leak", False)):
        before = run_result([leaking_cell(metrics=(unknown,), verdict=verdict)])
        assert compare(before, grown("leak", 12e6)).regressed is regressed


def test_what_is_undecided_and_only_shown_is_no_news() -> None:
    shown = metric("process", "uss_bytes", 0.0, verdict="undecided", gated=False)
    after = run_result([fixed_cell(metrics=(shown,))])
    changes = {path.change for path in compare(FIXED, after).cells[0].paths}
    assert changes == {"not growing"}


def test_cells_are_paired_by_subject_before_anything_else() -> None:
    both = run_result([leaking_cell(), fixed_cell()])
    turned = run_result([fixed_cell(), leaking_cell()])
    pairs = [(c.before, c.after) for c in compare(both, turned).cells]
    assert [old.subject for old, _ in pairs if old] == ["fixed", "original"]
    assert not compare(both, turned).regressed


def test_cells_without_a_counterpart_are_listed() -> None:
    before = run_result([fixed_cell(), fixed_cell(scenario="noise")])
    after = run_result([fixed_cell(), fixed_cell(scenario="bursts")])
    cells = compare(before, after).cells
    assert [(c.before is None, c.after is None) for c in cells] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert "only after" in comparison_text(compare(before, after))


def test_a_new_cell_that_leaks_unexpectedly_is_a_regression_and_a_control_is_not() -> None:
    leak = leaking_cell("bursts")
    assert not compare(FIXED, run_result([fixed_cell(), leak])).regressed
    unexpected = replace(leak, expect=None, as_expected=False)
    comparison = compare(FIXED, run_result([fixed_cell(), unexpected]))
    assert comparison.regressed
    assert "it was not run before" in comparison_sentence(comparison)


def test_segments_are_equal_where_someone_compared_them() -> None:
    told = compare(run_result([leaking_cell()]), run_result([fixed_cell()]))
    assert told.cells[0].parity is not None
    assert told.cells[0].parity.identical
    assert compare(FIXED, FIXED).cells[0].parity is None
    read = {fixed_cell().id: Parity(reference="original", identical=False, chunks=9)}
    assert "segments differ" in comparison_text(compare(LEAKING, FIXED, parities=read))


def test_markdown_and_json_say_the_same_and_names_cannot_break_out() -> None:
    hostile = run_result([fixed_cell(HOSTILE_SUBJECT)])
    comparison = compare(hostile, LEAKING, before_name="<b>", after_name="a|b")
    text = comparison_markdown(comparison)
    assert "<img" not in text
    assert "<b>" not in text
    assert "newly growing" in text
    data = json.loads(json.dumps(comparison_data(comparison)))
    assert data["regressed"] is True
    assert data["cells"][0]["paths"][0]["change"] == "newly growing"
    assert data["cells"][0]["segments_equal"] is None
