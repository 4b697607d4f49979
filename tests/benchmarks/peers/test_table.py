import pytest

from benchmarks.peers.measurement import Answer
from benchmarks.peers.table import describe, say, score
from benchmarks.peers.tools import PEERS, Finding, Tool
from benchmarks.peers.workloads import WORKLOADS, Stream


def nothing(stream: Stream, chunks: int) -> Finding:
    raise AssertionError("a table measures nothing")


TOOLS = {"sharp": Tool(find=nothing, rule="its own"), "blind": Tool(find=nothing, rule="none")}


def answer(workload: str, leaks: bool | None, **others: object) -> Answer:
    return Answer(
        **{"tool": "sharp", "workload": workload, "leaks": leaks, "saw": "+1 MiB/h"} | others
    )


def right_row() -> list[Answer]:
    return [
        answer(name, workload.leaks, cost=1.0 + i, chunks=400)
        for i, (name, workload) in enumerate(WORKLOADS.items())
    ]


@pytest.mark.parametrize(
    ("workload", "leaks", "said"),
    [
        ("original", True, "leak"),
        ("original", False, "**no leak**"),
        ("plateau", False, "no leak"),
        ("plateau", True, "**leak**"),
        ("sawtooth", None, "-"),
    ],
)
def test_a_wrong_answer_is_bold_and_none_is_a_dash(
    workload: str, leaks: bool | None, said: str
) -> None:
    assert say(answer(workload, leaks)) == said


def test_a_row_has_the_answers_what_was_right_the_median_cost_and_the_chunks() -> None:
    assert score("sharp", right_row()) == (
        "| sharp | leak | no leak | no leak | no leak | 4 of 4 | 2.50 (1.00 to 4.00) | 400 |"
    )


def test_no_answer_is_not_right_and_has_no_cost() -> None:
    row = [answer(name, None, saw="failed") for name in WORKLOADS]
    assert score("sharp", row) == "| sharp | - | - | - | - | 0 of 4 | - | - |"


def test_chunks_that_a_tool_chose_are_given_as_a_range() -> None:
    row = [answer("original", True, chunks=70), answer("fixed", False, chunks=410)]
    assert score("sharp", row).endswith("| 70 to 410 |")


def test_the_report_has_every_tool_what_it_saw_its_rule_and_the_command() -> None:
    answers = [*right_row(), answer("original", False, tool="blind", saw="a | b")]
    text = describe(answers, TOOLS, 400)
    assert "| blind | **no leak** | 0 of 1 |" in text
    assert "| blind | original | a / b | - | - |" in text
    assert "- sharp: its own." in text
    assert "`python -m benchmarks.peers --chunks 400`" in text


def test_all_peers_of_the_comparison_are_there() -> None:
    assert list(PEERS) == [
        "tracemalloc",
        "pytest-memray",
        "memory_profiler",
        "psleak",
        "asizeof loop",
    ]
