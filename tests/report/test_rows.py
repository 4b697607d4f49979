from dataclasses import replace

import pytest

from leakbench.report.rows import (
    format_budget,
    format_change,
    format_interval,
    format_rate,
    format_slope,
    format_slopes,
    is_pending,
    rows,
    rows_amiss,
    shorten,
    worst_row,
)
from tests.report.run_folders import (
    error_cell,
    fixed_cell,
    flat_metrics,
    leaking_cell,
    metric,
    run_result,
    undecided_cell,
)


def test_what_is_not_as_expected_comes_before_an_expected_leak() -> None:
    ordered = rows(run_result([leaking_cell(), undecided_cell()]))
    assert ordered[0].cell.subject == "latest"
    assert ordered[0].result.verdict == "undecided"
    assert ordered[-1].cell.subject == "original"


def test_within_a_cell_leaks_come_first_and_the_fastest_of_them_leads() -> None:
    ordered = rows(run_result([leaking_cell()]))
    verdicts = [row.result.verdict for row in ordered]
    assert verdicts == sorted(verdicts, key=["leak", "flat"].index)
    assert ordered[0].name == "stats.scores storage"


def test_a_path_comes_before_those_whose_growth_it_explains_and_before_the_process() -> None:
    paths = [row.result.path for row in rows(run_result([leaking_cell()]))]
    assert paths.index("stats.scores") < paths.index("total") < paths.index("process")


def test_the_worst_row_of_a_flat_cell_is_its_largest_growth() -> None:
    row = worst_row(fixed_cell(metrics=flat_metrics(860)))
    assert row is not None
    assert row.name == "stats.output_data_buf Python bytes"
    assert row.rate == "+280 B a segment"


def test_a_cell_without_metrics_has_no_worst_row() -> None:
    assert worst_row(error_cell()) is None


def test_only_judged_rows_that_are_not_flat_are_amiss() -> None:
    assert rows_amiss(fixed_cell()) == ()
    names = [row.name for row in rows_amiss(leaking_cell())]
    assert "time a chunk" not in names
    assert names[0] == "stats.scores storage"


@pytest.mark.parametrize(
    ("value", "name", "shown"),
    [
        (384_000.0, "elements", "+384,000 elements"),
        (-2048.0, "heap_bytes", "-2 KiB"),
        (0.0, "storage_bytes", "0 B"),
        (0.186, "chunk_seconds", "+186 ms"),
        (None, "elements", "-"),
        (float("nan"), "elements", "-"),
        (float("inf"), "rss_bytes", "-"),
    ],
)
def test_changes_have_a_sign_and_a_unit(value: float | None, name: str, shown: str) -> None:
    assert format_change(value, name) == shown  # type: ignore[arg-type]


def test_a_slope_is_an_audio_hour() -> None:
    assert format_slope(metric("stats.decibel", "elements", 384_000)) == "+384,000 elements/h"


def test_several_slopes_share_their_unit_and_unknown_ones_say_nothing() -> None:
    grown, still = (metric("stats.decibel", "elements", slope) for slope in (384_000, 0))
    assert format_slopes([grown, still, None]) == "+384,000 → 0 → -"
    assert format_slopes([grown, still]) == "+384,000 → 0 elements/h"
    assert format_slopes([grown, still, None, still, still]) == "+384,000 → 0 elements/h"
    assert format_slopes([None, None]) == ""


def test_an_interval_of_no_width_is_exact() -> None:
    assert format_interval(metric("a", "elements", 5)) == "exact"
    assert format_interval(metric("process", "heap_bytes", 0, width=1024)) == "-1 KiB to +1 KiB"
    assert format_interval(replace(metric("a", "elements", 5), low=None)) == "-"


def test_a_budget_shows_what_it_is_worth_an_hour_unless_it_says_so() -> None:
    assert format_budget(metric("process", "heap_bytes", 0, allow=65_536)) == "64 KiB/h"
    residual = flat_metrics(860)[4]
    assert format_budget(residual) == "420 B/segment = 353 KiB/h"
    assert format_budget(metric("a", "storage_bytes", 0)) == "0"
    assert format_budget(replace(residual, gated=False)) == "shown only"


def test_a_rate_names_what_it_comes_with() -> None:
    grown = metric("a", "elements", 384_000, rate=64, rate_per="chunk")
    assert format_rate(grown) == "+64 elements a chunk"
    assert format_rate(metric("a", "elements", 0)) == "-"


def test_long_names_lose_their_middle() -> None:
    assert shorten("stats.decibel", 40) == "stats.decibel"
    short = shorten("model.layers." * 20 + "cache", 30)
    assert len(short) == 30
    assert short.startswith("model")
    assert short.endswith("cache")
    assert "…" in short


def test_a_cell_that_has_not_begun_is_pending_and_a_failed_one_is_not() -> None:
    unbegun = error_cell(endings=(), replicates=0)
    assert is_pending(replace(unbegun))
    assert is_pending(replace(unbegun, endings=("running",)))
    assert not is_pending(error_cell())
    assert not is_pending(leaking_cell(endings=("running",)))
