from dataclasses import replace

from leakbench.record.result import MetricResult
from leakbench.verdict.coverage import describe_flat, describe_missing

HEAP = MetricResult(
    path="process",
    metric="heap_bytes",
    verdict="flat",
    slope_per_audio_hour=100.0,
    low=-900.0,
    high=1126.4,
    budget_per_audio_hour=16384.0,
    tier="banded",
    last=1e8,
)
PATH = replace(HEAP, path="stats", metric="elements", tier="exact", low=0.0, high=0.0)
DESCRIPTORS = replace(HEAP, metric="descriptors", high=0.0, last=12.0)
THREADS = replace(DESCRIPTORS, metric="threads")
CHILDREN = replace(HEAP, metric="children_bytes", high=100.0, last=0.0)


def test_a_flat_cell_says_what_it_covers_and_how_tightly() -> None:
    said = describe_flat((PATH, HEAP, DESCRIPTORS, THREADS, CHILDREN), (), audio_seconds=720.0)
    assert (
        said
        == "objects exactly, heap within 1.1 KiB/h, no more descriptors or threads, 12 min of audio"
    )


def test_several_processes_and_missing_metrics_are_named() -> None:
    said = describe_flat((PATH, HEAP), ("mapped_bytes",), audio_seconds=720.0, replicates=3)
    assert said.endswith("12 min of audio in each of 3 processes; not measured here: mapped")


def test_objects_that_wobble_say_what_may_hide() -> None:
    wobbling = replace(PATH, path="queue", tier="banded", high=380.0)
    said = describe_flat((PATH, wobbling), (), audio_seconds=720.0)
    assert said == "objects (queue within 380 elements/h), 12 min of audio"


def test_nothing_missing_is_not_told() -> None:
    assert describe_missing(()) == ""
    assert (
        describe_missing(("threads", "descriptors")) == "not measured here: threads and descriptors"
    )
