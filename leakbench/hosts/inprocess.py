"""Objects of the caller's own process, watched while the caller drives them.

Between rounds of the same work an object that keeps nothing weighs the same. Each look after
a round is one value of a periodic series, judged by the exact tier: no worker, no audio, no
figures of the process, which a test runner's own memory would drown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Final

from leakbench.errors import ConfigError, UsageError
from leakbench.probes.objects import ObjectProbe
from leakbench.record.trace import Sample, Trace
from leakbench.units import SECONDS_PER_HOUR
from leakbench.verdict.assess import Assessment, AssessPlan, assess
from leakbench.verdict.budgets import BudgetRule

WARMUP_ROUNDS: Final = 2
"""Rounds that no verdict uses: caches fill, buffers reach their largest."""
ROUNDS: Final = 30
"""Enough for what grew once after the warm-up to be quiet for the twenty rounds that clear it."""


class Watch:
    """Looks at objects after each round of the same work.

    Parameters
    ----------
    roots
        What to look at, by the name its paths begin with. A function is called at every look
        for the object that is there by then: ``lambda: vad.cache``.
    rules
        Growth to allow. A chunk is one round. Budgets over time need `round_seconds`.
    warmup_rounds
        Rounds at the start that no verdict uses.
    round_seconds
        Audio that one round stands for.

    Raises
    ------
    UsageError
        When there is nothing to look at.
    ConfigError
        When a budget over time is given and no `round_seconds`.
    """

    def __init__(
        self,
        roots: Mapping[str, object],
        *,
        rules: Sequence[BudgetRule] = (),
        warmup_rounds: int = WARMUP_ROUNDS,
        round_seconds: float | None = None,
    ) -> None:
        if not roots:
            raise UsageError("a watch needs an object to look at, got none")
        over_time = [
            rule.budget
            for rule in rules
            if any(rate.per in ("minute", "hour", "day") for rate in rule.budget.rates)
        ]
        if over_time and round_seconds is None:
            raise ConfigError(
                f"budget {over_time[0]} needs round_seconds, the audio that one round stands for; "
                "or allow an amount each round, such as 16 B/chunk"
            )
        self._roots = dict(roots)
        self._round_seconds = round_seconds or 1.0
        self._rules = tuple(rules)
        self._warmup_rounds = warmup_rounds
        self._probe = ObjectProbe()
        self._samples: list[Sample] = []

    @property
    def rounds(self) -> int:
        """Rounds looked at so far."""
        return len(self._samples)

    def feed(
        self,
        step: Callable[..., object],
        /,
        *arguments: object,
        rounds: int = ROUNDS,
    ) -> None:
        """Call `step` once a round, with the same arguments each time, and look after each."""
        for _ in range(rounds):
            step(*arguments)
            self.look()

    def look(self) -> None:
        """Look at the objects: a round has ended."""
        chunks = len(self._samples) + 1
        objects = {
            name: root() if isinstance(root, FunctionType | MethodType) else root
            for name, root in self._roots.items()
        }
        self._samples.append(
            Sample(
                chunk=chunks,
                audio_seconds=chunks * self._round_seconds,
                wall_seconds=0.0,
                phase=0,
                segments=0,
                streams=0,
                objects=self._probe.measure(objects),
            )
        )

    def judge(self) -> Assessment:
        """Return the verdict on all rounds so far; rates are an hour of ``round_seconds``."""
        plan = AssessPlan(
            chunk_seconds=self._round_seconds,
            chunks_per_period=1,
            warmup_seconds=(self._warmup_rounds + 1) * self._round_seconds,
            rules=self._rules,
            gated_process=(),
            final=True,
        )
        return assess([Trace(tuple(self._samples))], plan=plan)

    def per_round(self, per_hour: float) -> float:
        """Return what a rate an hour is in each round."""
        return per_hour * self._round_seconds / SECONDS_PER_HOUR
