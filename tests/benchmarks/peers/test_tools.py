from benchmarks.peers.keeping import Keeping
from benchmarks.peers.tools import last_run, with_tracemalloc
from benchmarks.peers.workloads import Stream
from leakbench.controls import EnergyVad, Retaining

CHUNKS = 120


def keeping(limit: int) -> Stream:
    return Stream("", Retaining(EnergyVad(), Keeping(limit, drop_all=False)))


def test_tracemalloc_finds_a_leak_and_lets_a_cache_pass_that_was_full_before_it_looked() -> None:
    found = with_tracemalloc(keeping(10 * CHUNKS), CHUNKS)
    assert found.leaks
    assert found.chunks == CHUNKS
    assert not with_tracemalloc(keeping(CHUNKS // 4), CHUNKS).leaks


def test_of_a_message_with_runs_the_last_run_is_kept() -> None:
    error = AssertionError(
        "memory kept increasing after 2 runs\n"
        "Run # 1: heap=+10  (calls=  10, avg/call=+1)\n"
        "Run # 2: heap=+30    | rss=+4096  (calls=  15, avg/call=+2)"
    )
    assert last_run(error) == (
        "AssertionError: Run # 2: heap=+30, rss=+4096 (calls= 15, avg/call=+2)"
    )


def test_of_another_message_all_is_kept() -> None:
    error = AssertionError("detected 1 unclosed file descriptor\n* 'x'")
    assert last_run(error) == "AssertionError: detected 1 unclosed file descriptor * 'x'"
