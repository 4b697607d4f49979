"""A line of candidates whose figures are made up, and a prober that measures nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from leakbench.bisect.candidates import Line
from leakbench.bisect.probing import Probe
from leakbench.record.result import CellResult, MetricResult, Outcome


@dataclass(frozen=True)
class Made:
    label: str
    detail: str = ""

    @property
    def name(self) -> str:
        return f"made=={self.label}"

    @contextmanager
    def materialise(self) -> Iterator[tuple[str, tuple[Path, ...]]]:
        yield self.name, ()


@dataclass
class MockProber:
    """Answers from `rates`: for each candidate, path to bytes an hour; None where it fails."""

    rates: Sequence[Mapping[str, float] | None]
    known: dict[int, Probe] = field(default_factory=dict)
    asked: list[list[int]] = field(default_factory=list)

    def recall(self) -> dict[int, Probe]:
        return dict(self.known)

    def measure(self, places: Sequence[int]) -> dict[int, Probe]:
        if new := [place for place in places if place not in self.known]:
            self.asked.append(new)
        for place in new:
            self.known[place] = make_probe(place, self.rates[place])
        return {place: self.known[place] for place in places}


def make_line(count: int, *, good: int, bad: int) -> Line:
    return Line(candidates=tuple(Made(f"1.{n}") for n in range(count)), good=good, bad=bad)


def make_probe(place: int, rates: Mapping[str, float] | None) -> Probe:
    made = Made(f"1.{place}")
    if rates is None:
        return Probe(candidate=made, cell=None, error="raised: ImportError: no torchaudio")
    metrics = tuple(make_metric(path, rate) for path, rate in rates.items())
    return Probe(candidate=made, cell=make_cell(made.name, metrics))


def make_metric(path: str, rate: float, explained_by: str = "") -> MetricResult:
    return MetricResult(
        path=path,
        metric="python_bytes",
        verdict="leak" if rate else "flat",
        slope_per_audio_hour=rate,
        low=rate,
        high=rate,
        budget_per_audio_hour=0.0,
        rate=rate / 6000,
        rate_per="chunk",
        explained_by=explained_by,
    )


def make_cell(
    subject: str, metrics: tuple[MetricResult, ...], verdict: Outcome | None = None
) -> CellResult:
    leaks = any(metric.verdict == "leak" for metric in metrics)
    return CellResult(
        id=subject,
        subject=subject,
        scenario="silence",
        chunk_ms=600,
        model="embedded",
        expect=None,
        verdict=verdict or ("leak" if leaks else "flat"),
        as_expected=not leaks,
        audio_seconds=60.0,
        wall_seconds=1.0,
        segments=0,
        metrics=metrics,
        reason="made up",
        endings=("stopped",),
    )
