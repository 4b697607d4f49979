from leakbench.report.words.phrases import CODE_AT_MOST, code, command, plain_text, words


def test_code_stands_in_backticks() -> None:
    assert plain_text((words("Held by "), code("Vad.held"), words("."))) == "Held by `Vad.held`."


def test_signs_that_a_terminal_or_a_reader_would_obey_are_shown_escaped() -> None:
    assert code("a\x1b[31m\u202eb\ud800\tc\nd").text == r"a\x1b[31m\u202eb\ud800 c d"
    assert words("\x07").text == r"\x07"


def test_a_long_line_is_cut_and_a_command_is_not() -> None:
    assert len(code("x" * 9_999).text) == CODE_AT_MOST
    assert command("x" * 999).text == "x" * 999
