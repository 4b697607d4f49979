"""The heap: right by amount, still when nothing happens."""

import ctypes
from collections import namedtuple
from collections.abc import Iterator

import psutil
import pytest

from leakbench.probes import heap
from leakbench.probes.heap import HeapProbe
from tests.probes.fresh import changes_of


@pytest.fixture
def probe() -> Iterator[HeapProbe]:
    probe = HeapProbe()
    if probe.read().allocated_bytes is None:
        pytest.skip("this platform has no ledger of the heap")
    yield probe
    probe.close()


@pytest.mark.usefixtures("probe")
def test_the_heap_is_the_same_when_nothing_was_allocated() -> None:
    assert {step["heap_bytes"] for step in changes_of(*["pass"] * 30)} == {0}


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize("allocator", ["pymalloc", "malloc"])
def test_small_python_objects_move_the_heap_by_their_blocks_and_back(allocator: str) -> None:
    kept, gone = changes_of(
        "kept += [n + 0.5 for n in range(100_000)]; size = kept.__sizeof__()",
        "kept.clear()",
        PYTHONMALLOC=allocator,
    )
    # A float of 24 bytes lives in a block of 32, under malloc too; its list has room to spare.
    assert kept["heap_bytes"] == pytest.approx(100_000 * (32 + 8), rel=0.02)
    assert gone["heap_bytes"] == pytest.approx(-kept["heap_bytes"], abs=4096)


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize(("count", "nbytes"), [(1000, 1024), (4, 8 << 20)])
def test_memory_that_only_c_code_knows_moves_the_heap_and_back(count: int, nbytes: int) -> None:
    kept, gone = changes_of(
        f"room = (ctypes.c_void_p * {count})()\n"
        f"for n in range({count}):\n    room[n] = libc.malloc({nbytes})",
        f"for n in range({count}):\n    libc.free(room[n])\ndel room",
    )
    # A chunk has a header of 8 to 16 bytes, a mapped one is whole pages.
    assert kept["heap_bytes"] == pytest.approx(count * nbytes, rel=0.03)
    assert gone["heap_bytes"] == pytest.approx(-count * nbytes, rel=0.03)


@pytest.mark.usefixtures("probe")
def test_an_array_moves_the_heap() -> None:
    _, grown = changes_of("import numpy as np", "kept.append(np.ones(1 << 20))")
    assert grown["heap_bytes"] == pytest.approx(8 << 20, rel=0.01)


def test_reading_the_heap_prints_nothing(
    probe: HeapProbe, capfd: pytest.CaptureFixture[str]
) -> None:
    probe.read()
    assert capfd.readouterr() == ("", "")


def test_glibc_and_psutil_agree(probe: HeapProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(psutil, "heap_info"):
        pytest.skip("psutil before 7.2 has no heap_info")
    monkeypatch.setattr(heap, "LIBC", None)
    by_psutil, by_glibc = heap.c_ledger()(), probe._c()
    assert by_psutil.allocated_bytes == pytest.approx(by_glibc.allocated_bytes, abs=100_000)
    assert by_psutil.obtained_bytes is None


def test_heap_info_is_read_as_used_and_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    info = namedtuple("info", "heap_used mmap_used")
    monkeypatch.setattr(heap, "LIBC", None)
    monkeypatch.setattr(psutil, "heap_info", lambda: info(1 << 50, 1 << 51), raising=False)
    assert heap.c_ledger()().allocated_bytes == (1 << 50) + (1 << 51)


def test_a_platform_without_ledgers_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "LIBC", None)
    monkeypatch.delattr(psutil, "heap_info", raising=False)
    assert HeapProbe().read() == (None, None)


def test_a_python_without_the_report_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "pythonapi", object())
    assert HeapProbe().read() == (None, None)


@pytest.mark.usefixtures("probe")
def test_a_probe_that_is_closed_has_no_ledger() -> None:
    probe = HeapProbe()
    probe.close()
    probe.close()
    assert probe.read().allocated_bytes is None
