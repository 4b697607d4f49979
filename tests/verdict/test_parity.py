from leakbench.record.result import Parity
from leakbench.record.trace import SegmentEvent
from leakbench.verdict.parity import compare_segments


def events(**by_chunk: tuple[tuple[int, int], ...]) -> list[SegmentEvent]:
    return [
        SegmentEvent(chunk=int(name.removeprefix("c")), segments=segments)
        for name, segments in by_chunk.items()
    ]


def compare(reference: list[SegmentEvent], candidate: list[SegmentEvent]) -> Parity:
    return compare_segments(
        reference, candidate, reference_name="original", chunks=10, chunk_seconds=0.6
    )


def test_the_same_segments_in_the_same_chunks_are_identical() -> None:
    parity = compare(events(c3=((0, -1),)), events(c3=((0, -1),)))
    assert parity.identical
    assert parity.first_difference is None
    assert parity.chunks == 10


def test_the_first_chunk_that_differs_is_named() -> None:
    parity = compare(
        events(c3=((0, -1),), c5=((-1, 900),), c7=((4000, -1),)),
        events(c3=((0, -1),), c6=((-1, 900),), c7=((4000, -1),)),
    )
    assert not parity.identical
    assert parity.first_difference == {
        "chunk": 5,
        "audio_seconds": 3.0,
        "expected": [[-1, 900]],
        "got": [],
    }


def test_a_segment_only_the_candidate_found_is_a_difference() -> None:
    parity = compare([], events(c2=((0, -1),)))
    assert parity.first_difference is not None
    assert parity.first_difference["got"] == [[0, -1]]


def test_chunks_that_only_one_was_fed_are_not_compared() -> None:
    assert compare(events(c11=((0, -1),)), []).identical
