"""Processes below the worker's: counted to any depth, with the memory that is theirs alone."""

from pathlib import Path

import pytest

from leakbench.probes import children
from leakbench.probes.children import measure_children
from tests.probes.fresh import changes_of, output_of

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="this platform has no smaps_rollup"
)

START = (
    "kept.append(subprocess.Popen([sys.executable, '-S', '-c', {program!r}],"
    " stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)); kept[-1].stdout.readline()"
)
STOP = "p = kept.pop(); p.stdin.close(); p.stdout.close(); p.wait()"
WAITS = "import sys; print(flush=True); sys.stdin.read()"
GROWS = """
print(flush=True)
kept = []
while True:
    n = int(input())
    if n:
        kept.append(b'x' * n)
    else:
        kept.clear()
    print(flush=True)
"""
HAS_A_CHILD = f"""
import subprocess, sys
subprocess.run([sys.executable, '-S', '-c', {WAITS!r}])
"""


def test_a_child_counts_while_it_lives_and_until_it_is_waited_for() -> None:
    alive, ended, collected = changes_of(
        f"for _ in range(3):\n    {START.format(program=WAITS)}",
        "for p in kept:\n    p.stdin.close(); p.stdout.close()\n"
        "for p in kept:\n    os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)",
        "while kept:\n    kept.pop().wait()",
    )
    assert alive["children"] == 3
    assert alive["children_bytes"] > 3 << 20
    assert ended["children"] == 0
    assert ended["children_bytes"] == -alive["children_bytes"]
    assert collected["children"] == -3


def test_children_of_children_count() -> None:
    alive, gone = changes_of(START.format(program=HAS_A_CHILD), STOP)
    assert alive["children"] == 2
    assert gone["children"] == -2


def test_what_a_child_keeps_shows_and_what_it_lets_go_does_not() -> None:
    ask = "kept[0].stdin.write(b'{}\\n'); kept[0].stdout.readline()"
    _, grown, freed, _ = changes_of(
        START.format(program=GROWS),
        f"for _ in range(16):\n    {ask.format(1 << 20)}",
        ask.format(0),
        STOP.replace("p.wait()", "p.kill(); p.wait()"),
    )
    assert grown["children_bytes"] == pytest.approx(16 << 20, rel=0.02)
    assert freed["children_bytes"] == pytest.approx(-(16 << 20), rel=0.02)
    assert abs(grown["heap_bytes"]) < 16384


def test_a_child_that_has_ended_is_left_for_the_subject_to_wait_for() -> None:
    program = (
        "import os; from leakbench.probes.children import measure_children\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(7)\n"
        "os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)\n"
        "print(measure_children().count, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        "print(measure_children().count)\n"
    )
    assert output_of(program).split() == ["1", "7", "0"]


def test_a_kernel_without_lists_of_children_is_asked_for_all_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = (
        "import subprocess, sys\nfrom leakbench.probes import children\n"
        "children._HAS_CHILDREN_FILES = False\n"
        "p = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print(children.measure_children().count); p.communicate()\n"
    )
    assert output_of(program).split() == ["1"]
    monkeypatch.setattr(children, "HAS_ROLLUPS", False)
    monkeypatch.setattr(children, "_has_any", lambda: True)
    assert measure_children().private_bytes is None
