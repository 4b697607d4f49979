"""What a FLAT covers, and how tightly, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from leakbench.metrics import PROCESS_PATH, metric_of
from leakbench.record.result import MetricResult
from leakbench.units import format_amount, format_duration


def describe_flat(
    gated: Sequence[MetricResult],
    missing: Sequence[str],
    *,
    audio_seconds: float,
    replicates: int = 1,
) -> str:
    """Return what was proved flat, what the heap and the like may still grow by, and the audio.

    Parameters
    ----------
    gated
        Flat results that the verdict rests on.
    missing
        Metrics that the platform cannot give.
    audio_seconds
        Audio after warm-up that each of `replicates` was driven.
    """
    objects = [result for result in gated if result.path != PROCESS_PATH]
    process = [result for result in gated if result.path == PROCESS_PATH]
    wobbling = [result for result in objects if result.tier != "exact"]
    parts = []
    if objects:
        parts.append("objects exactly" if not wobbling else f"objects ({_wobble(wobbling)})")
    parts += [_bound(r) for r in process if metric_of(r.metric).quantity == "bytes" and r.last]
    counts = [r for r in process if metric_of(r.metric).quantity == "count"]
    if counts:
        parts.append(f"no more {_listed([metric_of(r.metric).label for r in counts], 'or')}")
    if any(metric_of(r.metric).tier == "slowing" for r in process):
        parts.append("no slower")
    audio = f"{format_duration(audio_seconds)} of audio"
    if replicates > 1:
        audio += f" in each of {replicates} processes"
    return "; ".join(filter(None, (f"{', '.join(parts)}, {audio}", describe_missing(missing))))


def describe_missing(missing: Sequence[str]) -> str:
    """Return which metrics this platform could not give; empty where it gave all."""
    if not missing:
        return ""
    return f"not measured here: {_listed([metric_of(name).label for name in missing], 'and')}"


def _bound(result: MetricResult) -> str:
    most = max(result.high or 0.0, 0.0)
    quantity = metric_of(result.metric).quantity
    return f"{metric_of(result.metric).label} within {format_amount(most, quantity)}/h"


def _wobble(results: Sequence[MetricResult]) -> str:
    """Return the most that may hide in the wobble of objects that never repeat."""
    worst = max(results, key=lambda result: result.high or 0.0)
    quantity = metric_of(worst.metric).quantity
    return f"{worst.path} within {format_amount(max(worst.high or 0.0, 0.0), quantity)}/h"


def _listed(names: Sequence[str], word: str) -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
