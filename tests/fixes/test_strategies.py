"""Options of the strategies, accepted and refused."""

import pytest

from leakbench.errors import ConfigError
from leakbench.fixes.strategies import STRATEGIES, make_strategy


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_keeps_the_original_alignment_unless_told(name):
    assert make_strategy(name, {}).alignment == "original"
    assert make_strategy(name, {"alignment": "aligned"}).alignment == "aligned"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ring-buffer", {"alignment": "both"}, "alignment must be original or aligned, got 'both'"),
        ("ring-buffer", {"capacity": 0}, "capacity must be a whole number of frames.*got 0"),
        ("ring-buffer", {"capacity": 1.5}, "capacity must be a whole number of frames.*got 1.5"),
        ("ring-buffer", {"every": 9}, "option must be one of alignment, capacity; got 'every'"),
        ("periodic-cleanup", {"every": 0}, "every must be a whole number of frames.*got 0"),
        ("sliding-window", {"keep_history": True}, "got 'keep_history'"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_line(name, options, message):
    with pytest.raises(ConfigError, match=message) as raised:
        make_strategy(name, options)
    assert "\n" not in str(raised.value)


def test_only_a_pool_that_is_asked_to_keeps_a_history(tmp_path):
    assert all(make_strategy(name, {}).make_history() is None for name in STRATEGIES)
    pool = make_strategy("memory-pool", {"keep_history": True, "history_folder": tmp_path})
    history = pool.make_history()
    assert history is not None
    history.close()
