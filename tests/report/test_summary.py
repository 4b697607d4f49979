import re
from dataclasses import replace
from pathlib import Path

import pytest

from leakbench.record.explanation import AllocationLine
from leakbench.report.run_folder import read_run
from leakbench.report.summary import escape_markdown, markdown_summary, workflow_annotations
from tests.report.conftest import HOSTILE_SCENARIO, HOSTILE_SUBJECT
from tests.report.explanations import HOSTILE_CHAIN, LINE, OWN_LINE, explain, growth
from tests.report.run_folders import (
    error_cell,
    fixed_cell,
    leaking_cell,
    run_result,
    undecided_cell,
    write_run,
)


def test_the_summary_leads_with_the_verdict_and_ends_with_the_command() -> None:
    text = markdown_summary(run_result([leaking_cell(), fixed_cell()]))
    assert text.startswith("## leakbench: As expected: original leaks, as it must")
    assert "leakbench run --subject original --subject fixed" in text


def test_the_summary_has_a_line_a_cell_and_the_paths_that_grow() -> None:
    text = markdown_summary(run_result([leaking_cell(), fixed_cell()]))
    assert re.search(r"\| 🟥 \| original \| silence, 600 ms \| leak", text)
    assert re.search(r"\| 🟦 \| fixed \| silence, 600 ms \| flat", text)
    assert "stats.decibel elements | +384,000 elements/h | exact | +64 elements a chunk" in text


def test_names_cannot_break_out_of_the_summary() -> None:
    hostile = fixed_cell(HOSTILE_SUBJECT + "\n| x | @someone `", HOSTILE_SCENARIO)
    text = markdown_summary(run_result([hostile, undecided_cell()]))
    assert "<script>" not in text
    assert "<img" not in text
    assert "@someone" not in text
    assert "\\$a\\_b^\\{2\\$" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 8 for line in tables[:3])


def test_a_leak_nobody_expected_has_a_line(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [leaking_cell(expect="flat", as_expected=False)])
    explain(folder, leaking_cell(), growth(), growth("", chain=HOSTILE_CHAIN))
    run = read_run(folder)
    lines = [
        line for line in markdown_summary(run.result, run.leaks).splitlines() if line[:2] == "- "
    ]
    assert lines[0].startswith("- original on silence: stats.decibel +64 items a chunk: held by Fu")
    assert "allocated at fsmn\\_vad\\_streaming/model.py:464 FsmnVADStreaming.ComputeD" in lines[0]
    assert "&lt;img src=x" in lines[1]
    assert len(lines) == 2


def test_a_leak_that_was_expected_has_none(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", [leaking_cell()]))
    assert "\n- " not in markdown_summary(run.result, run.leaks)


def test_a_command_with_backticks_stays_in_its_block() -> None:
    text = markdown_summary(run_result([], command=("leakbench", "run", "```", "x")))
    fence = next(line for line in text.splitlines() if line.startswith("````"))
    assert text.rstrip().endswith(fence.removesuffix("console"))


def test_segments_that_differ_are_told() -> None:
    assert "from chunk 12 on" in markdown_summary(run_result([undecided_cell()]))


def test_annotations_name_path_rate_and_budget() -> None:
    leak = leaking_cell(expect="flat", as_expected=False)
    (line,) = workflow_annotations(run_result([leak, fixed_cell()]))
    assert line.startswith("::error title=leakbench%3A original on silence::")
    assert "stats.scores storage +340 MiB/h" in line
    assert "nothing may grow" in line


def annotation(folder: Path, line: AllocationLine) -> str:
    leak = leaking_cell(expect="flat", as_expected=False)
    write_run(folder, [leak])
    explain(folder, leak, growth(allocations=(line,)))
    run = read_run(folder)
    (text,) = workflow_annotations(run.result, run.leaks)
    return text


def test_an_annotation_is_shown_at_the_line_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "app" / "stream.py"
    file.parent.mkdir()
    file.touch()
    monkeypatch.chdir(tmp_path)
    text = annotation(tmp_path / "run", replace(OWN_LINE, file=str(file)))
    assert text.startswith("::error file=app/stream.py,line=30,title=leakbench%3A original on sil")
    assert text.endswith(" At app/stream.py:30 Vad.feed through _core/_methods.py:132.")


def test_an_annotation_of_a_line_outside_the_checkout_names_it_in_words_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = annotation(tmp_path / "run", LINE)
    assert text.startswith("::error title=")
    assert text.endswith(" At fsmn_vad_streaming/model.py:464 FsmnVADStreaming.ComputeDecibel.")


def test_what_is_as_expected_is_not_annotated() -> None:
    assert workflow_annotations(run_result([leaking_cell(), fixed_cell()])) == ()


def test_what_is_undecided_is_a_warning_and_a_failure_an_error() -> None:
    kinds = [
        line.split()[0]
        for line in workflow_annotations(run_result([undecided_cell(), error_cell()]))
    ]
    assert kinds == ["::warning", "::error"]


def test_annotations_stay_on_one_line_and_cannot_start_another_command() -> None:
    cell = error_cell(subject="a,b:c", error="50% done\r\n::set-output name=x::y")
    (line,) = workflow_annotations(run_result([cell]))
    assert "\n" not in line
    assert "\r" not in line
    assert "title=leakbench%3A a%2Cb%3Ac on silence::" in line
    assert "50%25 done  ::set-output" in line


def test_escaped_text_is_one_line() -> None:
    assert escape_markdown("a\n b\t*c*") == "a b \\*c\\*"
