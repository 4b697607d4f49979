import pytest

from leakbench.verdict.looks import last_look, looks_taken, next_look_seconds


def test_there_is_no_look_before_the_first() -> None:
    assert last_look(599.0) is None


def test_looks_come_at_doublings_and_stay_until_the_next() -> None:
    for reached, due in ((600, 600), (1100, 600), (1200, 1200), (4799, 2400), (4800, 4800)):
        look = last_look(float(reached))
        assert look is not None
        assert look.seconds == due


def test_open_looks_never_spend_more_than_the_whole_error() -> None:
    looks = [last_look(600.0 * 2**n) for n in range(20)]
    assert sum(look.share for look in looks if look is not None) < 1


@pytest.mark.parametrize("horizon", [600.0, 1000.0, 1200.0, 28800.0, 30000.0])
def test_looks_up_to_a_horizon_spend_exactly_the_whole_error(horizon: float) -> None:
    reached, shares = 0.0, []
    while reached < horizon:
        reached = next_look_seconds(reached, horizon_seconds=horizon)
        look = last_look(reached, horizon_seconds=horizon)
        assert look is not None
        if not shares or look.seconds > shares[-1][0]:
            shares.append((look.seconds, look.share))
    assert sum(share for _, share in shares) == pytest.approx(1)
    assert shares[-1][0] >= horizon / 1.05


def test_the_last_look_of_a_run_that_ended_takes_all_there_is() -> None:
    look = last_look(1000.0, final=True)
    assert look is not None
    assert look.seconds == 1000.0
    look = last_look(200.0, final=True)
    assert look is not None
    assert look.seconds == 200.0


def test_a_few_seconds_past_a_look_are_not_worth_another() -> None:
    look = last_look(610.0, final=True)
    assert look is not None
    assert look.seconds == 600.0


def test_a_run_that_goes_on_is_judged_by_the_last_look_due() -> None:
    assert looks_taken(599.0) == ()
    (look,) = looks_taken(2500.0)
    assert look == last_look(2500.0)
    assert look.ends_run


def test_a_run_that_ended_is_judged_by_every_look_it_had_and_one_at_its_end() -> None:
    looks = looks_taken(3000.0, final=True)
    assert [look.seconds for look in looks] == [600, 1200, 2400, 3000]
    # What was flat and went on may have begun to leak; from the last one due on it is decided.
    assert [look.ends_run for look in looks] == [False, False, True, True]
    assert [look.seconds for look in looks_taken(610.0, final=True)] == [600]
    assert [look.seconds for look in looks_taken(200.0, final=True)] == [200]
