"""What growth comes with."""

import pytest

from leakbench.explain.census import Driven
from leakbench.explain.rates import rate_of, rate_of_bytes

ENDLESS = Driven(chunks=200, segments=20, streams=0)
RECONNECTING = Driven(chunks=160, segments=20, streams=20)
FEW_STREAMS = Driven(chunks=200, segments=20, streams=2)


@pytest.mark.parametrize(
    ("amount", "driven", "rate"),
    [
        (400, ENDLESS, ("chunk", 2)),
        (40, ENDLESS, ("segment", 2)),
        (20, FEW_STREAMS, ("segment", 1)),
        (2, FEW_STREAMS, ("stream", 1)),
        (20, RECONNECTING, ("stream", 1)),
        (510, ENDLESS, ("chunk", 2.55)),
        (3, ENDLESS, ("hour", 6)),
    ],
)
def test_growth_comes_with_what_it_is_a_multiple_of(
    amount: int, driven: Driven, rate: tuple[str, float]
) -> None:
    assert rate_of(amount, driven, 0.5) == rate


def test_bytes_come_with_what_their_pieces_come_with() -> None:
    assert rate_of_bytes(20 * 800, 20, RECONNECTING, 0.5) == ("stream", 800)
