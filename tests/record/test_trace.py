from pathlib import Path

import numpy as np
import pytest

from leakbench.errors import OutputError
from leakbench.record.trace import (
    End,
    ObjectSize,
    Sample,
    SegmentEvent,
    TraceTail,
    TraceWriter,
    read_end,
    read_segments,
    read_trace,
    write_end,
)
from tests import samples


def sample(chunk: int, **objects: int) -> Sample:
    return samples.sample(
        chunk,
        objects={name: ObjectSize(size, size * 32, size * 4) for name, size in objects.items()},
        process={"rss_bytes": 1000.0 * chunk} if chunk % samples.PERIOD == 0 else {},
    )


def write(folder: Path, *samples: Sample) -> None:
    writer = TraceWriter(folder)
    for one in samples:
        writer.write_sample(one)
    writer.close()


def test_samples_read_back_as_they_were_written(tmp_path: Path) -> None:
    written = (sample(10, decibel=41), sample(20, decibel=41, other=3))
    write(tmp_path, *written)
    assert read_trace(tmp_path).samples == written


def test_segments_read_back_as_they_were_written(tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path)
    event = SegmentEvent(chunk=7, segments=((420, -1), (-1, 900)))
    writer.write_segments(event)
    writer.close()
    assert read_segments(tmp_path) == (event,)


@pytest.mark.parametrize("lost", [1, 5, 60])
def test_a_last_line_cut_short_by_a_kill_is_dropped(tmp_path: Path, lost: int) -> None:
    write(tmp_path, sample(10, decibel=41), sample(20, decibel=41))
    path = tmp_path / "trace.jsonl"
    path.write_bytes(path.read_bytes()[:-lost])
    kept = read_trace(tmp_path).samples
    assert kept[0] == sample(10, decibel=41)
    assert len(kept) == (2 if lost == 1 else 1)


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(tmp_path: Path) -> None:
    write(tmp_path, sample(10), sample(20))
    path = tmp_path / "trace.jsonl"
    path.write_text("{nonsense\n" + path.read_text())
    with pytest.raises(OutputError, match=r"trace\.jsonl:1"):
        read_trace(tmp_path)


def test_a_missing_trace_reads_as_no_samples(tmp_path: Path) -> None:
    assert read_trace(tmp_path).samples == ()
    assert read_segments(tmp_path) == ()
    assert read_end(tmp_path) is None


def test_a_sample_is_on_disk_before_the_next_one_is_taken(tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path)
    writer.write_segments(SegmentEvent(chunk=3, segments=((0, -1),)))
    writer.write_sample(sample(10))
    # Nothing was closed: a process killed here leaves exactly this behind.
    assert len(read_trace(tmp_path).samples) == 1
    assert len(read_segments(tmp_path)) == 1
    writer.close()


def test_a_tail_reads_only_whole_lines_and_each_once(tmp_path: Path) -> None:
    tail = TraceTail(tmp_path)
    assert not tail.poll()
    write(tmp_path, sample(10, decibel=41))
    whole = (tmp_path / "trace.jsonl").read_bytes()
    (tmp_path / "trace.jsonl").write_bytes(whole + whole[:20])
    assert tail.poll()
    assert not tail.poll()
    (tmp_path / "trace.jsonl").write_bytes(whole + whole)
    assert tail.poll()
    assert len(tail.trace.samples) == 2


def test_a_path_that_is_absent_held_nothing(tmp_path: Path) -> None:
    write(tmp_path, sample(10, decibel=41), sample(20, decibel=41, late=5))
    trace = read_trace(tmp_path)
    assert trace.paths() == ("decibel", "late")
    np.testing.assert_array_equal(trace.column("late", "elements").values, [0, 5])
    np.testing.assert_array_equal(trace.column("late", "storage_bytes").values, [0, 20])


def test_process_figures_have_only_the_samples_that_took_them(tmp_path: Path) -> None:
    write(tmp_path, sample(10), sample(15), sample(20))
    column = read_trace(tmp_path).column("process", "rss_bytes")
    np.testing.assert_array_equal(column.values, [10_000, 20_000])
    np.testing.assert_allclose(column.audio_seconds, [6, 12])


def test_a_column_keeps_to_a_phase_and_a_time(tmp_path: Path) -> None:
    write(tmp_path, *(sample(chunk, decibel=chunk) for chunk in range(5, 45, 5)))
    column = read_trace(tmp_path).column("decibel", "elements")
    np.testing.assert_array_equal(column.at_phase(0).since(12.0).values, [20, 30, 40])


def test_how_a_worker_ended_reads_back(tmp_path: Path) -> None:
    end = End(ending="raised", detail="ValueError: bad <chunk>")
    write_end(tmp_path, end)
    assert read_end(tmp_path) == end
