"""One look at the process: every metric by its name, or named as missing."""

import psutil
import pytest

from leakbench.metrics import metric_names
from leakbench.probes import heap, resources
from leakbench.probes.heap import HeapProbe
from leakbench.probes.process import READERS, ProcessProbe, Reading, added_reader
from tests.probes.fresh import changes_of


def test_every_metric_that_is_read_is_in_the_catalogue() -> None:
    assert set(READERS) <= set(metric_names("process"))


def test_a_metric_that_is_added_is_read() -> None:
    def count_open(reading: Reading) -> float | None:
        return reading.descriptors.count

    probe = ProcessProbe()
    with added_reader("opened", count_open):
        figures = probe.measure()
    assert figures["opened"] == figures["descriptors"]
    assert "opened" not in probe.measure()
    probe.close()


def test_without_proc_what_it_says_is_absent_and_resident_pages_come_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resources, "_STATUS", "/nonexistent/status")
    monkeypatch.setattr(resources, "_DESCRIPTORS", "/nonexistent/fd")
    probe = ProcessProbe()
    figures = probe.measure()
    assert not figures.keys() & {"mapped_bytes", "shared_bytes", "threads", "descriptors"}
    assert not figures.keys() & {"temp_files", "temp_bytes"}
    resident = psutil.Process().memory_info().rss
    assert figures["rss_bytes"] == pytest.approx(resident, rel=0.05)
    assert probe.rss_bytes() == pytest.approx(resident, rel=0.05)
    probe.close()


def test_without_ledgers_the_heap_is_absent_and_so_is_what_lies_outside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HeapProbe, "read", lambda _self: heap.Heap())
    figures = ProcessProbe().measure()
    assert not figures.keys() & {"heap_bytes", "mapped_bytes"}
    assert figures["rss_bytes"] > 0


def test_resident_pages_agree_with_psutil() -> None:
    probe = ProcessProbe()
    resident = psutil.Process().memory_info().rss
    assert probe.rss_bytes() == pytest.approx(resident, rel=0.05)
    assert probe.measure()["rss_bytes"] == pytest.approx(resident, rel=0.05)
    probe.close()
    assert probe.rss_bytes() == pytest.approx(resident, rel=0.05)


def test_touched_pages_are_resident_and_unshared() -> None:
    grown, gone = changes_of("kept.append(b'x' * (64 << 20))", "kept.clear()")
    for metric in ("rss_bytes", "uss_bytes"):
        if grown[metric]:
            assert grown[metric] == pytest.approx(64 << 20, rel=0.05)
            assert gone[metric] == pytest.approx(-(64 << 20), rel=0.05)
