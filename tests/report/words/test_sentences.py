import pytest

from leakbench.report.words.sentences import (
    cell_sentence,
    expectation,
    headline,
    outlook,
    parity_sentence,
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


def test_a_gate_that_shows_what_it_must_leads_with_the_number_behind_it() -> None:
    assert headline(run_result([leaking_cell(), fixed_cell(), fixed_cell("latest")])) == (
        "As expected: original leaks, as it must (stats.scores storage +340 MiB/h, "
        "+58.1 KiB a chunk); fixed and latest are flat over 60 min of audio."
    )


def test_several_that_leak_as_they_must_are_named_together() -> None:
    onnx = leaking_cell(subject="funasr-onnx==0.4.3")
    said = headline(run_result([leaking_cell(), onnx]))
    assert said.startswith("As expected: original and funasr-onnx==0.4.3 leak, as they must (")


def test_an_unexpected_leak_leads_with_path_rate_and_budget() -> None:
    cell = leaking_cell(expect="flat", as_expected=False)
    assert headline(run_result([cell, fixed_cell()])) == (
        "original on silence, 600 ms chunks leaks: stats.scores storage +340 MiB/h, "
        "+58.1 KiB a chunk, where nothing may grow."
    )


def test_a_control_that_did_not_leak_is_said_to_be_missing_its_leak() -> None:
    cell = fixed_cell(expect="leak", as_expected=False)
    assert cell_sentence(cell).endswith("is flat, but a leak was expected.")


def test_an_error_leads_and_the_others_are_counted() -> None:
    sentence = headline(run_result([undecided_cell(), error_cell()]))
    assert "raised ValueError on chunk 3" in sentence
    assert sentence.endswith("1 other cell is amiss too.")


def test_a_run_that_goes_on_is_told_so_far() -> None:
    pending = error_cell(endings=(), replicates=0)
    sentence = headline(run_result([fixed_cell(), pending]))
    assert sentence.startswith("So far: As expected: fixed is flat")
    assert sentence.endswith("1 of 2 cells have no verdict yet.")
    assert headline(run_result([pending])) == "No cell has a verdict yet."
    assert "has no verdict" in cell_sentence(pending)


def test_a_run_of_nothing_says_so() -> None:
    assert headline(run_result([])) == "Nothing was driven."


def test_what_is_undecided_gives_its_reason() -> None:
    assert "interval 19.5 to 156 KiB/h holds the budget" in cell_sentence(undecided_cell())


def test_a_leak_over_a_budget_names_the_budget() -> None:
    heap = metric("process", "heap_bytes", 10 * 2**20, width=2**20, allow=65_536)
    cell = leaking_cell(metrics=(heap,), as_expected=False)
    assert cell_sentence(cell).endswith("heap +10 MiB/h, against a budget of 64 KiB/h.")


def test_expectations_name_where_the_leak_must_be() -> None:
    assert expectation(leaking_cell()) == "as expected (leak in stats.decibel, stats.data_buf_all)"
    assert expectation(undecided_cell()) == "NOT as expected (flat)"


def test_parity_names_the_first_chunk_that_differs() -> None:
    assert parity_sentence(fixed_cell()) == "segments identical to original's over 1,000 chunks"
    assert parity_sentence(undecided_cell()) == (
        "segments differ from original's from chunk 12 on (7.2 s): expected [[6600, -1]], got []"
    )
    assert parity_sentence(leaking_cell()) == ""


def test_the_outlook_is_the_judged_heap_carried_on() -> None:
    ahead = outlook(leaking_cell())
    assert ahead is not None
    assert ahead.source == "heap"
    assert [after for after, _, _ in ahead.added] == ["24 h", "7 d", "30 d"]
    assert ahead.added[0][1] == "13.9 GiB"
    assert "min" in ahead.until_full


def test_without_a_judged_heap_the_outlook_is_that_of_all_objects_together() -> None:
    metrics = (
        metric("total", "storage_bytes", 2**20),
        metric("total", "python_bytes", 2**20),
    )
    ahead = outlook(leaking_cell(metrics=metrics))
    assert ahead is not None
    assert ahead.source == "all objects"
    assert ahead.added[0] == ("24 h", "48 MiB", "exact")
    assert ahead.until_full == "10.7 d"


def test_what_does_not_grow_never_fills_anything() -> None:
    flat = outlook(fixed_cell(metrics=(metric("total", "storage_bytes", 0),)))
    assert flat is not None
    assert flat.added[1][1] == "0 B"
    assert flat.until_full in ("never", "not within ten years")
    near = outlook(fixed_cell(metrics=flat_metrics()))
    assert near is not None
    assert near.until_full == "not within ten years"


@pytest.mark.parametrize("cell", [error_cell(), fixed_cell(metrics=())])
def test_without_slopes_there_is_no_outlook(cell: object) -> None:
    assert outlook(cell) is None  # type: ignore[arg-type]


def test_a_graph_that_grows_comes_with_the_remedy() -> None:
    leak = metric("h.grad_fn", "elements", 1e6)
    assert "torch.no_grad()" in cell_sentence(leaking_cell(metrics=(leak,)))
    assert "torch.no_grad()" not in cell_sentence(leaking_cell())
