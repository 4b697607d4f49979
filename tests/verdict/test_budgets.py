import pytest

from leakbench.errors import ConfigError
from leakbench.units import Exposure, parse_budget
from leakbench.verdict.budgets import BudgetRule, Budgets, is_below, matches, parse_rule

EXPOSURE = Exposure(chunks_per_hour=6000, segments_per_hour=100, streams_per_hour=1)
PATHS = ("stats", "stats.decibel", "stats.buf", "stats.buf[]", "stats.buffer", "other", "total")


def budgets(*rules: BudgetRule) -> Budgets:
    return Budgets(rules, PATHS, EXPOSURE)


RESIDUAL = BudgetRule(path="stats.buf", budget=parse_budget("400 B/segment"), reason="known")


@pytest.mark.parametrize("path", ["stats.buf", "stats", "total", "stats.buf[]"])
def test_an_allowance_is_granted_to_what_holds_the_path_and_what_it_holds(path: str) -> None:
    allowed = budgets(RESIDUAL).of(path, "python_bytes")
    assert allowed.per_hour == 40_000
    assert allowed.text == "400 B/segment"
    assert allowed.why == "known"


@pytest.mark.parametrize("path", ["stats.decibel", "stats.buffer", "other"])
def test_an_allowance_is_not_granted_to_what_only_looks_alike(path: str) -> None:
    assert budgets(RESIDUAL).of(path, "python_bytes").per_hour == 0


def test_an_allowance_is_added_to_the_budget_of_the_process() -> None:
    allowed = budgets(RESIDUAL).of("process", "heap_bytes")
    assert allowed.per_hour == 16 * 1024 + 40_000
    assert allowed.text == "16 KiB/h + 400 B/segment"


def test_elements_of_a_path_budgeted_in_bytes_are_shown_only() -> None:
    assert budgets(RESIDUAL).of("stats.buf", "elements").exempt
    assert not budgets(RESIDUAL).of("stats", "elements").exempt
    assert not budgets(RESIDUAL).of("stats.decibel", "elements").exempt


def test_elements_are_allowed_to_their_own_path_only() -> None:
    rule = BudgetRule(path="stats.buf", budget=parse_budget("1 element/segment"))
    assert budgets(rule).of("stats.buf", "elements").per_hour == 100
    assert budgets(rule).of("stats", "elements").per_hour == 0
    assert budgets(rule).of("stats.buf", "python_bytes").per_hour == 0


def test_a_rule_for_one_byte_metric_leaves_the_other_alone() -> None:
    rule = BudgetRule(path="stats.buf", metric="storage_bytes", budget=parse_budget("1 KiB/h"))
    assert budgets(rule).of("stats.buf", "storage_bytes").per_hour == 1024
    assert budgets(rule).of("stats.buf", "python_bytes").per_hour == 0
    assert budgets(rule).of("process", "heap_bytes").per_hour == 17 * 1024
    assert budgets(rule).of("process", "mapped_bytes").text == "1 MiB/h"


def test_a_pattern_grants_each_of_its_topmost_paths_once() -> None:
    rule = BudgetRule(path="stats.b*", budget=parse_budget("10 B/h"))
    assert budgets(rule).of("stats", "python_bytes").per_hour == 20
    assert budgets(rule).of("total", "python_bytes").per_hour == 20
    assert budgets(rule).of("stats.buf[]", "python_bytes").per_hour == 10


def test_a_rule_for_everything_grants_everything_once_and_takes_nothing_away() -> None:
    rule = BudgetRule(path="*", budget=parse_budget("10 B/h"))
    assert budgets(rule).of("total", "python_bytes").per_hour == 10
    assert budgets(rule).of("process", "heap_bytes").per_hour == 16 * 1024 + 10


def test_a_bare_allowance_of_the_process_replaces_the_defaults_of_its_unit() -> None:
    rule = BudgetRule(path="process", budget=parse_budget("2 MiB/h"))
    assert budgets(rule).of("process", "heap_bytes").text == "2 MiB/h"
    assert budgets(rule).of("process", "mapped_bytes").text == "2 MiB/h"
    assert budgets(rule).of("process", "descriptors").per_hour == 0


@pytest.mark.parametrize("path", ["process", "*"])
def test_a_rule_for_the_process_replaces_the_default(path: str) -> None:
    rule = BudgetRule(path=path, metric="heap_bytes", budget=parse_budget("1 MiB/h"))
    assert budgets(rule).of("process", "heap_bytes").per_hour == 2**20
    assert budgets(rule).of("process", "rss_bytes").text == "1 MiB/h"
    assert budgets(rule).of("stats", "python_bytes").per_hour == 0


def test_brackets_in_a_pattern_stand_for_themselves() -> None:
    assert matches("stats.buf[]", "stats.buf[]")
    assert matches("*.buf[]*", "stats.buf[].x")
    assert not matches("stats.buf[]", "stats.buf")


def test_below_means_held_by_and_not_named_alike() -> None:
    assert is_below("stats.buf[]", "stats.buf")
    assert is_below("anything", "total")
    assert not is_below("stats.buffer", "stats.buf")
    assert not is_below("process", "total")
    assert not is_below("stats", "stats")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("=1 B/h", "path must be a pattern"),
        (":elements=1 element/h", "path must be a pattern"),
        ("stats=1 ms/h", "no metric in seconds"),
        ("*=1 file/h", "no metric in count"),
        ("process=1 element/h", "no metric in elements"),
        ("process:heap_bytes=1 element/h", "heap_bytes is in bytes"),
        ("stats:elements=1 B/h", "elements is in elements"),
        ("stats:heap_bytes=1 B/h", "heap_bytes is of the process"),
        ("process:elements=1 element/h", "elements is of objects"),
    ],
)
def test_a_budget_that_could_be_for_nothing_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse_rule(text)
    assert "got" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("1 B/h", "*=1 B/h", "*=1 element/h", "process=1 B/h", "process=1 ms/h"),
        *("process=1 file/h", "*:heap_bytes=1 B/h", "process:threads=1 thread/h"),
        *("stats[]:storage_bytes=1 B/chunk", "total=1 B/h"),
    ],
)
def test_a_budget_that_may_be_for_something_is_taken(text: str) -> None:
    assert parse_rule(text).budget.per_hour(EXPOSURE) > 0
