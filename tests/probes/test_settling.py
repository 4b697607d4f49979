"""A settled process holds what is held, and nothing that could be freed."""

import gc

import pytest

from leakbench.probes.settling import Settling
from tests.probes.fresh import changes_of


def test_settling_frees_cyclic_garbage() -> None:
    class Node:
        itself: object
        token: object

    freed = []
    node = Node()
    node.itself = node
    node.token = type("Token", (), {"__del__": lambda _self: freed.append(True)})()
    del node
    Settling().settle()
    assert freed == [True]


def test_freezing_sets_aside_what_exists() -> None:
    frozen = gc.get_freeze_count()
    Settling().freeze()
    try:
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


def test_chunks_that_the_allocator_keeps_for_reuse_are_no_growth() -> None:
    (changed,) = changes_of(
        "for size in range(24, 1033, 16):\n"
        "    for chunk in [libc.malloc(size) for _ in range(7)]:\n"
        "        libc.free(chunk)"
    )
    # Unfilled, the cache would be 236 KB heavier now.
    assert abs(changed["heap_bytes"]) < 4096


FILLING = "import re\nfor n in range({}, {}):\n    re.compile(f'a{{n}}|b{{n}}')"


@pytest.mark.parametrize("clears", [True, False])
def test_a_library_cache_that_fills_is_growth_only_where_it_is_not_cleared(clears: bool) -> None:
    _, *steps = changes_of(
        f"settling = Settling(clears_caches={clears})\n{FILLING.format(0, 40)}",
        *(FILLING.format(40 * n, 40 * n + 40) for n in range(1, 5)),
    )
    if clears:
        assert all(abs(step["heap_bytes"]) < 512 for step in steps)
    else:
        assert all(step["heap_bytes"] > 10_000 for step in steps)


def test_a_cache_of_the_subjects_own_is_growth_cleared_or_not() -> None:
    _, grown = changes_of(
        "import functools\nkeep = functools.cache(lambda n: [n])",
        "for n in range(1000):\n    keep(n)",
    )
    assert grown["heap_bytes"] > 64_000
