"""Every kind does what is said of it: by the kernel, glibc and pympler, not by the harness."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from benchmarks import kinds
from benchmarks.kinds import BOUNDED, LEAKS, Case

Answers: TypeAlias = dict[str, dict[str, Any]]
"""What was counted of each kind, or its error, by its name."""
Counts: TypeAlias = list[dict[str, float]]
HAS_TORCH = importlib.util.find_spec("torch") is not None
NEEDS_TORCH = {"Graph", "GraphHidden", "GraphDetached"}
TOLERANCE = 0.02
SLACK_BYTES = 2048
"""Of a heap: a table of the interpreter's that gets larger once."""
COUNTED = ("descriptors", "threads", "children", "temp_files")
WEIGHED = ("heap_bytes", "python_bytes", "temp_bytes")
MAPPED = ("mapped_bytes", "shared_bytes", "children_bytes")
MAPPED_SLACK_BYTES = 256 * 1024
"""Of mappings and of children: an allocator maps and a fork copies pages when it must."""

# It is the benchmark that is tested here, and it takes a minute.
pytestmark = pytest.mark.slow


def needs_torch(case: Case) -> bool:
    return case.file == "states.py" or case.name in NEEDS_TORCH


@pytest.fixture(scope="module")
def answers() -> Answers:
    """What was counted of each kind, by its name."""
    found: Answers = {}
    for torch in (False, True) if HAS_TORCH else (False,):
        jobs = [
            {
                **dataclasses.asdict(case, dict_factory=plain),
                "leaks": case.leaks,
                "torch": torch,
                "is_timed": "cpu_seconds" in case.metrics or case.name == "SameTime",
            }
            for case in (*LEAKS, *BOUNDED)
            if needs_torch(case) == torch
        ]
        done = subprocess.run(
            [sys.executable, Path(__file__).parent / "counting.py"],
            input=json.dumps(jobs),
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PYTHONMALLOC": "malloc",
                "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
                "PYTHONPATH": os.pathsep.join([str(kinds.HERE), str(kinds.HERE.parents[1])]),
            },
        )
        for answer in map(json.loads, done.stdout.splitlines()):
            found[answer["name"]] = answer
    return found


def plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: sorted(v) if isinstance(v, frozenset) else v for name, v in items}


def ids(case: Case) -> str:
    return case.name


def of(case: Case, answers: Answers) -> Counts:
    if needs_torch(case) and not HAS_TORCH:
        pytest.skip("torch is not installed")
    answer = answers[case.name]
    assert "error" not in answer, answer["error"]
    counts: Counts = answer["counts"]
    return counts


@pytest.mark.parametrize("case", [c for c in LEAKS if c.metrics != {"cpu_seconds"}], ids=ids)
def test_what_is_said_to_leak_grows_as_fast_as_is_said(case: Case, answers: Answers) -> None:
    begin, end = of(case, answers)
    grown = {m: end[m] - begin[m] for m in case.metrics if m in end}
    if case.rate is None:
        assert max(grown.values()) > 0, grown
        return
    units = (end["chunk"] - begin["chunk"]) / 10 if case.per == "period" else None
    expected = case.rate * (units or end[case.per] - begin[case.per])
    for metric, growth in grown.items():
        assert growth == pytest.approx(expected, rel=TOLERANCE, abs=case.wobble), metric


@pytest.mark.parametrize("case", BOUNDED, ids=ids)
def test_what_is_said_to_be_bounded_does_not_grow(case: Case, answers: Answers) -> None:
    looks = of(case, answers)[1:]
    for metric in COUNTED:
        assert len({look[metric] for look in looks}) == 1, metric
    for metric in (*WEIGHED, *MAPPED):
        slack = SLACK_BYTES if metric in WEIGHED else MAPPED_SLACK_BYTES
        assert not grows([look[metric] for look in looks], slack), metric


def grows(values: list[float], slack: float) -> bool:
    """Whether the later half is above the earlier one by more than chance would have it."""
    middle = len(values) // 2
    early, late = sum(values[:middle]) / middle, sum(values[-middle:]) / middle
    # Of a straight line it is more than half of the range.
    return late - early > max(slack, (max(values) - min(values)) / 3)


def test_a_straight_line_grows_and_a_wobble_does_not() -> None:
    assert grows([100.0 * n for n in range(12)], slack=0)
    assert grows([100.0 * n + 50 * (n % 3) for n in range(12)], slack=0)
    assert not grows([50.0 * (n % 3) for n in range(12)], slack=0)


def test_a_chunk_that_is_said_to_cost_ever_more_does(answers: Answers) -> None:
    slower, same = answers["Slower"]["counts"][0], answers["SameTime"]["counts"][0]
    assert slower["later_seconds"] > 20 * slower["now_seconds"]
    assert same["later_seconds"] < 3 * same["now_seconds"]
