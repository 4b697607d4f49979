"""Patched releases return the unpatched release's segments, and hold bounded memory."""

from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest

from tests.fixes.conftest import FOUR, Case, Compare, Compared, Stream, speech

SILENCE = np.zeros(30 * 16000, dtype=np.float32)
# Silence that never triggers, speech, and silence again: 24 s.
MIXED = np.concatenate((SILENCE[: 6 * 16000], speech(15, seed=1), SILENCE[: 3 * 16000]))
LEAKS = ("decibel", "scores", "data_buf_all", "data_buf")
# The first test waits for a release driven through every case.
pytestmark = pytest.mark.timeout(900)


def require_equal(compared: Compared) -> None:
    assert compared.first_difference() is None, compared.fix
    assert compared.got["ended"] is None
    assert len(compared.got["events"]) == len(compared.expected["events"])


@pytest.fixture(scope="module")
def last_leaking(compare: Compare) -> dict[str, list[Compared]]:
    """1.3.14 with and without each fix."""
    turn = cycle([(name, {})] for name in FOUR)
    edges: dict[str, Case] = {
        "again": Case([Stream(speech(6, seed=s), final=[9]) for s in range(3)]),
        "final in mid-run": Case([Stream(speech(18, seed=5), final=[11, 20, 25, 29])]),
        "interleaved": Case(
            [Stream(speech(12, seed=6)), Stream(speech(12, seed=7))], interleaved=True
        ),
        "one chunk": Case([Stream(MIXED[160000:169600], final=[0]), Stream(MIXED[:9600])]),
        "short last chunk": Case(
            [Stream(MIXED, cuts=[*range(120000, 200000, 9600), 198400], final=[8])]
        ),
        "empty chunks": Case(
            [Stream(MIXED, cuts=[120000, 129600, 129600, 139200, 139200, 148800])]
        ),
        "single utterance": Case([Stream(MIXED)], settings={"detect_mode": 0}),
        "end silence of a call": Case(
            [Stream(MIXED, final=[39])], generate={"max_end_silence_time": 2500}
        ),
        "dynamic end silence": Case([Stream(MIXED)], generate={"dynamic_silence": True}),
        "frame probabilities": Case([Stream(MIXED)], settings={"output_frame_probs": True}),
        "no extension": Case([Stream(MIXED)], settings={"do_extend": 0}),
        "short segments": Case([Stream(MIXED)], settings={"max_single_segment_time": 900}),
        "two silence classes": Case(
            [Stream(MIXED)], settings={"sil_pdf_ids": [0, 3], "silence_pdf_num": 2}
        ),
        "taken over": Case([Stream(MIXED)], adopt=20),
    }
    cases = {
        "600 ms": Case([Stream(MIXED, final=[39])], remove=True),
        "200 ms": Case([Stream(MIXED)], chunk_ms=200, fixes=[("ring-buffer", {})]),
        "60 ms": Case(
            [Stream(MIXED[6 * 16000 : 16 * 16000])], chunk_ms=60, fixes=[("memory-pool", {})]
        ),
        "silence": Case([Stream(SILENCE)], measure_every=4),
        "one utterance, then silence": Case(
            [Stream(np.concatenate((speech(6, seed=9), SILENCE)))],
            settings={"detect_mode": 0},
            measure_every=4,
        ),
        "options": Case(
            [Stream(MIXED)],
            fixes=[
                ("ring-buffer", {"capacity": 400}),
                ("sliding-window", {"capacity": 400, "alignment": "aligned"}),
                ("periodic-cleanup", {"every": 1}),
                ("memory-pool", {"keep_history": True}),
            ],
        ),
        **{name: replace(case, fixes=next(turn)) for name, case in edges.items()},
    }
    return dict(zip(cases, compare("original", list(cases.values())), strict=True))


@pytest.mark.parametrize(
    "case",
    [
        "600 ms",
        "200 ms",
        "60 ms",
        "silence",
        "again",
        "final in mid-run",
        "interleaved",
        "one chunk",
        "short last chunk",
        "empty chunks",
        "single utterance",
        "one utterance, then silence",
        "end silence of a call",
        "dynamic end silence",
        "frame probabilities",
        "no extension",
        "short segments",
        "two silence classes",
        "taken over",
        "options",
    ],
)
def test_segments_are_the_originals_chunk_by_chunk(last_leaking, case):
    for compared in last_leaking[case]:
        require_equal(compared)


def test_the_audio_has_segments_to_be_compared(last_leaking):
    for case in ("600 ms", "200 ms", "60 ms", "again", "final in mid-run", "interleaved"):
        assert last_leaking[case][0].segments >= 4, case


def test_a_model_whose_fix_was_removed_is_the_releases_own(last_leaking):
    assert all(compared.removed_equals_unpatched for compared in last_leaking["600 ms"])


@pytest.mark.parametrize("case", ["silence", "one utterance, then silence"])
def test_the_unpatched_release_leaks_and_the_patched_does_not(last_leaking, case):
    for compared in last_leaking[case]:
        for path in LEAKS[:3]:
            elements, size = compared.grown(path, side="expected")
            assert (elements if path == "decibel" else size) > 1000, path
        for path in (*LEAKS, "bounded"):
            assert compared.grown(path) == (0, 0), (compared.fix, path)


def test_segments_already_told_are_dropped(last_leaking):
    for compared in last_leaking["600 ms"]:
        expected = [held["output_data_buf"][0] for held in compared.expected["held"]]
        got = [held["output_data_buf"][0] for held in compared.got["held"] if held]
        assert max(expected) >= 3
        assert max(got) <= 2


def test_frame_probabilities_are_bounded(last_leaking):
    for compared in last_leaking["frame probabilities"]:
        expected = max(held["frame_probs"][0] for held in compared.expected["held"])
        got = max(held["frame_probs"][0] for held in compared.got["held"])
        assert expected > 500
        assert got < 400


def test_unconsumed_frames_stay_within_the_capacity_formula(last_leaking):
    for case in ("60 ms", "200 ms", "600 ms", "silence", "no extension"):
        for compared in last_leaking[case]:
            assert all(held["unconsumed"][0] <= 66 for held in compared.got["held"]), case


def test_the_history_of_a_pool_is_whole(last_leaking):
    pool = last_leaking["options"][-1]
    assert pool.got["held"][-1]["history"][0] == 40 * 60 - 4  # the front end waits for two
    assert pool.grown("bounded")[1] == 0


def test_a_release_from_1_3_15_on_lets_segments_and_single_utterances_go(compare):
    fix = [("upstream+segments", {})]
    many = np.tile(speech(6, seed=3), 5)
    ended = np.concatenate((speech(6, seed=9), SILENCE))
    driven = compare(
        "latest",
        [
            Case([Stream(many)], fixes=fix),
            Case([Stream(ended)], fixes=fix, settings={"detect_mode": 0}),
            Case([Stream(SILENCE)], fixes=fix, settings={"output_frame_probs": True}),
        ],
    )
    for (compared,), path in zip(
        driven, ("output_data_buf", "data_buf_all", "frame_probs"), strict=True
    ):
        require_equal(compared)
        assert compared.grown(path, side="expected")[0] > 0
        assert compared.grown(path)[0] <= 0


@pytest.mark.parametrize(
    "release",
    ["1.1.12", *(pytest.param(r, marks=pytest.mark.slow) for r in ("1.1.14", "1.2.7", "1.3.3"))],
)
def test_older_releases_are_equal_too(compare, release):
    cases = [Case([Stream(MIXED, final=[39])], fixes=[("ring-buffer", {})])]
    cases.append(Case([Stream(MIXED[96000:192000])], chunk_ms=60, fixes=[("memory-pool", {})]))
    for answer in compare(f"funasr=={release}", cases):
        for compared in answer:
            require_equal(compared)
            assert compared.segments >= 2


def test_the_published_model_and_a_real_recording_are_equal(compare, published_model, recording):
    real = Case([Stream(recording[: 20 * 16000], final=[32])], model=str(published_model))
    cases = [real, replace(real, chunk_ms=200, fixes=real.fixes[:1])]
    for answer in compare("original", cases):
        for compared in answer:
            require_equal(compared)
            assert compared.segments >= 5


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("chunk_ms", [60, 200, 600])
def test_two_audio_hours_are_equal(compare, published_model, recording, chunk_ms):
    """Six stretches of 5 min by each of four fixes: 2 h at each chunk size."""
    five_minutes = 300 * 16000
    cases = []
    for model in ("embedded", str(published_model)):
        cases += [
            Case([Stream(speech(300, seed=seed, floor_db=floor))], chunk_ms, model=model)
            for seed, floor in ((11, None), (12, -60.0))
        ]
        cases.append(Case([Stream(np.tile(recording, 5)[:five_minutes])], chunk_ms, model=model))
    for answer in compare("original", cases):
        assert [compared.fix for compared in answer] == list(FOUR)
        for compared in answer:
            require_equal(compared)
            assert compared.segments >= 20
