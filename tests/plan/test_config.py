from pathlib import Path

import pytest

from leakbench.errors import ConfigError
from leakbench.plan.config import load_config
from leakbench.plan.matrix import requests_of_config


def write(folder: Path, text: str) -> Path:
    path = folder / "leakbench.toml"
    path.write_text(text)
    return path


def test_a_cell_is_every_subject_scenario_and_chunk(tmp_path: Path) -> None:
    config = load_config(
        write(
            tmp_path,
            """
            [[cell]]
            subject = ["a", "b"]
            scenario = ["silence", "noise"]
            chunk_ms = [60, 600]
            """,
        )
    )
    asked = [(r.subject, r.scenario, r.chunk_ms) for r in requests_of_config(config)]
    assert len(asked) == 8
    # Subjects of one audio stand together: the first is the reference of the others.
    assert asked[:2] == [("a", "silence", 60), ("b", "silence", 60)]


def test_a_budget_is_granted_to_the_subjects_it_names_only(tmp_path: Path) -> None:
    config = load_config(
        write(
            tmp_path,
            """
            [[cell]]
            subject = ["fixed", "fixed+patch"]
            scenario = "silence"
            [[budget]]
            subject = "fixed"
            path = "stats.output_data_buf"
            metric = "python_bytes"
            limit = "400 B/segment"
            reason = "known"
            [[budget]]
            limit = "64 KiB/h"
            metric = "heap_bytes"
            path = "process"
            """,
        )
    )
    fixed, patched = requests_of_config(config)
    assert [rule.path for rule in fixed.rules] == ["stats.output_data_buf", "process"]
    assert [rule.path for rule in patched.rules] == ["process"]


def test_the_shipped_gate_configuration_reads() -> None:
    config = load_config(Path(__file__).parents[2] / "leakbench.toml")
    requests = list(requests_of_config(config))
    assert {request.expect for request in requests} == {"flat", "leak"}
    assert all(budget.rule.reason and budget.rule.link for budget in config.budgets)


CELL = """
[[cell]]
subject = ["fixed", "fixed+patch"]
scenario = "silence"
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[budget]]\nlimit = '1 file/h'", r"budget\[1\]\.limit: path '\*' has no metric in count"),
        ("[[budget]]\nlimit = '1 B/h'\npath = ''", r"budget\[1\]\.limit: path must be"),
        (
            "[[budget]]\nlimit = '1 B/h'\npath = 'a'\nmetric = 'heap_bytes'",
            "heap_bytes is of the process, got the path 'a'",
        ),
        (
            "[[budget]]\nlimit = '1 B/h'\nsubject = ['fixed*', 'fixd']",
            r"budget\[1\]\.subject: no \[\[cell\]\] has a subject 'fixd'; there is fixed",
        ),
        ("[[cell]]\nsubject='a'\nscenario='b'\nexpect='leak'\nleaks_in=['']", "an empty one"),
    ],
)
def test_what_can_match_nothing_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(write(tmp_path, CELL + text))


def test_a_subject_in_brackets_is_granted_what_names_it(tmp_path: Path) -> None:
    text = CELL.replace("fixed+patch", "q[1].py:Vad")
    text += "[[budget]]\nlimit = '1 B/h'\nsubject = 'q[1].py:*'"
    fixed, own = requests_of_config(load_config(write(tmp_path, text)))
    assert (len(fixed.rules), len(own.rules)) == (0, 1)
