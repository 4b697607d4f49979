"""The process's own figures: right by amount, still when nothing happens."""

import ctypes
import gc
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import psutil
import pytest

from leakbench.probes import process
from leakbench.probes.process import ProcessProbe


@pytest.fixture
def probe():
    probe = ProcessProbe()
    if probe.heap_bytes() is None:
        pytest.skip("this platform has no ledger of the heap")
    yield probe
    probe.close()


def output_of(program, **environment):
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return run.stdout


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize(
    ("before_each", "first", "tolerance"), [("pass", 0, 0), ("probe.settle()", 2, 256)]
)
def test_the_heap_is_the_same_when_nothing_was_allocated(before_each, first, tolerance):
    # In an interpreter of its own: this one has threads that allocate when they please.
    program = (
        "from leakbench.probes.process import ProcessProbe; import gc, numpy as np\n"
        "probe = ProcessProbe(); values = np.zeros(50, dtype=np.int64); gc.disable()\n"
        "for look in range(50):\n"
        f"    {before_each}\n"
        "    values[look] = probe.heap_bytes()\n"
        f"print(np.ptp(values[{first}:]))\n"
    )
    assert int(output_of(program)) <= tolerance


def test_small_python_objects_move_the_heap_by_their_blocks(probe):
    values = np.zeros(2, dtype=np.int64)
    values[0] = probe.heap_bytes()
    kept = [n + 0.5 for n in range(10_000)]
    values[1] = probe.heap_bytes()
    # A float of 24 bytes lives in a block of 32, under malloc too.
    expected = 10_000 * 32 + sys.getsizeof(kept)
    assert values[1] - values[0] == pytest.approx(expected, rel=0.02)


def test_the_heap_returns_when_objects_are_freed(probe):
    values = np.zeros(2, dtype=np.int64)
    kept = [n + 0.5 for n in range(10_000)]
    del kept
    values[0] = probe.heap_bytes()
    kept = [n + 0.5 for n in range(10_000)]
    del kept
    values[1] = probe.heap_bytes()
    assert abs(values[1] - values[0]) < 10_000


@pytest.mark.parametrize(("count", "nbytes"), [(1000, 1024), (4, 8 << 20)])
def test_memory_that_only_c_code_knows_moves_the_heap(probe, count, nbytes):
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    addresses = np.zeros(count, dtype=np.uint64)
    values = np.zeros(3, dtype=np.int64)
    values[0] = probe.heap_bytes()
    for n in range(count):
        addresses[n] = libc.malloc(nbytes)
    values[1] = probe.heap_bytes()
    for n in range(count):
        libc.free(int(addresses[n]))
    values[2] = probe.heap_bytes()
    # A chunk has a header of 8 to 16 bytes, a mapped one is whole pages.
    assert values[1] - values[0] == pytest.approx(count * nbytes, rel=0.03)
    assert abs(values[2] - values[0]) < 0.03 * count * nbytes


def test_an_array_moves_the_heap(probe):
    before = probe.heap_bytes()
    kept = np.ones(1 << 20)
    assert probe.heap_bytes() - before == pytest.approx(kept.nbytes, rel=0.01)


def test_without_an_allocator_of_its_own_python_is_in_the_c_ledger():
    program = (
        "import numpy as np\n"
        "from leakbench.probes.process import ProcessProbe\n"
        "probe = ProcessProbe(); values = np.zeros(2, dtype=np.int64)\n"
        "values[0] = probe.heap_bytes()\n"
        "kept = [n + 0.5 for n in range(100_000)]\n"
        "values[1] = probe.heap_bytes()\n"
        "print(values[1] - values[0] - kept.__sizeof__())\n"
    )
    assert int(output_of(program, PYTHONMALLOC="malloc")) == pytest.approx(100_000 * 32, rel=0.02)


def test_psutil_and_glibc_agree(probe, monkeypatch):
    if not hasattr(psutil, "heap_info"):
        pytest.skip("psutil before 7.2 has no heap_info")
    monkeypatch.delattr(psutil, "heap_info")
    other = ProcessProbe()
    assert other.heap_bytes() == pytest.approx(probe.heap_bytes(), abs=10_000)


def test_heap_info_is_read_as_used_and_mapped(monkeypatch):
    info = namedtuple("info", "heap_used mmap_used")
    monkeypatch.setattr(psutil, "heap_info", lambda: info(1 << 50, 1 << 51), raising=False)
    heap = ProcessProbe().heap_bytes()
    assert heap is None or heap >= (1 << 50) + (1 << 51)


def test_a_platform_without_ledgers_gives_none(monkeypatch):
    monkeypatch.setattr(process, "_c_heap", lambda _libc: None)
    probe = ProcessProbe()
    assert probe.heap_bytes() is None
    assert probe.rss_bytes() > 0
    probe.settle()


def test_a_python_without_the_report_gives_none(monkeypatch):
    monkeypatch.setattr(process, "_small_objects", lambda _libc: None)
    assert ProcessProbe().heap_bytes() is None


def test_resident_pages_agree_with_psutil_with_and_without_proc(monkeypatch):
    own = ProcessProbe()
    monkeypatch.setattr(process, "_STATM", "/nonexistent/statm")
    other = ProcessProbe()
    resident = psutil.Process().memory_info().rss
    assert own.rss_bytes() == pytest.approx(resident, rel=0.05)
    assert other.rss_bytes() == pytest.approx(resident, rel=0.05)
    own.close()
    assert own.rss_bytes() == pytest.approx(resident, rel=0.05)


def test_touched_pages_are_resident_and_unshared():
    probe = ProcessProbe()
    resident, unshared = probe.rss_bytes(), probe.uss_bytes()
    kept = np.ones(8 << 20)
    assert probe.rss_bytes() - resident == pytest.approx(kept.nbytes, rel=0.05)
    if unshared is not None:
        assert probe.uss_bytes() - unshared == pytest.approx(kept.nbytes, rel=0.05)


def test_settling_frees_cyclic_garbage():
    class Node:
        pass

    freed = []
    node = Node()
    node.itself = node
    node.token = type("Token", (), {"__del__": lambda _self: freed.append(True)})()
    del node
    ProcessProbe().settle()
    assert freed == [True]


def test_freezing_sets_aside_what_exists():
    frozen = gc.get_freeze_count()
    ProcessProbe().freeze()
    try:
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


def test_reading_the_heap_prints_nothing(capfd):
    ProcessProbe().heap_bytes()
    assert capfd.readouterr() == ("", "")


def test_chunks_that_the_allocator_keeps_for_reuse_are_no_growth() -> None:
    probe = ProcessProbe()
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    probe.settle()
    before = probe.heap_bytes()
    if before is None:
        pytest.skip("no heap to be measured here")
    for size in range(24, 1033, 16):
        for chunk in [libc.malloc(size) for _ in range(7)]:
            libc.free(chunk)
    probe.settle()
    # Unfilled, the cache would be 236 KB heavier now.
    assert abs((probe.heap_bytes() or 0) - before) < 4096
