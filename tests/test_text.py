"""Text that is not ours is shown as it is, on one line, and obeyed by nobody."""

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakbench.text import command_line, defused, printable

ANY_TEXT = st.text(st.characters(codec=None), max_size=80)
"""Half characters too: paths that are not UTF-8 hold them."""


@given(ANY_TEXT)
def test_whatever_is_printed_prints(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert not shown.lstrip().startswith("::")
    shown.encode()


@given(ANY_TEXT)
def test_what_is_printable_stays_as_it_is_when_it_is_printed_again(text: str) -> None:
    assert printable(printable(text)) == printable(text)


def test_names_in_any_script_are_left_alone() -> None:
    for name in ("stats.decibel", "流式语音", "naïve[0]", "[red]:boom:", "50 % # done", "a::b"):
        assert printable(name) == name


def test_what_does_not_print_is_shown_escaped_and_white_space_is_a_space() -> None:
    assert printable("a\x1b[31m\u202eb\ud800\tc\nd\u2028e") == r"a\x1b[31m\u202eb\ud800 c d e"


@pytest.mark.parametrize(
    "line",
    [
        "::error::PWN",
        "  ::set-output name=x::y",
        "\t::stop-commands::x",
        "see ##[error]PWN",
        "##vso[task.setvariable variable=x]y",
        "##teamcity[buildStatus status='FAILURE']",
    ],
)
def test_no_build_server_takes_a_line_for_a_command(line: str) -> None:
    for shown in (defused(line), printable(line)):
        assert not shown.strip().startswith("::")
        assert "##[" not in shown
        assert "##vso[" not in shown
        assert "##teamcity[" not in shown
        assert "error" not in line or "error" in shown


ARGUMENTS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(ARGUMENTS)
def test_a_printed_command_can_be_copied(arguments: list[str]) -> None:
    typed = command_line(["printf", r"%s\0", *arguments])
    assert typed.isprintable()
    assert defused(typed) == typed
    assert passed_on_by_a_shell(typed) == b"".join(a.encode() + b"\0" for a in arguments or [""])


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=20).map(lambda raw: raw.replace(b"\0", b"\xff")))
def test_so_can_one_that_names_a_file_that_is_not_utf_8(raw: bytes) -> None:
    typed = command_line(["printf", r"%s\0", os.fsdecode(raw)])
    assert passed_on_by_a_shell(typed) == raw + b"\0"


def test_so_can_one_in_a_log_that_is_ascii() -> None:
    typed = command_line(["printf", r"%s\0", "naïve 流"], encoding="ascii")
    assert typed.isascii()
    assert passed_on_by_a_shell(typed) == "naïve 流\0".encode()


def test_a_plain_command_is_plain() -> None:
    assert command_line(["leakbench", "run", "--subject", "a b"]) == "leakbench run --subject 'a b'"


def passed_on_by_a_shell(typed: str) -> bytes:
    return subprocess.run(["bash", "-c", typed], capture_output=True, check=True, timeout=30).stdout
