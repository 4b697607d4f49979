import pytest

from benchmarks.peers.keeping import CACHE_CHUNKS, CLEANUP_CHUNKS, plateau, sawtooth
from benchmarks.peers.workloads import Stream
from leakbench.controls import Retaining

ENERGY_VAD = "leakbench.controls:EnergyVad"


def held(subject: Retaining, chunks: int) -> int:
    """Return how many chunks' audio `subject` holds after `chunks` of a fresh stream."""
    Stream("", subject).run(chunks)
    return len(subject.retention.held)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [(1, 1), (CACHE_CHUNKS, CACHE_CHUNKS), (5 * CACHE_CHUNKS, CACHE_CHUNKS)],
)
def test_a_plateau_fills_and_stays(chunks: int, expected: int) -> None:
    assert held(plateau(ENERGY_VAD, {}), chunks) == expected


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [(CLEANUP_CHUNKS, CLEANUP_CHUNKS), (CLEANUP_CHUNKS + 1, 1), (2 * CLEANUP_CHUNKS + 3, 3)],
)
def test_a_sawtooth_drops_all_and_begins_again(chunks: int, expected: int) -> None:
    assert held(sawtooth(ENERGY_VAD, {}), chunks) == expected
