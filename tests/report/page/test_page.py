import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from leakbench.report.page.page import render_page
from leakbench.report.run_folder import read_run
from tests.report.conftest import HOSTILE_SCENARIO, HOSTILE_SUBJECT
from tests.report.explanations import HOSTILE_CHAIN, HOSTILE_LINE
from tests.report.run_folders import error_cell, fixed_cell, leaking_cell, write_run


class Reader(HTMLParser):
    """Collects tags, ids, links and what is fetched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and tag == "a":
                self.links.append(value or "")
            if name in ("src", "srcset", "data", "action", "poster") or (
                name == "href" and tag == "link"
            ):
                self.fetched.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    return Reader(page)


def test_the_verdict_is_the_first_thing_said(read: Reader, page: str) -> None:
    first = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert first is not None
    assert "raised ValueError on chunk 3" in unescape(first[1])
    assert page.index("<h1>") < page.index("<h2>")


def test_names_that_are_markup_are_shown_and_nothing_of_them_is_a_tag(
    read: Reader, page: str
) -> None:
    assert HOSTILE_SCENARIO not in page
    assert HOSTILE_SCENARIO in read.text
    assert HOSTILE_SUBJECT in read.text
    assert "img" not in read.tags
    assert read.tags.count("script") == 1


def test_a_leak_is_told_in_a_paragraph_whose_code_is_code_and_nothing_else(
    read: Reader, page: str
) -> None:
    (told,) = re.findall(r'<p class="growth">(.*?)</p>', page)[:1]
    pieces = [unescape(piece) for piece in re.findall(r"<code>(.*?)</code>", told)]
    assert pieces[:4] == ["stats.decibel", HOSTILE_CHAIN, "<b>/model.py:1", HOSTILE_LINE.function]
    assert pieces[4] == (
        "x = '</code><script>document.title=\"source\"</script>' # \\x1b[31m \\u202e `@all`"
    )
    assert not set(re.findall(r"<(\w+)", told)) - {"code"}
    assert "grows by 64 items a chunk" in read.text


def test_a_leak_that_was_not_explained_names_the_command_in_a_hostile_scenario_too(
    tmp_path: Path,
) -> None:
    cell = leaking_cell(HOSTILE_SCENARIO, subject=HOSTILE_SUBJECT, replicates=0)
    page = render_page(read_run(write_run(tmp_path / "run", [cell])))
    (told,) = re.findall(r'<p class="growth">(.*?)</p>', page)
    assert set(re.findall(r"<(\w+)", told)) == {"code"}
    assert "was not looked for" in told
    assert HOSTILE_SCENARIO in unescape(told)


def test_what_does_not_leak_has_no_such_paragraph(tmp_path: Path) -> None:
    page = render_page(read_run(write_run(tmp_path / "run", [fixed_cell(replicates=0)])))
    assert 'class="growth"' not in page


def test_the_page_fetches_nothing(read: Reader, page: str) -> None:
    assert read.fetched == []
    assert "link" not in read.tags
    assert "url(http" not in page
    assert "@import" not in page


def test_only_the_pages_own_script_may_run(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy is not None
    assert script is not None
    told = unescape(policy[1])
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in told
    assert told.startswith("default-src 'none'")


def test_ids_are_unique_and_inner_links_lead_somewhere(read: Reader) -> None:
    assert len(read.ids) == len(set(read.ids))
    inner = {link[1:] for link in read.links if link.startswith("#")}
    assert inner
    assert inner <= set(read.ids)


def test_links_to_files_are_relative_and_the_files_are_there(
    read: Reader, run_folder: Path
) -> None:
    files = [unquote(link) for link in read.links if not link.startswith("#")]
    assert files
    assert not [link for link in files if link.startswith(("/", "http", "file:"))]
    assert not [link for link in files if not (run_folder / link).is_file()]
    assert any(link.endswith("trace.jsonl") for link in files)


def test_every_path_and_metric_has_a_row_worst_first(page: str, run_folder: Path) -> None:
    ranks = [int(rank) for rank in re.findall(r'data-rank="(\d+)"', page)]
    total = sum(len(cell.metrics) for cell in read_run(run_folder).result.cells)
    assert ranks == list(range(total))
    verdicts = re.findall(r'data-verdict="(\w+)"', page)
    assert verdicts[0] == "undecided"
    assert set(verdicts[-5:]) == {"flat"}


def test_each_cell_tells_what_was_driven_and_how_sure_it_is(read: Reader) -> None:
    for words in (
        "30 min of audio in 3 processes",
        "35 % speech, 65 % silence",
        "64 KiB/h for heap",
        "0 for everything else judged",
        "identical to original's over 1,000 chunks",
        "512 MiB more held after",
        "after 7 d",
    ):
        assert words in read.text, words


def test_environment_and_command_are_given_to_run_it_again(read: Reader) -> None:
    for words in ("leakbench run --subject original", "glibc 2.36", "4 GiB", "funasr 1.3.14"):
        assert words in read.text


def test_without_scripts_every_row_is_there_and_the_controls_are_not(page: str) -> None:
    assert 'id="controls" hidden' in page
    assert 'id="theme" hidden' in page
    assert not re.search(r"<tr[^>]*\shidden", page)


def test_a_run_in_which_nothing_was_sampled_yet_has_a_page(tmp_path: Path) -> None:
    cell = error_cell(endings=(), replicates=0, audio_seconds=0.0, error="no samples")
    page = render_page(read_run(write_run(tmp_path / "run", [cell])))
    assert "No cell has a verdict yet." in page
    assert "no verdict yet" in page


def test_a_worker_killed_in_mid_line_still_has_its_trends(tmp_path: Path) -> None:
    cell = leaking_cell(
        verdict="error", metrics=(), replicates=1, endings=("running",), audio_seconds=300.0
    )
    folder = write_run(tmp_path / "run", [cell])
    trace = folder / "cells" / cell.id / "r0" / "trace.jsonl"
    trace.write_text(trace.read_text() + '{"chunk":501,"audio_se', encoding="utf-8")
    page = render_page(read_run(folder))
    assert page.count("<figure>") == 8
    assert "no verdict yet" in page
