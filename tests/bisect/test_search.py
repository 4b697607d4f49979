"""The search against an oracle: always a true change, never more measurements than promised."""

import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakbench.bisect.search import Change, Outcome, find_all_changes, find_change

LEAKS, BOUNDED, SKIPPED = Outcome.LEAKS, Outcome.BOUNDED, Outcome.SKIPPED


class Oracle:
    """Knows every outcome and counts what it is asked."""

    def __init__(self, truth: Sequence[Outcome]) -> None:
        self.truth = truth
        self.asked: list[int] = []
        self.widest = 0

    def measure(self, places: Sequence[int]) -> Mapping[int, Outcome]:
        assert not set(places) & set(self.asked), "measured twice"
        assert len(set(places)) == len(places)
        self.asked += places
        self.widest = max(self.widest, len(places))
        return {place: self.truth[place] for place in places}

    @property
    def ends(self) -> dict[int, Outcome]:
        last = len(self.truth) - 1
        return {0: self.truth[0], last: self.truth[last]}

    def find(self, jobs: int = 1) -> Change:
        return find_change(0, len(self.truth) - 1, self.measure, known=self.ends, jobs=jobs)


def one_change(count: int, at: int, *, first: Outcome = LEAKS) -> list[Outcome]:
    second = BOUNDED if first is LEAKS else LEAKS
    return [first] * at + [second] * (count - at)


@st.composite
def lines(draw: st.DrawFn, *, skips: bool) -> list[Outcome]:
    count = draw(st.integers(2, 200))
    truth = one_change(
        count, draw(st.integers(1, count - 1)), first=draw(st.sampled_from([LEAKS, BOUNDED]))
    )
    if skips:
        for start, length in draw(
            st.lists(st.tuples(st.integers(1, count), st.integers(1, 40)), max_size=4)
        ):
            for place in range(start, min(start + length, count - 1)):
                truth[place] = SKIPPED
    return truth


@given(lines(skips=False), st.integers(1, 5))
def test_a_change_is_found_exactly_in_the_fewest_rounds(truth: list[Outcome], jobs: int) -> None:
    oracle = Oracle(truth)
    change = oracle.find(jobs)
    assert truth[change.before] is truth[0]
    assert truth[change.after] is truth[-1]
    assert change.after == change.before + 1
    assert not change.skipped
    assert oracle.widest <= jobs
    # The information bound: each round of k tells k + 1 intervals apart.
    assert change.rounds <= math.ceil(round(math.log(len(truth) - 1, jobs + 1), 9))


@given(lines(skips=True))
def test_skipped_ones_cost_at_most_two_measurements_each(truth: list[Outcome]) -> None:
    oracle = Oracle(truth)
    change = oracle.find()
    skipped = sum(truth[place] is SKIPPED for place in oracle.asked)
    assert len(oracle.asked) <= math.ceil(math.log2(len(truth) - 1)) + 2 * skipped
    assert {truth[change.before], truth[change.after]} == {LEAKS, BOUNDED}
    # Whatever lies between was tried and could not be measured.
    assert change.skipped == tuple(range(change.before + 1, change.after))
    assert all(truth[place] is SKIPPED for place in change.skipped)


@given(lines(skips=True), st.integers(2, 4))
def test_with_several_jobs_skipped_ones_never_hide_a_change(
    truth: list[Outcome], jobs: int
) -> None:
    change = Oracle(truth).find(jobs)
    assert {truth[change.before], truth[change.after]} == {LEAKS, BOUNDED}
    assert all(truth[place] is SKIPPED for place in change.skipped)


@given(
    st.lists(st.sampled_from([LEAKS, BOUNDED, SKIPPED]), max_size=60),
    st.sampled_from([LEAKS, BOUNDED]),
    st.integers(1, 3),
)
def test_any_sequence_ends_in_a_true_change(
    inner: list[Outcome], first: Outcome, jobs: int
) -> None:
    truth = [first, *inner, BOUNDED if first is LEAKS else LEAKS]
    change = Oracle(truth).find(jobs)
    assert {truth[change.before], truth[change.after]} == {LEAKS, BOUNDED}
    assert all(truth[place] is SKIPPED for place in change.skipped)


def test_a_long_stretch_that_fails_to_load_is_left_in_a_few_steps() -> None:
    truth = one_change(200, 150)
    truth[60:140] = [SKIPPED] * 80
    oracle = Oracle(truth)
    assert oracle.find().after == 150
    assert sum(truth[place] is SKIPPED for place in oracle.asked) <= 6


def test_a_boundary_among_skipped_ones_names_all_of_them() -> None:
    truth = [LEAKS, LEAKS, SKIPPED, SKIPPED, BOUNDED, BOUNDED]
    change = Oracle(truth).find()
    assert (change.before, change.skipped, change.after) == (1, (2, 3), 4)


def test_what_is_known_narrows_the_search_before_anything_is_measured() -> None:
    truth = one_change(100, 50)
    oracle = Oracle(truth)
    known = oracle.ends | {49: LEAKS, 51: BOUNDED}
    change = find_change(0, 99, oracle.measure, known=known)
    assert oracle.asked == [50]
    assert change.after == 50


def test_of_several_known_changes_the_newest_is_searched() -> None:
    truth = [BOUNDED, LEAKS, LEAKS, BOUNDED, BOUNDED, LEAKS, LEAKS]
    known = {0: BOUNDED, 1: LEAKS, 4: BOUNDED, 6: LEAKS}
    assert find_change(0, 6, Oracle(truth).measure, known=known).after == 5


@pytest.mark.parametrize(
    "known", [{}, {0: LEAKS}, {0: LEAKS, 9: LEAKS}, {0: SKIPPED, 9: LEAKS}], ids=str
)
def test_ends_that_are_not_one_of_each_are_refused(known: dict[int, Outcome]) -> None:
    with pytest.raises(ValueError, match="must be one of each"):
        find_change(0, 9, Oracle([LEAKS] * 10).measure, known=known)


def test_every_change_between_known_ones_is_searched_to_the_end() -> None:
    truth = [*one_change(30, 11, first=BOUNDED), *one_change(30, 17)]
    oracle = Oracle(truth)
    known = {place: truth[place] for place in (0, 30, 59)}
    changes = find_all_changes(oracle.measure, known=known)
    assert [(change.before, change.after) for change in changes] == [(10, 11), (46, 47)]


def test_nothing_is_measured_where_nothing_changes() -> None:
    oracle = Oracle([LEAKS] * 10)
    assert find_all_changes(oracle.measure, known={0: LEAKS, 9: LEAKS}) == ()
    assert oracle.asked == []
