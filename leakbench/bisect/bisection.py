"""The search put together: the ends, the cell as a whole, then every path that grows."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence

from leakbench.bisect.candidates import Candidate, Line
from leakbench.bisect.findings import ChangeRow, Findings, ProbeRow
from leakbench.bisect.paths import leaking_paths, outcome_of, outcomes_of, rate_of, why_skipped
from leakbench.bisect.probing import Probe, Prober
from leakbench.bisect.search import Change, Outcome, find_all_changes, find_change
from leakbench.errors import ConfigError, RunError


def bisect_line(
    line: Line,
    prober: Prober,
    *,
    pattern: str | None,
    jobs: int,
    scenario: str,
    command: Sequence[str],
) -> Findings:
    """Find the first fixed or first leaking candidate of a line, and of every growing path.

    Raises
    ------
    RunError
        When an end of the line cannot be measured or decides nothing.
    ConfigError
        When the ends do not show what they were said to.
    """
    began = time.monotonic()
    # What earlier calls measured narrows the search before anything is run.
    probes = dict(prober.recall())

    def measure(places: Sequence[int], of: str | None) -> dict[int, Outcome]:
        probes.update(prober.measure(places))
        return {place: outcome_of(probes[place], of) for place in places}

    last = len(line.candidates) - 1
    measure([0, last], pattern)
    _check_ends(line, probes, pattern)
    found = find_change(
        0,
        last,
        functools.partial(measure, of=pattern),
        known=outcomes_of(probes, pattern),
        jobs=jobs,
    )
    changes: dict[str, tuple[Change, ...]] = {}
    # Looking closer at one path may bring others to light.
    while new := [path for path in leaking_paths(probes.values()) if path not in changes]:
        for path in new:
            changes[path] = find_all_changes(
                functools.partial(measure, of=path),
                known=outcomes_of(probes, path),
                jobs=jobs,
            )
    return _gather(
        line.candidates,
        probes,
        change=_row(line.candidates, probes, found, pattern or ""),
        scenario=scenario,
        command=command,
        began=began,
    )


def sweep_line(
    candidates: Sequence[Candidate],
    prober: Prober,
    *,
    places: Sequence[int],
    scenario: str,
    command: Sequence[str],
) -> Findings:
    """Measure the candidates at `places` and say where each growing path changes.

    What earlier calls measured at other places is shown as well.
    """
    began = time.monotonic()
    probes = {**prober.recall(), **prober.measure(places)}
    return _gather(candidates, probes, change=None, scenario=scenario, command=command, began=began)


def _check_ends(line: Line, probes: Mapping[int, Probe], pattern: str | None) -> None:
    outcomes = {end: outcome_of(probes[end], pattern) for end in (line.good, line.bad)}
    names = {end: line.candidates[end].name for end in outcomes}
    for end, outcome in outcomes.items():
        if outcome is Outcome.SKIPPED:
            which = "good" if end == line.good else "bad"
            raise RunError(
                f"the {which} end {names[end]} could not be judged: "
                f"{why_skipped(probes[end], pattern)}"
            )
    good, bad = outcomes[line.good], outcomes[line.bad]
    if good is Outcome.LEAKS and bad is Outcome.BOUNDED:
        raise ConfigError(
            f"{names[line.good]} leaks and {names[line.bad]} does not: exchange --good and --bad"
        )
    what = pattern or "the cell"
    if bad is Outcome.BOUNDED:
        raise ConfigError(
            f"{what} does not leak in {names[line.bad]}: --bad must name one that leaks"
        )
    if good is Outcome.LEAKS:
        only = [
            path
            for path in leaking_paths(probes.values())
            if outcome_of(probes[line.good], path) is not outcome_of(probes[line.bad], path)
        ]
        advice = f"; name one of {', '.join(only)} with --path" if only and not pattern else ""
        raise ConfigError(
            f"{what} leaks in {names[line.good]} too: --good must name one that does not{advice}"
        )


def _gather(
    candidates: Sequence[Candidate],
    probes: Mapping[int, Probe],
    *,
    change: ChangeRow | None,
    scenario: str,
    command: Sequence[str],
    began: float,
) -> Findings:
    paths = leaking_paths(probes.values())
    cell = next((probe.cell for probe in probes.values() if probe.cell), None)

    def nothing_left(places: Sequence[int]) -> Mapping[int, Outcome]:
        return dict.fromkeys(places, Outcome.SKIPPED)

    return Findings(
        scenario=scenario,
        chunk_ms=cell.chunk_ms if cell else 0,
        model=cell.model if cell else "",
        command=tuple(command),
        line=tuple(candidate.label for candidate in candidates),
        change=change,
        paths=paths,
        changes=tuple(
            _row(candidates, probes, found, path)
            for path in paths
            for found in find_all_changes(nothing_left, known=outcomes_of(probes, path))
        ),
        probes=tuple(_probe_row(place, probes[place], paths) for place in sorted(probes)),
        measured=sum(not probe.reused for probe in probes.values()),
        wall_seconds=time.monotonic() - began,
    )


def _probe_row(place: int, probe: Probe, paths: Sequence[str]) -> ProbeRow:
    skipped = outcome_of(probe) is Outcome.SKIPPED
    rates = {path: rate for path in paths if (rate := rate_of(probe, path)) is not None}
    return ProbeRow(
        position=place,
        label=probe.candidate.label,
        name=probe.candidate.name,
        detail=probe.candidate.detail,
        verdict=probe.cell.verdict if probe.cell else "error",
        reason=why_skipped(probe) if skipped or probe.cell is None else probe.cell.reason,
        skipped=skipped,
        reused=probe.reused,
        audio_seconds=probe.cell.audio_seconds if probe.cell else 0.0,
        rates=rates,
    )


def _row(
    candidates: Sequence[Candidate], probes: Mapping[int, Probe], found: Change, pattern: str
) -> ChangeRow:
    fixed = outcome_of(probes[found.before], pattern or None) is Outcome.LEAKS
    return ChangeRow(
        path=pattern,
        kind="fixed" if fixed else "leaking",
        before=candidates[found.before].name,
        after=candidates[found.after].name,
        between=tuple(candidates[place].name for place in found.skipped),
        rate_before=_worst(probes[found.before], pattern),
        rate_after=_worst(probes[found.after], pattern),
    )


def _worst(probe: Probe, path: str) -> str:
    """Return the rate of `path`, or of the fastest path where it is empty or a pattern."""
    rate = rate_of(probe, path)
    if rate is not None and rate.state != "absent":
        return rate.text
    if outcome_of(probe, path or None) is Outcome.BOUNDED:
        return "flat"
    worst = next(iter(leaking_paths([probe])), "")
    fastest = rate_of(probe, worst)
    return f"{worst} {fastest.text}" if fastest is not None else "flat"
