"""A leak in words: the six things, as far as they are known, and what is missing."""

from dataclasses import replace

import pytest

from leakbench.bisect.since import Since
from leakbench.record.explanation import Explanation, Growth
from leakbench.report.words.leak_text import leak_lines, leak_paragraphs, rate_text, since_text
from leakbench.report.words.leaks import CellLeaks, Leak
from leakbench.report.words.phrases import plain_text
from tests.report.explanations import LINE, explanation, growth
from tests.report.run_folders import leaking_cell

FIXED = Since(
    kind="release",
    brought="",
    brought_between=0,
    fixed="1.3.15",
    fixed_between=0,
    first="1.1.12",
    last="1.4.16",
    measured=8,
    of=62,
)


def leak(of: Growth | None = None, **more: object) -> Leak:
    made = Leak(growth=of or growth(), since=None, bounded_by=(), not_bounded_by=())
    return replace(made, **more)  # type: ignore[arg-type]


def leaks(*found: Leak, of: Explanation | None = None, **more: object) -> CellLeaks:
    cell = leaking_cell()
    made = CellLeaks(
        cell=cell,
        explanation=of or explanation(cell, *(one.growth for one in found)),
        leaks=found,
        explain_command="",
        bisect_command="",
        remedies_command="",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def texts(found: CellLeaks) -> list[str]:
    return [plain_text(paragraph) for paragraph in leak_paragraphs(found)]


def test_a_paragraph_says_all_six_things() -> None:
    known = leak(
        since=FIXED, bounded_by=("ring-buffer", "memory-pool"), not_bounded_by=("sliding-window",)
    )
    assert texts(leaks(known)) == [
        "`stats.decibel` (list) grows by 64 items a chunk, 11.4 MiB an hour. "
        "Held by `FunasrSubject._cache['stats'].decibel` (list). "
        "Allocated at `fsmn_vad_streaming/model.py:464` in `FsmnVADStreaming.ComputeDecibel`: "
        '`cache["stats"].decibel.extend(decibel_numpy)` (26.3%). '
        "First fixed in 1.3.15 (of 62 releases, 8 measured). "
        "Bounded by ring-buffer and memory-pool, as measured in this run. "
        "Not bounded by sliding-window.",
        "Seen with funasr 1.3.14.",
    ]


def test_what_is_not_known_is_not_said() -> None:
    (text, _) = texts(leaks(leak(growth(allocations=()))))
    assert text.endswith("Held by `FunasrSubject._cache['stats'].decibel` (list).")


def test_what_is_not_known_comes_with_the_command_that_would_say_it() -> None:
    found = leaks(
        leak(),
        leak(growth("stats.scores")),
        leak(growth("stats.known"), since=FIXED),
        leak(growth("", chain="vad.HISTORY")),
        bisect_command="leakbench bisect --scenario silence",
        remedies_command="leakbench run --subject original+ring-buffer",
    )
    assert texts(found)[4:6] == [
        "Since when `stats.decibel`, `stats.scores` leak is not known; "
        "`leakbench bisect --scenario silence` says it.",
        "Which fix bounds it was not measured; "
        "`leakbench run --subject original+ring-buffer` shows it.",
    ]


def test_growth_outside_the_roots_is_named_by_what_holds_it() -> None:
    (text, _) = texts(leaks(leak(growth("", chain="vad.HISTORY"))))
    assert text.startswith("`vad.HISTORY` (list) grows by 64 items a chunk, 11.4 MiB an hour, outs")
    assert "Held by" not in text


def test_a_cell_that_was_not_explained_names_the_command_that_does() -> None:
    found = leaks(explain_command="leakbench run --explain")
    (text,) = texts(replace(found, explanation=None))
    assert text.endswith("was not looked for; `leakbench run --explain` says it.")
    (line,) = leak_lines(replace(found, explanation=None))
    assert "leakbench run --explain" in line


def test_an_explanation_that_failed_says_why() -> None:
    failed = leaks(of=explanation(leaking_cell(), error="refused: no such subject"))
    assert texts(failed) == ["Not explained: refused: no such subject"]
    assert leak_lines(failed) == ["not explained: refused: no such subject"]


def test_an_explanation_that_found_nothing_says_where_it_looked() -> None:
    assert texts(leaks()) == ["Nothing was found to grow in the 1,200 chunks looked at."]
    assert leak_lines(leaks()) == ["nothing was found to grow in the 1,200 chunks looked at"]


def test_native_growth_is_said_to_be_that_with_its_size() -> None:
    native = leaks(
        of=explanation(leaking_cell(), native_bytes_per_hour=3e6, heap_bytes_per_hour=4e6)
    )
    assert texts(native)[0] == (
        "2.86 MiB an hour of the heap's 3.81 MiB are native: allocated in C or C++ and held by no "
        "Python object."
    )
    assert leak_lines(native) == ["2.86 MiB an hour are native, held by no Python object"]


def test_more_leaks_than_can_be_read_are_counted() -> None:
    found = leaks(*(leak(growth(f"path{n}")) for n in range(11)))
    assert "3 more grow by less; explanation.json has them all." in texts(found)
    assert leak_lines(found)[-1] == "3 more grow by less"


def test_only_the_first_lines_of_code_are_told() -> None:
    lines = tuple(replace(LINE, line=number) for number in range(1, 6))
    (text, _) = texts(leaks(leak(growth(allocations=lines))))
    assert "model.py:3`" in text
    assert "model.py:4`" not in text


def test_a_line_is_short() -> None:
    known = leak(since=FIXED, bounded_by=("ring-buffer",))
    assert leak_lines(leaks(known)) == [
        "stats.decibel +64 items a chunk: held by FunasrSubject._cache['stats'].decibel; "
        "allocated at fsmn_vad_streaming/model.py:464 FsmnVADStreaming.ComputeDecibel; "
        "first fixed in 1.3.15 (of 62 releases, 8 measured); bounded by ring-buffer"
    ]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "first fixed in 1.3.15"),
        ({"brought": "1.2.0"}, "first leaking in 1.2.0, first fixed in 1.3.15"),
        ({"brought": "1.2.0", "fixed": ""}, "first leaking in 1.2.0"),
        ({"fixed": ""}, "leaks in every release measured, 1.1.12 to 1.4.16"),
        (
            {"fixed_between": 2},
            "first fixed in 1.3.15 or one of the 2 before it without figures",
        ),
    ],
)
def test_since_when_is_said_with_how_many_were_measured(
    change: dict[str, object], text: str
) -> None:
    since = replace(FIXED, **change)  # type: ignore[arg-type]
    assert since_text(since) == f"{text} (of 62 releases, 8 measured)"


def test_commits_are_called_commits() -> None:
    since = replace(FIXED, kind="commit", brought="0123456789", fixed="")
    assert since_text(since) == "first leaking in 0123456789 (of 62 commits, 8 measured)"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "64 items a chunk"),
        ({"quantity": "bytes", "amount": 240.0, "per": "segment"}, "240 B a segment"),
        (
            {"quantity": "objects", "type": "vad.Node", "amount": 1.0, "per": "hour"},
            "1 Node an hour",
        ),
    ],
)
def test_a_rate_says_what_of(change: dict[str, object], text: str) -> None:
    assert rate_text(growth(**change)) == text  # type: ignore[arg-type]
