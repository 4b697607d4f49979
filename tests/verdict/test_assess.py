import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from leakbench.record.result import MetricResult
from leakbench.record.trace import ObjectSize, Sample, Trace
from leakbench.units import parse_budget
from leakbench.verdict import Assessment, AssessPlan, BudgetRule, assess

PERIOD = 10
"""Chunks."""
PLAN = AssessPlan(chunk_seconds=6.0, chunks_per_period=PERIOD, warmup_seconds=60.0)
QUIET = 200.0
"""Noise of a heap in bytes."""

Objects = Callable[[int], Mapping[str, ObjectSize]]
"""Chunks fed to what every path holds."""


def trace(
    objects: Objects,
    *,
    periods: int = 16,
    heap_per_hour: float = 0.0,
    seed: int = 0,
    segments: int = 2,
    streams: int = 0,
) -> Trace:
    """Samples after every period, and after every chunk of the second and third."""
    rng = np.random.default_rng(seed)
    samples = []
    for chunk in range(periods * PERIOD + 1):
        phase = chunk % PERIOD
        if phase and not PERIOD < chunk <= 3 * PERIOD:
            continue
        audio = chunk * 6.0
        heap = 1e8 + QUIET * rng.standard_normal() + heap_per_hour * audio / 3600
        whole = chunk // PERIOD
        samples.append(
            Sample(
                chunk=chunk,
                audio_seconds=audio,
                wall_seconds=audio / 50,
                phase=phase,
                # Segments close at chunks 4 and 8 of a period, a stream opens at chunk 1.
                segments=segments * whole + sum(phase >= at for at in (4, 8)[:segments]),
                streams=streams * whole + (streams if phase >= 1 else 0),
                objects=objects(chunk),
                process={} if phase else {"heap_bytes": heap, "rss_bytes": heap * 5},
            )
        )
    return Trace(tuple(samples))


def bounded(chunk: int) -> Mapping[str, ObjectSize]:
    return {
        "stats": ObjectSize(3, 1000, 400),
        "stats.decibel": ObjectSize(41, 400, 0),
        "stats.wave": ObjectSize(20 + chunk % PERIOD, 144, 4 * (20 + chunk % PERIOD)),
        "total": ObjectSize(60, 1500, 400),
    }


def growing(per_chunk: int) -> Objects:
    def objects(chunk: int) -> Mapping[str, ObjectSize]:
        grown = 32 * per_chunk * chunk
        return {
            "stats": ObjectSize(3, 1000 + grown, 400),
            "stats.decibel": ObjectSize(41 + per_chunk * chunk, 400 + grown, 0),
            "total": ObjectSize(60 + per_chunk * chunk, 1500 + grown, 400),
        }

    return objects


def residual(chunk: int) -> Mapping[str, ObjectSize]:
    """One object of 240 bytes a segment, never dropped."""
    segments = 2 * (chunk // PERIOD) + sum(chunk % PERIOD >= at for at in (4, 8))
    return {
        "stats": ObjectSize(3, 1000 + 240 * segments, 0),
        "stats.kept": ObjectSize(segments, 56 + 240 * segments, 0),
        "stats.kept[]": ObjectSize(5, 240 * segments, 0),
        "total": ObjectSize(60 + segments, 1500 + 240 * segments, 0),
    }


def find(assessment: Assessment, path: str, metric: str) -> MetricResult:
    return next(m for m in assessment.metrics if (m.path, m.metric) == (path, metric))


def replicated(objects: Objects, count: int = 4, **options: float) -> list[Trace]:
    return [trace(objects, seed=seed, **options) for seed in range(count)]  # type: ignore[arg-type]


def test_a_bounded_subject_is_flat_in_every_metric() -> None:
    found = assess(replicated(bounded), plan=PLAN)
    assert found.outcome == "flat"
    assert found.decided
    assert {m.verdict for m in found.metrics if m.gated} == {"flat"}
    assert find(found, "process", "heap_bytes").tier == "banded"
    assert found.reason.startswith("objects exactly, heap within ")
    assert "RSS within" in found.reason
    assert "90 min of audio in each of 4 processes" not in found.reason
    assert "15 min of audio in each of 4 processes" in found.reason


def test_a_leak_is_found_by_path_with_its_rate_a_chunk() -> None:
    found = assess([trace(growing(64), periods=7)], plan=PLAN)
    assert found.outcome == "leak"
    assert found.decided
    elements = find(found, "stats.decibel", "elements")
    assert elements.verdict == "leak"
    assert elements.slope_per_audio_hour == 64 * 600
    assert (elements.rate, elements.rate_per) == (64, "chunk")


def test_the_deepest_leak_comes_first_and_what_holds_it_is_explained() -> None:
    found = assess([trace(growing(64), periods=7)], plan=PLAN)
    assert found.metrics[0].path == "stats.decibel"
    assert found.reason.startswith("stats.decibel")
    for path in ("stats", "total"):
        holder = find(found, path, "python_bytes")
        assert holder.verdict == "leak"
        assert holder.explained_by == "stats.decibel"
    assert find(found, "stats.decibel", "python_bytes").explained_by == ""


def test_too_few_periods_are_undecided_and_say_when_to_ask_again() -> None:
    found = assess([trace(growing(64), periods=4)], plan=PLAN)
    assert found.outcome == "undecided"
    assert not found.decided
    # The process has something to say one period sooner than objects have.
    assert 60 + 3 * 60 < found.audio_wanted_seconds <= 60 + 5 * 60


def test_a_leak_a_segment_gets_its_rate_a_segment() -> None:
    found = assess([trace(residual, periods=7)], plan=PLAN)
    kept = find(found, "stats.kept", "elements")
    assert (kept.rate, kept.rate_per) == (1, "segment")
    assert kept.slope_per_audio_hour == 120


def test_a_known_residual_is_flat_where_the_configuration_allows_it() -> None:
    rule = BudgetRule(path="stats.kept", budget=parse_budget("400 B/segment"), reason="known")
    plan = AssessPlan(
        chunk_seconds=6.0, chunks_per_period=PERIOD, warmup_seconds=60.0, rules=(rule,)
    )
    found = assess(replicated(residual), plan=plan)
    assert found.outcome == "flat"
    kept = find(found, "stats.kept", "python_bytes")
    assert kept.budget == "400 B/segment"
    assert kept.budget_per_audio_hour == 400 * 120
    assert kept.allowed == "known"
    elements = find(found, "stats.kept", "elements")
    assert not elements.gated
    assert elements.verdict == "leak"
    assert find(found, "total", "python_bytes").verdict == "flat"


def test_an_allowance_that_is_too_small_leaves_the_leak() -> None:
    rule = BudgetRule(path="stats.kept", budget=parse_budget("100 B/segment"))
    plan = AssessPlan(
        chunk_seconds=6.0, chunks_per_period=PERIOD, warmup_seconds=60.0, rules=(rule,)
    )
    assert assess(replicated(residual), plan=plan).outcome == "leak"


def test_a_metric_without_a_budget_is_shown_and_not_judged() -> None:
    samples = trace(bounded).samples
    timed = [dataclasses.replace(s, process={"chunk_seconds": 0.01}) for s in samples if s.process]
    shown = find(assess([Trace(tuple(timed))], plan=PLAN), "process", "chunk_seconds")
    assert shown.budget_per_audio_hour is None
    assert shown.reason == "shown only: no budget is set"
    assert not shown.gated


def test_a_leak_that_only_the_process_shows_is_found_in_one_process() -> None:
    found = assess([trace(bounded, periods=40, heap_per_hour=300_000.0)], plan=PLAN)
    assert found.outcome == "leak"
    leaks = {m.metric for m in found.metrics if m.gated and m.verdict == "leak"}
    assert leaks == {"heap_bytes", "rss_bytes"}
    heap = find(found, "process", "heap_bytes")
    assert heap.slope_per_audio_hour == pytest.approx(300_000, rel=0.02)
    assert heap.low is not None
    assert heap.low > 16 * 1024


def test_a_leaking_metric_of_the_process_is_never_shown_under_a_flat_cell() -> None:
    samples = [
        dataclasses.replace(s, process={**s.process, "descriptors": 5.0 + s.chunk // PERIOD})
        for s in trace(bounded).samples
        if s.process
    ]
    found = assess([Trace(tuple(samples))], plan=PLAN)
    assert found.outcome == "leak"
    descriptors = find(found, "process", "descriptors")
    assert descriptors.gated
    assert descriptors.slope_per_audio_hour == 60
    assert find(found, "process", "heap_bytes").verdict == "flat"


def test_only_the_metrics_of_the_process_that_are_gated_count() -> None:
    traces = [trace(bounded, periods=40, heap_per_hour=300_000.0)]
    plan = dataclasses.replace(PLAN, gated_process=("rss_bytes",))
    found = assess(traces, plan=plan)
    assert find(found, "process", "rss_bytes").gated
    assert not find(found, "process", "heap_bytes").gated


def test_what_could_not_be_measured_is_named() -> None:
    found = assess([trace(bounded)], plan=PLAN)
    assert found.outcome == "flat"
    assert "mapped_bytes" in found.missing
    assert "heap_bytes" not in found.missing
    assert "not measured here: mapped, shared memory" in found.reason


def test_the_heap_of_one_process_is_judged_as_soon_as_it_can_be() -> None:
    few = assess([trace(bounded, periods=3)], plan=PLAN)
    assert find(few, "process", "heap_bytes").verdict == "undecided"
    found = assess([trace(bounded)], plan=PLAN)
    heap = find(found, "process", "heap_bytes")
    assert heap.gated
    assert heap.verdict == "flat"
    assert heap.high is not None
    assert heap.high < 16 * 1024


def test_a_run_that_ended_early_is_judged_on_what_there_is() -> None:
    plan = AssessPlan(chunk_seconds=6.0, chunks_per_period=PERIOD, warmup_seconds=60.0, final=True)
    heap = find(assess(replicated(bounded, periods=9), plan=plan), "process", "heap_bytes")
    assert "first judged" not in heap.reason


def with_heap(traces: list[Trace], grown: Callable[[float], float]) -> list[Trace]:
    """Return traces whose heap is what it was plus `grown` bytes at an audio-second."""
    return [
        Trace(
            tuple(
                dataclasses.replace(
                    sample,
                    process={
                        metric: value + grown(sample.audio_seconds)
                        for metric, value in sample.process.items()
                    },
                )
                for sample in each.samples
            )
        )
        for each in traces
    ]


def test_a_heap_that_was_flat_at_a_look_and_leaks_since_is_no_longer_flat() -> None:
    ended = dataclasses.replace(PLAN, final=True)
    flat = replicated(bounded, periods=90)
    assert find(assess(flat, plan=ended), "process", "heap_bytes").verdict == "flat"
    late = with_heap(flat, lambda seconds: 300_000.0 * max(seconds - 1000.0, 0.0) / 3600)
    assert find(assess(late, plan=ended), "process", "heap_bytes").verdict == "leak"


def test_several_processes_may_decide_what_is_too_noisy_for_one() -> None:
    """Noise that wanders: no band holds it, but it differs from process to process."""

    def noisy(count: int) -> list[Trace]:
        made = []
        for seed in range(count):
            rng = np.random.default_rng(seed)
            made += with_heap(
                [trace(bounded, periods=240, seed=seed)],
                lambda _seconds, rng=rng: 110_000.0 * rng.standard_normal(),  # type: ignore[misc]
            )
        return made

    ended = dataclasses.replace(PLAN, final=True)
    one = find(assess(noisy(1), plan=ended), "process", "heap_bytes")
    several = find(assess(noisy(16), plan=ended), "process", "heap_bytes")
    assert one.verdict == "undecided"
    assert several.verdict == "flat"
    assert several.tier == "statistical"


def test_looks_that_thin_out_are_judged_like_those_of_every_period() -> None:
    whole = trace(growing(1), periods=80).samples

    def thin(sample: Sample) -> bool:
        period = sample.chunk // PERIOD - 1  # after warm-up
        return period < 20 or period % (2 if period < 40 else 4) == 0

    thinned = Trace(tuple(s for s in whole if s.phase or thin(s)))
    found = assess([thinned], plan=PLAN)
    elements = find(found, "stats.decibel", "elements")
    assert (elements.rate, elements.rate_per) == (1, "chunk")
    assert elements.slope_per_audio_hour == 600


def test_flat_waits_until_a_leak_in_every_tenth_segment_would_have_shown() -> None:
    few = assess([trace(bounded, periods=8, segments=1)], plan=PLAN)
    enough = assess([trace(bounded, periods=14, segments=1)], plan=PLAN)
    assert few.outcome == "undecided"
    assert enough.outcome == "flat"


def test_without_segments_five_periods_are_enough() -> None:
    assert assess([trace(bounded, periods=6, segments=0)], plan=PLAN).outcome == "flat"


def test_the_number_of_objects_in_all_is_shown_and_not_gated() -> None:
    def counted(chunk: int) -> Mapping[str, ObjectSize]:
        return {"total": ObjectSize(chunk, 100, 0)}

    found = assess([trace(counted, periods=16)], plan=PLAN)
    assert not find(found, "total", "elements").gated
    assert found.outcome == "flat"


def test_named_paths_are_reported_whatever_they_hold() -> None:
    def empty(chunk: int) -> Mapping[str, ObjectSize]:
        return {"stats.data_buf": ObjectSize(0, 0, 0), "stats.scores": ObjectSize(0, 0, 0)}

    plan = AssessPlan(
        chunk_seconds=6.0, chunks_per_period=PERIOD, warmup_seconds=60.0, named=("*data_buf",)
    )
    paths = {m.path for m in assess([trace(empty)], plan=plan).metrics}
    assert "stats.data_buf" in paths
    assert "stats.scores" not in paths


def test_an_integer_that_outgrows_the_cache_of_small_ones_is_no_leak() -> None:
    def counting(chunk: int) -> Mapping[str, ObjectSize]:
        return {"count": ObjectSize(1, 28 if chunk < 25 else 56, 0)}

    found = assess([trace(counting, periods=18, segments=0)], plan=PLAN)
    assert find(found, "count", "python_bytes").verdict == "flat"


def test_one_leaking_replicate_is_enough() -> None:
    traces = [trace(bounded, periods=8), trace(growing(1), periods=8)]
    found = assess(traces, plan=PLAN)
    assert found.outcome == "leak"
    assert found.decided


def test_growth_a_stream_gets_its_rate_a_stream() -> None:
    def objects(chunk: int) -> Mapping[str, ObjectSize]:
        opened = chunk // PERIOD + (1 if chunk % PERIOD >= 1 else 0)
        return {"sessions": ObjectSize(opened, 100 * opened, 0)}

    found = assess([trace(objects, periods=14, segments=0, streams=1)], plan=PLAN)
    sessions = find(found, "sessions", "elements")
    assert (sessions.rate, sessions.rate_per) == (1, "stream")


def test_exposure_is_measured_after_warm_up() -> None:
    exposure = assess([trace(bounded)], plan=PLAN).exposure
    assert exposure.chunks_per_hour == 600
    assert exposure.segments_per_hour == pytest.approx(120)
    assert exposure.streams_per_hour == 0


def test_nothing_measured_is_undecided() -> None:
    found = assess([Trace(())], plan=PLAN)
    assert found.outcome == "undecided"
    assert "nothing was measured" in found.reason


def test_a_run_that_traces_allocations_is_not_asked_for_its_heap() -> None:
    samples = [
        dataclasses.replace(s, process={"traced_bytes": 5.0} if s.process else {})
        for s in trace(bounded).samples
    ]
    found = assess([Trace(tuple(samples))] * 3, plan=PLAN)
    assert found.outcome == "flat"
    assert all(m.metric != "heap_bytes" for m in found.metrics)


def wandering(*, leak: float, seed: int) -> Objects:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 40, 10_000)

    def objects(chunk: int) -> Mapping[str, ObjectSize]:
        return {"buffer": ObjectSize(int(noise[chunk] + leak * chunk), 100, 0)}

    return objects


def test_without_a_period_floors_of_objects_are_judged() -> None:
    plan = AssessPlan(chunk_seconds=6.0, chunks_per_period=1, warmup_seconds=60.0, periodic=False)
    flat = assess([trace(wandering(leak=0, seed=1), periods=400, segments=0)], plan=plan)
    leak = assess([trace(wandering(leak=5, seed=1), periods=400, segments=0)], plan=plan)
    assert find(flat, "buffer", "elements").verdict == "flat"
    assert find(leak, "buffer", "elements").verdict == "leak"
    assert find(leak, "buffer", "elements").slope_per_audio_hour == pytest.approx(3000, rel=0.1)
