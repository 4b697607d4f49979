"""The capacity formula, and when decibels can decide."""

from types import SimpleNamespace

import pytest

from leakbench.errors import ConfigError
from leakbench.fixes.capacity import require_capacity, required_frames, thresholds_decide


def options(**changes):
    published = {
        "sample_rate": 16000,
        "frame_in_ms": 10,
        "frame_length_ms": 25,
        "window_size_ms": 200,
        "do_extend": 1,
        "lookback_time_start_point": 200,
        "max_end_silence_time": 800,
        "speech_to_sil_time_thres": 150,
        "max_single_segment_time": 60000,
        "decibel_thres": -100.0,
        "snr_thres": -100.0,
    }
    return SimpleNamespace(**(published | changes))


def test_the_published_model_needs_its_end_silence():
    assert required_frames(options()) == 65 + 1


def test_a_short_end_silence_leaves_window_and_look_back():
    assert required_frames(options(max_end_silence_time=300)) == 20 + 20 + 1


def test_without_extension_nothing_is_looked_back_on():
    assert required_frames(options(max_end_silence_time=300, do_extend=0)) == 20 + 1


def test_no_end_silence_outlasts_the_segment_limit():
    assert required_frames(options(max_end_silence_time=10**6)) == 6000 + 1 + 1


def test_an_end_silence_of_a_call_counts_in_place_of_the_configured():
    assert required_frames(options(), end_silence_ms=1850) == 185 + 1
    assert required_frames(options(), end_silence_ms=-50) == 40 + 1


def test_a_capacity_too_small_is_refused_with_the_number_that_would_do():
    require_capacity(66, 66, "ring-buffer")
    require_capacity(None, 66, "ring-buffer")
    with pytest.raises(ConfigError, match=r"ring-buffer: .* at least 66 frames .* got 65"):
        require_capacity(65, 66, "ring-buffer")


@pytest.mark.parametrize(
    ("changes", "decide"),
    [
        ({}, False),
        ({"decibel_thres": -61.5}, False),
        ({"decibel_thres": -60.0}, True),
        ({"decibel_thres": -50.0}, True),
        ({"snr_thres": -88.0}, False),
        ({"snr_thres": -86.0}, True),
        ({"snr_thres": 0.0}, True),
    ],
)
def test_thresholds_decide_only_within_what_a_frame_can_reach(changes, decide):
    assert thresholds_decide(options(**changes)) is decide
