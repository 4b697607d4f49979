"""Every shipped scenario brings a detector where it promises, and no other audio does."""

from pathlib import Path

import pytest

from leakbench.controls.energy_vad import EnergyVad
from leakbench.errors import StimulusError
from leakbench.record.trace import SegmentEvent
from leakbench.scenario import Scenario, load_scenario, shipped_scenarios
from leakbench.scenario.audio.rendering import render
from leakbench.scenario.audio.stimulus import ChunkReader
from leakbench.verdict.reach import Visited, check_reach, measure_visited

SYNTHETIC = sorted(set(shipped_scenarios()) - {"recorded"})


def visit(scenario: Scenario, destination: Path, *, chunk_ms: int, seed: int = 0) -> Visited:
    """Drive a bounded energy detector for the warm-up and six periods."""
    subject = EnergyVad()
    stimulus = render(
        scenario,
        chunk_ms=chunk_ms,
        sample_rate=subject.sample_rate,
        seed=seed,
        recordings=None,
        destination=destination,
    )
    chunks = (scenario.warmup_periods + 6) * stimulus.chunks_per_period
    stream = scenario.chunks_per_stream(chunk_ms)
    events = []
    with ChunkReader(stimulus) as reader:
        for chunk in range(chunks):
            if stream and chunk % stream == 0:
                subject.start()
            segments = subject.feed(reader.read(), bool(stream) and (chunk + 1) % stream == 0)
            if segments:
                events.append(
                    SegmentEvent(chunk=chunk, segments=tuple((a, b) for a, b in segments))
                )
    return measure_visited(
        events,
        first_chunk=scenario.warmup_periods * stimulus.chunks_per_period,
        last_chunk=chunks,
        chunks_per_period=stimulus.chunks_per_period,
        chunk_seconds=chunk_ms / 1000,
        stream_chunks=stream,
    )


@pytest.mark.parametrize("chunk_ms", [60, 200, 600])
@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_shipped_scenario_reaches_what_it_promises(
    name: str, chunk_ms: int, tmp_path: Path
) -> None:
    scenario = load_scenario(name)
    for seed in (0, 1):
        visited = visit(scenario, tmp_path / "a.f32", chunk_ms=chunk_ms, seed=seed)
        check_reach(scenario.reach, visited)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("alternating", "silence"),
        ("bursts", "noise"),
        ("silence", "alternating"),
        ("noise", "bursts"),
        ("long-speech", "alternating"),
        ("reconnect", "alternating"),
    ],
)
def test_other_audio_does_not_reach_it(name: str, other: str, tmp_path: Path) -> None:
    visited = visit(load_scenario(other), tmp_path / "a.f32", chunk_ms=600)
    with pytest.raises(StimulusError, match="did not reach what the scenario promises"):
        check_reach(load_scenario(name).reach, visited)
