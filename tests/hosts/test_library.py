"""leakbench called from Python."""

from pathlib import Path
from typing import Any

import pytest

from leakbench import Part, Scenario, UsageError, read_result, run
from leakbench.controls import EnergyVad
from leakbench.hosts.library import budget_rules
from tests.cells import Recorder

SHORT_SILENCE = Scenario(
    name="short silence",
    chunk_ms=200,
    period_seconds=0.6,
    audio_seconds=60,
    parts=(Part(kind="silence", seconds=0.6),),
)


class KeepingVad(EnergyVad):
    """A subject of a caller's own, in the caller's own file."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[bytes] = []

    def feed(self, samples: Any, is_final: bool) -> Any:
        self.kept.append(bytes(100))
        return super().feed(samples, is_final)

    def roots(self) -> dict[str, object]:
        return {**super().roots(), "kept": self.kept}


def test_a_class_of_the_callers_own_is_driven_through_a_scenario_made_in_code() -> None:
    recorder = Recorder()
    # Far more than it takes to decide, so that it is stopped and not through by then.
    result = run(KeepingVad, SHORT_SILENCE, audio="2h", observer=recorder)
    assert result.verdict == "leak"
    assert not result.as_expected
    assert "kept" in result.reason
    assert result.scenario == "short silence"
    assert result.chunk_ms == 200
    assert [end.ending for end in recorder.ends] == ["stopped"]


def test_a_spec_is_driven_and_what_it_left_is_kept_where_asked(tmp_path: Path) -> None:
    result = run("leakbench.controls:bounded", "silence", audio="2m", output=tmp_path / "run")
    assert result.verdict == "flat"
    assert read_result(tmp_path / "run").cells == (result,)


def test_an_expected_leak_within_its_own_budget_is_as_asked() -> None:
    result = run(
        "leakbench.controls:leaky",
        "silence",
        expect="leak",
        leaks_in=["retained"],
        budget={"retained:elements": "2 elements/chunk"},
    )
    assert result.as_expected
    of_elements = next(m for m in result.metrics if (m.path, m.metric) == ("retained", "elements"))
    assert of_elements.verdict == "flat"


def test_a_subject_that_cannot_be_built_is_a_result_not_an_exception() -> None:
    result = run("no.such.module:Vad", "silence")
    assert result.verdict == "error"
    assert "no such module" in result.error


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("raised", "ValueError: the model fell over"),
        ("refused", "has no 'Nothing'"),
        ("nonsense", "feed() must return a list"),
        ("killed", "SIGKILL"),
    ],
)
def test_a_result_always_says_why(subject: str, says: str) -> None:
    names = {
        "raised": "Raises",
        "refused": "Nothing",
        "nonsense": "ReturnsNonsense",
        "killed": "IsKilled",
    }
    misbehaving = Path(__file__).parents[1] / "misbehaving.py"
    result = run(f"{misbehaving}:{names[subject]}", SHORT_SILENCE)
    assert result.verdict == "error"
    assert says in result.reason
    assert result.reason == result.error


def test_budgets_come_as_text_by_path_or_as_rules() -> None:
    (heap,) = budget_rules("64 KiB/h")
    assert (heap.path, heap.metric, str(heap.budget)) == ("process", "heap_bytes", "64 KiB/h")
    by_path = budget_rules({"stats.*": "16 B/segment", "process:rss_bytes": "1 MiB/h"})
    assert [(rule.path, rule.metric) for rule in by_path] == [
        ("stats.*", None),
        ("process", "rss_bytes"),
    ]
    assert budget_rules(by_path) == by_path
    assert budget_rules(()) == ()


def test_the_process_is_judged_by_one_process_unless_told_otherwise() -> None:
    result = run("leakbench.controls:bounded", "silence", audio="4m", budget="4 MiB/h")
    heap = next(metric for metric in result.metrics if metric.metric == "heap_bytes")
    assert (heap.gated, heap.verdict, heap.budget) == (True, "flat", "4 MiB/h")
    assert result.replicates == 1
    several = run("leakbench.controls:leaky", "silence", audio=12, replicates=2)
    assert several.replicates == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"scenario": "silense"}, "did you mean silence"),
        ({"subject": "nothing"}, "expected"),
        ({"subject": EnergyVad()}, "got EnergyVad"),
        ({"audio": 0}, "audio must be"),
        ({"audio": float("nan")}, "audio must be"),
        ({"audio": "soon"}, "duration must be"),
        ({"at_least": -1}, "at_least must be"),
        ({"chunk_ms": 70}, "70 ms"),
        ({"scenario": SHORT_SILENCE, "chunk_ms": 70}, "scenario 'short silence'"),
        ({"budget": "64"}, "budget must read"),
        ({"budget": {"x:nothing": "1 B/h"}}, "metric must be one of"),
        ({"replicates": 0}, "replicates must be >= 1"),
    ],
)
def test_a_wrong_argument_is_one_clear_line(arguments: dict[str, Any], says: str) -> None:
    good: dict[str, Any] = {"subject": "leakbench.controls:bounded", "scenario": "silence"}
    with pytest.raises(UsageError, match=says):
        run(**{**good, **arguments})
