import pytest

from leakbench.errors import StimulusError
from leakbench.record.trace import SegmentEvent
from leakbench.scenario import Reach
from leakbench.verdict.reach import Visited, check_reach, measure_visited

# Six-second periods of ten chunks: speech from 1 s to 4 s of each, told as it opens and closes.
EVENTS = [
    event
    for period in range(4)
    for event in (
        SegmentEvent(chunk=10 * period + 2, segments=((6000 * period + 1000, -1),)),
        SegmentEvent(chunk=10 * period + 8, segments=((-1, 6000 * period + 4000),)),
    )
]


def visited(first_chunk: int = 10, last_chunk: int = 40, **changes: int) -> Visited:
    return measure_visited(
        EVENTS,
        first_chunk=first_chunk,
        last_chunk=last_chunk,
        chunks_per_period=10,
        chunk_seconds=0.6,
        stream_chunks=changes.get("stream_chunks"),
    )


def test_segments_and_speech_are_counted_after_warm_up() -> None:
    seen = visited()
    assert (seen.periods, seen.segments) == (3, 3)
    assert seen.speech_seconds == pytest.approx(9.0)
    assert seen.longest_segment_seconds == pytest.approx(3.0)


def test_streams_are_counted_by_their_starts() -> None:
    assert visited(stream_chunks=5).streams == 6
    assert visited(first_chunk=10, last_chunk=40, stream_chunks=20).streams == 1


def test_promises_that_were_kept_pass() -> None:
    check_reach(
        Reach(
            min_segments_per_period=1,
            max_segments_per_period=1,
            min_silence_share=0.4,
            min_speech_share=0.4,
            min_streams_per_period=2,
            min_longest_segment_seconds=3,
        ),
        visited(stream_chunks=5),
    )


@pytest.mark.parametrize(
    ("reach", "says"),
    [
        (Reach(min_segments_per_period=2), "segments a period must be at least 2, got 1"),
        (Reach(max_segments_per_period=0), "segments a period must be at most 0, got 1"),
        (Reach(min_silence_share=0.9), "share of silence"),
        (Reach(min_speech_share=0.9), "share of speech"),
        (Reach(min_streams_per_period=1), "streams a period"),
        (Reach(min_longest_segment_seconds=60), "longest segment"),
    ],
)
def test_a_promise_that_was_not_kept_says_what_was_seen(reach: Reach, says: str) -> None:
    with pytest.raises(StimulusError, match=says):
        check_reach(reach, visited())


def test_a_run_without_one_whole_period_measured_nothing() -> None:
    with pytest.raises(StimulusError, match="before one whole period"):
        check_reach(Reach(), visited(first_chunk=10, last_chunk=19))
