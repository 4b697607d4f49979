"""Thresholds that look at decibels: the original's reading of them, and the corrected one."""

import numpy as np
import pytest

from tests.fixes.conftest import Case, Compare, Stream, speech

# Speech in digital silence, whose -60 dB are below the threshold.
AUDIO = speech(30, seed=0)
LIVE = {"decibel_thres": -50.0}
TWO = [(name, {}) for name in ("ring-buffer", "memory-pool")]
ALIGNED = [(name, {"alignment": "aligned"}) for name in ("ring-buffer", "memory-pool")]
# The first test waits for a release driven through every case.
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]


@pytest.fixture(scope="module")
def guarded(compare: Compare):
    """1.3.14, which takes a frame it has no decibel for as silence."""
    return compare(
        "original",
        [
            Case([Stream(AUDIO)], chunk_ms=200, settings=LIVE, fixes=TWO),
            Case([Stream(AUDIO)], chunk_ms=200, settings=LIVE, fixes=ALIGNED),
            Case([Stream(speech(18, seed=2, floor_db=-65))], settings=LIVE, fixes=TWO),
            Case([Stream(speech(18, seed=2))], settings={"snr_thres": 20.0}, fixes=TWO),
        ],
    )


def test_by_default_the_original_is_followed_as_far_as_it_survives(guarded):
    for compared in guarded[0]:
        assert compared.expected["ended"].startswith(("IndexError", "TimeoutError"))
        assert len(compared.expected["events"]) > 50
        assert compared.first_difference() is None
        assert compared.got["ended"] is None
        assert len(compared.got["events"]) == 150


def test_a_threshold_that_never_fires_leaves_the_original_alive_and_equal(guarded):
    for compared in [*guarded[2], *guarded[3]]:
        assert compared.expected["ended"] is None
        assert compared.first_difference() is None
        assert compared.segments >= 4


def test_aligned_decibels_give_what_the_first_fixed_release_gives(compare, guarded):
    reference = compare(
        "fixed",
        [Case([Stream(AUDIO)], chunk_ms=200, settings=LIVE, fixes=[("upstream+segments", {})])],
    )[0][0]
    for compared in guarded[1]:
        assert compared.got["ended"] is None
        assert compared.got["events"] == reference.expected["events"]
        # And it is not what the original does: the two alignments are a choice.
        assert compared.first_difference() is not None


def test_a_release_that_raises_index_error_is_followed_until_there_and_not_further(compare):
    (answer,) = compare(
        "funasr==1.1.14", [Case([Stream(AUDIO)], chunk_ms=200, settings=LIVE, fixes=TWO)]
    )
    for compared in answer:
        assert compared.expected["ended"].startswith("IndexError")
        assert compared.first_difference() is None
        assert compared.got["ended"] is None
        assert len(compared.got["events"]) == 150


def test_memory_stays_flat_while_the_backlog_grows_on_disk(compare):
    noise = np.random.default_rng(4).standard_normal(30 * 16000).astype(np.float32) * 0.01
    (answer,) = compare("original", [Case([Stream(noise)], settings=LIVE)])
    for compared in answer:
        assert compared.first_difference() is None
        assert compared.grown("decibel", side="expected")[0] > 500
        assert compared.grown("bounded")[1] == 0
        assert compared.grown("decibel")[0] == 0
