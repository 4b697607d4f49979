"""Which lines allocate, as tracemalloc sees it."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import leakbench
from leakbench.errors import RunError
from leakbench.probes import objects
from leakbench.probes.objects import ObjectProbe
from leakbench.probes.traced import Tracing, top_growth


@pytest.fixture
def tracing():
    if tracemalloc.is_tracing():
        pytest.skip("tracemalloc is tracing this test run")
    tracing = Tracing()
    yield tracing
    tracing.stop()


def leak(kept):
    kept.append(bytearray(10_000))  # the line to be named


def test_the_line_that_leaks_comes_first_with_its_bytes(tracing):
    kept = []
    leak(kept)
    before = tracing.snapshot()
    for _ in range(50):
        leak(kept)
    top = top_growth(before, tracing.snapshot())[0]
    assert top.file == __file__
    assert top.source == "kept.append(bytearray(10_000))  # the line to be named"
    assert top.bytes == pytest.approx(500_000, rel=0.02)
    assert top.count == pytest.approx(100, abs=2)


def test_a_bounded_line_is_not_named(tracing):
    ring = []
    for _ in range(5):
        leak(ring)
    before = tracing.snapshot()
    for _ in range(50):
        leak(ring)
        del ring[0]
    assert all(
        "the line to be named" not in top.source for top in top_growth(before, tracing.snapshot())
    )


def test_traced_bytes_follow_what_is_held(tracing):
    before = tracing.traced_bytes()
    kept = bytearray(1_000_000)
    assert tracing.traced_bytes() - before == pytest.approx(len(kept), rel=0.01)
    del kept
    assert tracing.traced_bytes() - before < 10_000


def test_the_harness_is_not_named(tracing):
    before = tracing.snapshot()
    probe = ObjectProbe()
    sizes = [probe.measure({"root": {"a": [1], "b": [2]}}) for _ in range(100)]
    assert len(sizes) == 100
    harness = Path(objects.__file__).parent
    grown = top_growth(before, tracing.snapshot(), limit=1000)
    assert not [top for top in grown if Path(top.file).is_relative_to(harness)]


def test_the_longest_list_is_as_long_as_asked(tracing):
    before = tracing.snapshot()
    one, two, three = bytearray(100), bytearray(200), bytearray(300)
    assert len(one) + len(two) + len(three) == 600
    extra = bytearray(400)
    grown = top_growth(before, tracing.snapshot(), limit=1)
    assert len(grown) == 1
    assert len(extra) == 400


def test_tracing_twice_is_refused(tracing):
    with pytest.raises(RunError, match="already tracing"):
        Tracing()


def test_the_harness_is_left_out_under_the_name_a_worker_imports_it_by(tmp_path: Path) -> None:
    (tmp_path / "leakbench").symlink_to(Path(leakbench.__file__).parent)
    code = (
        "from leakbench.probes.traced import Tracing\n"
        "tracing = Tracing()\n"
        "from leakbench.probes import objects\n"
        "kept = [bytearray(1000) for _ in range(9)]\n"
        "files = {t.traceback[0].filename for t in tracing.snapshot().traces}\n"
        "assert '<string>' in files, files\n"
        "assert not [f for f in files if '/leakbench/probes/' in f], files\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
    )
