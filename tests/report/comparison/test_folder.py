import json
from dataclasses import replace
from pathlib import Path

import pytest

from leakbench.record.trace import Begin, SegmentEvent, TraceWriter, write_begin
from leakbench.report.comparison.folder import compare_folders, write_comparison
from tests.report.run_folders import CHUNK_MS, fixed_cell, leaking_cell, write_run

BEGIN = Begin(
    sample_rate=16_000,
    chunk_seconds=CHUNK_MS / 1000,
    chunks_per_period=100,
    phase=0,
    warmup_chunks=200,
    stimulus_sha256="same",
    pid=1,
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("compared")
    cells = {
        "before": leaking_cell(subject="vad", replicates=1, audio_seconds=600.0),
        "after": fixed_cell("vad", replicates=1, audio_seconds=600.0),
        "other": fixed_cell("other", replicates=1, audio_seconds=600.0),
    }
    made = []
    for name, cell in cells.items():
        folder = write_run(root / name, [replace(cell, parity=None)])
        replicate = folder / "cells" / cell.id / "r0"
        audio = "same" if name != "other" else "different"
        write_begin(replicate, replace(BEGIN, stimulus_sha256=audio))
        writer = TraceWriter(replicate)
        writer.write_segments(SegmentEvent(chunk=5, segments=((600, -1),)))
        if name == "before":
            writer.write_segments(SegmentEvent(chunk=9, segments=((-1, 4_000),)))
        writer.close()
        made.append(folder)
    return made


def test_segments_of_the_same_audio_are_compared_chunk_by_chunk(folders: list[Path]) -> None:
    (compared,) = compare_folders(folders[:2])
    parity = compared.comparison.cells[0].parity
    assert parity is not None
    assert not parity.identical
    assert parity.first_difference is not None
    assert parity.first_difference["chunk"] == 9
    assert parity.chunks == 1_000


def test_segments_of_different_audio_are_not_compared(folders: list[Path]) -> None:
    (compared,) = compare_folders([folders[0], folders[2]])
    assert compared.comparison.cells[0].parity is None


def test_the_first_run_is_compared_with_each_of_the_others(folders: list[Path]) -> None:
    names = [c.comparison.after_name for c in compare_folders(folders)]
    assert names == ["after", "other"]


def test_a_comparison_is_a_page_markdown_json_and_overlays(
    folders: list[Path], tmp_path: Path
) -> None:
    written = write_comparison(compare_folders(folders[:2]), tmp_path / "out")
    assert {path.name for path in written} == {
        "comparison.html",
        "comparison.md",
        "comparison.json",
        "overlay-1-1.png",
        "overlay-1-1.svg",
    }
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert "Better: after against before" in page
    assert "<b>vad (before)</b>" in page
    assert "script-src" not in page
    (data,) = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert data["regressed"] is False
    assert data["cells"][0]["segments_equal"] is False
