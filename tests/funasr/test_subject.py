"""The subject on real releases: the leak, the fix, and what is passed through."""

from pathlib import Path

import pytest

from leakbench.funasr import subject
from tests.funasr.conftest import Driven

Answers = dict[str, dict[str, Driven]]


def test_the_original_keeps_64_decibels_a_chunk_of_silence(original: Answers) -> None:
    held = original["600 ms"]["silence"].held
    # The first of 50 chunks scores 58 frames: two wait for the frames to their right.
    assert held["decibel"] == 64 * 50 - 6
    # Figures of the published checkpoint over 1,000 chunks.
    assert held["data_buf_all"] == pytest.approx(50 * 41_916_160 / 1000, rel=0.01)
    assert held["scores"] == pytest.approx(50 * 59_516_032 / 1000, rel=0.01)


def test_60_ms_chunks_leak_ten_decibels_each_in_the_original(original: Answers) -> None:
    assert original["60 ms"]["silence"].held["decibel"] == 10 * 100 - 6


@pytest.mark.parametrize("release", ["fixed", "latest"])
def test_fixed_releases_hold_the_same_after_any_length_of_silence(
    release: str, request: pytest.FixtureRequest
) -> None:
    streams = request.getfixturevalue(release)["600 ms"]
    held = streams["silence"].held
    assert held == streams["short"].held
    assert (held["decibel"], held["data_buf_all"], held["scores"]) == (41, 27_200, 40_672)


def test_original_fixed_and_latest_find_the_same_segments(
    original: Answers, fixed: Answers, latest: Answers
) -> None:
    events = original["600 ms"]["speech"].events
    assert events == fixed["600 ms"]["speech"].events == latest["600 ms"]["speech"].events
    assert len([end for _, end in original["600 ms"]["speech"].segments if end >= 0]) == 5


def test_each_stream_begins_with_nothing_held(original: Answers) -> None:
    assert original["600 ms"]["speech"] == original["600 ms"]["again"]


def test_the_roots_are_the_items_of_the_cache(original: Answers) -> None:
    assert {"stats", "frontend", "encoder", "windows_detector"} <= set(
        original["600 ms"]["silence"].roots
    )


def test_settings_of_the_detector_are_reached_through_generate(fixed: Answers) -> None:
    assert len(fixed["600 ms"]["speech"].segments) == 10
    assert len(fixed["one utterance"]["speech"].segments) == 2
    assert fixed["600 ms"]["silence"].held["frame_probs"] == 0
    assert fixed["probabilities"]["silence"].held["frame_probs"] == 30 * 100 - 4


def test_arguments_of_generate_are_reached_too(fixed: Answers) -> None:
    assert fixed["600 ms"]["silence"].held["writer keys"] == 0
    assert fixed["writing"]["silence"].held["writer keys"] == 50
    assert len(fixed["patient"]["speech"].segments) == 1


def test_a_model_that_does_not_load_is_told_from_one_that_was_not_fetched(tmp_path: Path) -> None:
    error = RuntimeError("not\nregistered")
    local = subject._describe_failure(str(tmp_path), str(tmp_path), error)
    hub = subject._describe_failure("fsmn-vad", "fsmn-vad", error)
    assert local == f"model {tmp_path}: could not be loaded: RuntimeError: not registered"
    assert "not fetched from FunASR's hub; check the name and the network" in hub
