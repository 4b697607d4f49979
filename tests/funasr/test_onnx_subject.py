"""FunASR's ONNX runtime, in its own interpreter: it leaks, and decides as FunASR does."""

import pytest

from leakbench import fixes
from tests.funasr.conftest import Audio, Driven, Driver, Run

SPEC = "funasr-onnx==0.4.3"
Answers = dict[str, dict[str, Driven]]


@pytest.fixture(scope="module")
def onnx(drive: Driver, silence: Audio, speech_like: Audio) -> Answers:
    short = Run({"silence": silence[: 6 * 16000]}, chunk_ms=60)
    patient = Run({"speech": speech_like}, generate={"max_end_silence_time": 3000})
    whole = Run({"silence": silence, "speech": speech_like, "again": speech_like})
    return drive(SPEC, {"600 ms": whole, "60 ms": short, "patient": patient})


def test_it_keeps_64_decibels_a_chunk_and_an_object_a_segment(onnx: Answers) -> None:
    assert onnx["600 ms"]["silence"].held["decibel"] == 64 * 50 - 6
    assert onnx["60 ms"]["silence"].held["decibel"] == 10 * 100 - 6
    assert onnx["600 ms"]["speech"].held["output_data_buf"] == 5


def test_its_segments_are_those_of_funasr_on_the_embedded_model(
    onnx: Answers, latest: Answers
) -> None:
    assert onnx["600 ms"]["speech"].events == latest["600 ms"]["speech"].events
    assert onnx["600 ms"]["silence"].events == latest["600 ms"]["silence"].events


def test_each_stream_begins_with_nothing_held(onnx: Answers) -> None:
    assert onnx["600 ms"]["speech"] == onnx["600 ms"]["again"]
    assert onnx["600 ms"]["speech"].roots == ["stats", "frontend", "in_cache"]


def test_settings_of_the_detector_replace_those_of_the_model(onnx: Answers) -> None:
    assert len(onnx["600 ms"]["speech"].segments) == 10
    assert len(onnx["patient"]["speech"].segments) == 1


def test_a_fix_is_applied_and_changes_no_segment(
    drive: Driver, onnx: Answers, silence: Audio, speech_like: Audio
) -> None:
    spec = f"{SPEC}+{fixes.FIXES[0]}"
    fixed = drive(spec, {"600 ms": Run({"silence": silence, "speech": speech_like})})["600 ms"]
    assert fixed["speech"].events == onnx["600 ms"]["speech"].events


def test_an_argument_the_runtime_does_not_know_is_refused(drive: Driver, silence: Audio) -> None:
    with pytest.raises(AssertionError, match=r"knows nothing of dynamic_silence = true"):
        drive(SPEC, {"odd": Run({"silence": silence}, generate={"dynamic_silence": True})})
