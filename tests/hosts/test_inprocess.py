"""Objects watched in this process: both kinds of control, and what each answer rests on."""

import itertools
from collections import deque

import numpy as np
import pytest

from leakbench.errors import ConfigError, UsageError
from leakbench.hosts.inprocess import Watch
from leakbench.hosts.library import budget_rules


def test_a_list_that_grows_is_a_leak_with_its_rate() -> None:
    kept: list[float] = []
    count = itertools.count()
    watch = Watch({"kept": kept})
    watch.feed(lambda: kept.append(next(count) + 0.5), rounds=12)
    assessment = watch.judge()
    assert assessment.outcome == "leak"
    elements = next(m for m in assessment.metrics if (m.path, m.metric) == ("kept", "elements"))
    assert elements.rate == 1
    assert elements.slope_per_audio_hour is not None
    assert watch.per_round(elements.slope_per_audio_hour) == pytest.approx(1)


def test_a_ring_is_flat() -> None:
    ring: deque[float] = deque(maxlen=8)
    count = itertools.count()
    watch = Watch({"ring": ring})
    watch.feed(lambda: ring.append(next(count) + 0.5), rounds=40)
    assert watch.judge().outcome == "flat"


def test_array_storage_counts() -> None:
    views: list[object] = []
    watch = Watch({"views": views})
    watch.feed(lambda: views.append(np.zeros(4096)[:1]), rounds=12)
    storage = next(m for m in watch.judge().metrics if m.metric == "storage_bytes")
    assert storage.rate == 4096 * 8


def test_a_few_rounds_prove_nothing() -> None:
    watch = Watch({"nothing": []})
    watch.feed(list, rounds=4)
    assert watch.judge().outcome == "undecided"


def test_a_function_is_asked_for_the_object_at_every_look() -> None:
    caches = [[0.5] * size for size in range(1, 20)]
    current = iter(caches)
    watch = Watch({"cache": lambda: next(current)})
    watch.feed(list, rounds=15)
    assert watch.judge().outcome == "leak"


def test_growth_within_its_budget_a_round_is_flat() -> None:
    kept: list[float] = []
    rules = budget_rules({"kept": "1 KiB/chunk", "kept:elements": "1 element/chunk"})
    watch = Watch({"kept": kept}, rules=rules)
    watch.feed(lambda: kept.append(1.0), rounds=30)
    assert watch.judge().outcome == "flat"


def test_a_budget_over_time_needs_to_know_how_long_a_round_is() -> None:
    rules = budget_rules({"kept": "1 MiB/h"})
    with pytest.raises(ConfigError, match="budget 1 MiB/h needs round_seconds"):
        Watch({"kept": []}, rules=rules)
    assert Watch({"kept": []}, rules=rules, round_seconds=0.6).rounds == 0


def test_nothing_to_look_at_is_refused() -> None:
    with pytest.raises(UsageError, match="needs an object"):
        Watch({})
