"""Anyone's series, judged in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from leakbench.units import Budget, parse_budget
from leakbench.verdict.judgement import FloatArray, Judgement
from leakbench.verdict.statistical import judge_statistical
from leakbench.verdict.table import Series


def judge(
    series: Sequence[Series],
    budget: str | Budget,
    *,
    cycle_seconds: float | None = None,
    warmup_seconds: float = 0.0,
) -> Judgement:
    """Judge whether a metric grows faster than `budget`.

    Parameters
    ----------
    series
        ``(audio_seconds, values)`` for each replicate, as
        :func:`~leakbench.verdict.table.parse_table` returns them. Replicates are separate
        processes; with one the answer is advisory.
    budget
        Growth allowed over time, such as ``"1 MiB/h"``.
    cycle_seconds
        The longest legitimate cycle of the metric; None for 60 s or five samples.
    warmup_seconds
        Audio at the start that is left out.

    Raises
    ------
    ConfigError
        When `budget` cannot be read or counts chunks, segments or streams.
    UsageError
        When the series cannot be used.
    """
    if isinstance(budget, str):
        budget = parse_budget(budget)
    return judge_statistical(
        [_since(audio, values, warmup_seconds) for audio, values in series],
        budget_per_hour=budget.per_hour(),
        cycle_seconds=cycle_seconds,
        quantity=budget.quantity,
    )


def _since(audio: FloatArray, values: FloatArray, warmup_seconds: float) -> Series:
    """Leave the warm-up out and count audio from its end, wherever the clock began."""
    audio, values = np.asarray(audio, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(audio) < 2 or len(audio) != len(values):
        return audio, values
    elapsed = audio - audio[0] + np.median(np.diff(audio))
    kept = elapsed > warmup_seconds
    return elapsed[kept] - warmup_seconds, values[kept]


def judgement_as_json(judgement: Judgement) -> Mapping[str, object]:
    """Return the object that ``leakbench judge --json`` prints."""
    return {
        "verdict": judgement.verdict.outcome,
        "slope_per_audio_hour": judgement.slope_per_hour,
        "low": judgement.low,
        "high": judgement.high,
        "budget_per_audio_hour": judgement.budget_per_hour,
        "reason": judgement.reason,
        "replicates": judgement.replicates,
        "advisory": judgement.advisory,
    }
