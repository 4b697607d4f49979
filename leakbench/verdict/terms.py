"""What a cell's traces are judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leakbench.metrics import process_metrics
from leakbench.units import Budget
from leakbench.verdict.budgets import BudgetRule
from leakbench.verdict.looks import FIRST_LOOK_SECONDS


def gated_by_default() -> tuple[str, ...]:
    """Return the process's metrics that a verdict rests on unless told otherwise."""
    return tuple(metric.name for metric in process_metrics() if metric.gated)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessPlan:
    """What a cell's traces are judged by."""

    chunk_seconds: float
    chunks_per_period: int
    """Chunks a period of the scenario; chunks between samples where it has no period."""
    phase: int = 0
    """Chunks into a period at which values are compared."""
    warmup_seconds: float = 0.0
    """Audio at the start that no verdict uses."""
    periodic: bool = True
    """Whether the audio repeats exactly: values are then compared period by period."""
    rules: tuple[BudgetRule, ...] = ()
    defaults: Mapping[str, Budget] = field(default_factory=dict)
    """Growth allowed where no rule says otherwise, instead of the catalogue's."""
    gated_process: tuple[str, ...] = field(default_factory=gated_by_default)
    """The process's metrics that the cell's verdict rests on."""
    named: tuple[str, ...] = ()
    """Patterns of paths that are reported whatever they do."""
    min_replicates: int = 2
    """Processes below which a verdict by intervals over processes is only advice."""
    first_look_seconds: float = FIRST_LOOK_SECONDS
    """Audio after warm-up at which intervals over processes are first asked for."""
    horizon_seconds: float | None = None
    """The most audio of a replicate, from its start; None where that is open. A LEAK by
    intervals before then excludes caches that fill as slowly as that."""
    cycle_seconds: float | None = None
    """Longest legitimate cycle where the audio does not repeat; None for 60 s."""
    final: bool = False
    """Whether no more audio will come: everything there is is judged."""

    @property
    def period_seconds(self) -> float:
        """Audio a period."""
        return self.chunk_seconds * self.chunks_per_period

    @property
    def driven_seconds(self) -> float | None:
        """The most audio after warm-up, None where that is open."""
        if self.horizon_seconds is None:
            return None
        return max(self.horizon_seconds - self.warmup_seconds, 0.0)
