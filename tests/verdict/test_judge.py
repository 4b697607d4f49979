import json

import pytest

from leakbench.errors import ConfigError
from leakbench.verdict import Verdict, judge, judgement_as_json

from .simulated import replicates

MIB = 2.0**20


def test_a_budget_is_read_as_people_write_it() -> None:
    series = [(audio, values * MIB) for audio, values in replicates(slope=3.0)]
    assert judge(series, "1 MiB/h").verdict is Verdict.LEAK
    assert judge(series, "1 GiB/day").verdict is Verdict.FLAT


def test_a_budget_a_chunk_cannot_be_used() -> None:
    with pytest.raises(ConfigError, match="needs the number of chunks"):
        judge(replicates(), "1 B/chunk")


def test_the_clock_may_begin_anywhere() -> None:
    series = replicates(slope=3.0)
    later = [(audio + 1e6, values) for audio, values in series]
    assert judge(later, "1 B/h") == judge(series, "1 B/h")


def test_a_warm_up_is_left_out() -> None:
    jump = [(audio, values + 50.0 * (audio > 9000)) for audio, values in replicates()]
    assert judge(jump, "1 B/h").verdict is not Verdict.FLAT
    assert judge(jump, "1 B/h", warmup_seconds=9000).verdict is Verdict.FLAT


def test_the_json_has_the_documented_keys_and_no_saturating() -> None:
    fields = judgement_as_json(judge(replicates(slope=3.0), "1 B/h"))
    assert json.loads(json.dumps(fields))["verdict"] == "leak"
    assert {"slope_per_audio_hour", "low", "high", "budget_per_audio_hour"} < set(fields)
