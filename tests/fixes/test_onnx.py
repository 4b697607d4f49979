"""The same fixes in the ONNX runtime, which upstream never fixed."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from leakbench.errors import ProvisionError
from leakbench.funasr.resolution import resolve
from tests.fixes.conftest import FOUR, Compared, speech

LIVE = {"decibel_thres": -50.0}
# The first test waits for a release driven through every case.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> list[list[Compared]]:
    """Two streams of speech and one that falls silent, through each fix and without."""
    try:
        subject = resolve("funasr-onnx==0.4.3", model="embedded", chunk_ms=600, generate={})
    except ProvisionError as error:
        if "no package index" in str(error):
            pytest.skip(str(error))
        raise
    folder = tmp_path_factory.mktemp("onnx")
    silence = np.zeros(24 * 16000, dtype=np.float32)
    streams = [speech(12, seed=1), speech(9, seed=2), np.concatenate((speech(12, seed=3), silence))]
    paths = [folder / f"{number}.npy" for number in range(len(streams))]
    for path, audio in zip(paths, streams, strict=True):
        np.save(path, audio)
    cases = [
        {"chunk_ms": 600, "settings": {}, "fixes": FOUR},
        {"chunk_ms": 60, "settings": {}, "fixes": FOUR[:1]},
        {"chunk_ms": 600, "settings": {"detect_mode": 0}, "fixes": FOUR[1:2]},
        {"chunk_ms": 600, "settings": {"output_frame_probs": True}, "fixes": FOUR[2:3]},
        {"chunk_ms": 200, "settings": LIVE, "fixes": FOUR[3:]},
    ]
    request = {
        "path": [str(path) for path in subject.path],
        "options": {"model": subject.options["model"]},
        "streams": [str(path) for path in paths],
        "cases": cases,
    }
    (folder / "request.json").write_text(json.dumps(request))
    script = Path(__file__).with_name("driving_onnx.py")
    command = [subject.python, script, folder / "request.json", folder / "answer.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads((folder / "answer.json").read_text())
    return [[Compared(**each) for each in answer] for answer in answers]


def test_segments_are_the_originals_chunk_by_chunk(driven):
    for answer in driven:
        for compared in answer:
            assert compared.first_difference() is None, compared.fix
            assert compared.got["ended"] is None
    assert driven[0][0].segments >= 12
    assert driven[1][0].segments >= 12


def test_the_unpatched_runtime_leaks_and_the_patched_does_not(driven):
    for compared in driven[0]:
        end = compared.expected["held"][-1]
        assert end["decibel"][0] > 60 * 60
        assert end["output_data_buf"][0] >= 3
        # A cleanup comes every other chunk, so two sizes take turns.
        sizes = [held["stats"][1] for held in compared.got["held"][-6:]]
        before, after = sizes[:3], sizes[3:]
        assert max(before) == max(after), compared.fix
        assert max(held["output_data_buf"][0] for held in compared.got["held"]) <= 2


def test_frame_probabilities_are_bounded(driven):
    (compared,) = driven[3]
    assert max(held["frame_probs"][0] for held in compared.expected["held"]) > 1500
    assert max(held["frame_probs"][0] for held in compared.got["held"]) < 400
