"""What one probe says of each path: whether it grows, and how fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from leakbench.bisect.findings import PathRate
from leakbench.bisect.probing import Probe
from leakbench.bisect.search import Outcome
from leakbench.metrics import PROCESS_PATH, TOTAL_PATH, metric_of
from leakbench.record.result import CellResult, MetricResult, path_state
from leakbench.units import format_amount
from leakbench.verdict.budgets import matches

_BYTES: Final = ("python_bytes", "storage_bytes")


def outcome_of(probe: Probe, pattern: str | None = None) -> Outcome:
    """Return what a probe says of its whole cell, or of the paths that `pattern` matches."""
    cell = probe.cell
    if cell is None or cell.verdict == "error":
        return Outcome.SKIPPED
    if pattern is None:
        return _OUTCOMES.get(cell.verdict, Outcome.SKIPPED)
    return _OUTCOMES.get(
        path_state(m for m in cell.metrics if matches(pattern, m.path)), Outcome.SKIPPED
    )


def why_skipped(probe: Probe, pattern: str | None = None) -> str:
    """Return in one line why a probe decides nothing."""
    if probe.cell is None or probe.cell.verdict == "error":
        return probe.error or "no result"
    where = f"{pattern} " if pattern else ""
    return f"{where}undecided after {probe.cell.audio_seconds:.0f} s of audio: {probe.cell.reason}"


def rate_of(probe: Probe, path: str) -> PathRate | None:
    """Return how `path` grew; None where the probe has no figures."""
    if probe.cell is None or probe.cell.verdict == "error":
        return None
    metrics = [m for m in _gated(probe.cell) if m.path == path]
    state = path_state(metrics)
    growing = [m for m in metrics if m.verdict != "flat" and (m.slope_per_audio_hour or 0) > 0]
    in_bytes = [m for m in growing if m.metric in _BYTES]
    slope = sum(m.slope_per_audio_hour or 0.0 for m in in_bytes)
    return PathRate(
        state=state,
        bytes_per_audio_hour=slope if state in ("leak", "undecided") else 0.0,
        text=_describe(growing, slope) if state == "leak" else state,
    )


def leaking_paths(probes: Iterable[Probe]) -> tuple[str, ...]:
    """Return the paths that leak in any probe and are culprits of their own, fastest first.

    A path whose growth is all in paths below it is left out; the process is, too: its growth
    is that of the objects in it.
    """
    fastest: dict[str, float] = {}
    for probe in probes:
        if probe.cell is None or probe.cell.verdict == "error":
            continue
        own = {
            m.path
            for m in _gated(probe.cell)
            if m.verdict == "leak" and not m.explained_by and m.path not in _WHOLES
        }
        for path in own:
            rate = rate_of(probe, path)
            slope = rate.bytes_per_audio_hour if rate else 0.0
            fastest[path] = max(fastest.get(path, 0.0), slope)
    return tuple(sorted(fastest, key=lambda path: (-fastest[path], path)))


def outcomes_of(probes: Mapping[int, Probe], pattern: str | None = None) -> dict[int, Outcome]:
    """Return what each probe says, by position."""
    return {place: outcome_of(probe, pattern) for place, probe in probes.items()}


_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "leak": Outcome.LEAKS,
    "flat": Outcome.BOUNDED,
    "absent": Outcome.BOUNDED,
}
_WHOLES: Final = (TOTAL_PATH, PROCESS_PATH)


def _gated(cell: CellResult) -> list[MetricResult]:
    return [m for m in cell.metrics if m.gated]


def _describe(growing: Sequence[MetricResult], slope: float) -> str:
    """Return the exact rate of the largest growth, and what it comes to an audio-hour."""
    leaks = [m for m in growing if m.verdict == "leak"]
    largest = max(
        leaks, key=lambda m: (m.metric in _BYTES, m.slope_per_audio_hour or 0.0), default=None
    )
    if largest is None:
        return "leak"
    quantity = metric_of(largest.metric).quantity
    per_hour = slope if quantity == "bytes" else largest.slope_per_audio_hour or 0.0
    hourly = f"{format_amount(per_hour, quantity)}/h"
    if largest.rate is None or not largest.rate_per:
        return hourly
    return f"{format_amount(largest.rate, quantity)} a {largest.rate_per} ({hourly})"
