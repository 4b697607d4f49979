from benchmarks.peers.ours import sight
from tests.report.run_folders import error_cell, fixed_cell, leaking_cell, metric


def test_of_a_leak_the_fastest_path_in_bytes_is_seen() -> None:
    metrics = (
        metric("stats.decibel", "elements", 10**12),
        metric("stats.scores", "storage_bytes", 2**21),
        metric("stats.frames", "python_bytes", 2**10),
    )
    assert sight(leaking_cell(metrics=metrics)) == "leak: 3 metrics; stats.scores +2 MiB/h"


def test_where_nothing_leaks_the_reason_is_seen() -> None:
    cell = fixed_cell()
    assert sight(cell) == f"flat: {cell.reason}"


def test_an_error_is_seen() -> None:
    assert sight(error_cell()) == error_cell().error
