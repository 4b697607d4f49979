"""What audio drives a subject, and what that audio must reach: one TOML file a scenario.

A scenario is a period that repeats for ever. It is either synthetic (``parts``, one after the
other) or a recording (``recordings = true``), and it knows nothing of the subject it drives.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from leakbench.errors import ScenarioError
from leakbench.table import Table, read_table

PartKind: TypeAlias = Literal["speech", "silence", "noise"]
PART_KINDS: Final[tuple[PartKind, ...]] = get_args(PartKind)

LONGEST_PERIOD_SECONDS: Final = 3600.0
"""A synthetic period is rendered to disk: an hour is 230 MB at 16 kHz, more is a typing slip."""

_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of synthetic audio."""

    kind: PartKind
    """``speech`` and ``noise`` are seeded; ``silence`` is zeros, what a muted microphone gives."""
    seconds: float
    """How long it lasts; whole microseconds, more than 0."""
    level_dbfs: float | None = None
    """RMS level, 0 dBFS being an RMS of 1.0; at most 0. None for silence, which has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the stimulus must bring the subject to after warm-up; None asks nothing.

    A run that does not reach it has measured nothing and ends as an error.
    """

    min_segments_per_period: float | None = None
    """Segments closed a period, on average, at least."""
    max_segments_per_period: float | None = None
    """Segments closed a period, on average, at most."""
    min_silence_share: float | None = None
    """Share of the audio outside closed segments, at least; 0 to 1."""
    min_speech_share: float | None = None
    """Share of the audio inside closed segments, at least; 0 to 1."""
    min_streams_per_period: float | None = None
    """Streams started a period, on average, at least."""
    min_longest_segment_seconds: float | None = None
    """Length of the longest closed segment, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A stimulus that repeats, how it is fed, and what it must reach.

    Raises
    ------
    ScenarioError
        When a value is out of bounds or two values contradict each other.
    """

    name: str
    """Names the cell in every report."""
    description: str = ""
    """One sentence for listings."""
    chunk_ms: int = 600
    """Length of a chunk where the run does not choose another."""
    period_seconds: float | None = None
    """Length of the audio that repeats; None for recordings: known once they are rendered."""
    warmup_periods: int = 2
    """Periods at the start that no verdict uses."""
    audio_seconds: float = 600.0
    """Audio to drive a replicate with, at most, where the run does not choose another."""
    stream_seconds: float | None = None
    """Length of each stream; None for one that never ends."""
    phase_seconds: float = 0.0
    """When in the period samples are taken; 0 is its end, which is the next one's start."""
    parts: tuple[Part, ...] = ()
    """The synthetic period, in order; empty for recordings."""
    recordings: bool = False
    """Whether the audio is a recording, looped."""
    generate: Mapping[str, object] = field(default_factory=dict)
    """Passed on to the subject's model call by the families of subjects that have one."""
    reach: Reach = field(default_factory=Reach)
    """What the stimulus must bring the subject to."""
    source: Path | None = None
    """The file it was read from; None where it was made in code."""

    def __post_init__(self) -> None:
        self._check_values()
        self._check_parts()
        self._check_reach()
        if self.audio_seconds <= self.warmup_periods * (self.period_seconds or 0.0):
            raise self._error(
                f"audio_seconds must be longer than the warm-up ({self.warmup_periods} periods of "
                f"{self.period_seconds:g} s), got {self.audio_seconds:g}"
            )
        self.check_chunk(self.chunk_ms)

    def check_chunk(self, chunk_ms: int) -> None:
        """Check that the scenario can be fed in chunks of `chunk_ms`, recordings included.

        Raises
        ------
        ScenarioError
            When `chunk_ms` is not positive, or does not divide the period, the stream, or the
            phase.
        """
        if chunk_ms <= 0:
            raise self._error(f"chunk_ms must be > 0, got {chunk_ms}")
        for label, seconds in (
            ("period", self.period_seconds),
            ("stream", self.stream_seconds),
            ("phase", self.phase_seconds),
        ):
            if seconds is not None and _microseconds(seconds) % (chunk_ms * 1000):
                raise self._error(
                    f"{label} {seconds!r} s is not a whole number of {chunk_ms} ms chunks; "
                    f"choose {self._chunks_that_fit(chunk_ms)}"
                )

    def chunks_per_period(self, chunk_ms: int) -> int:
        """Return how many chunks of `chunk_ms` a period holds.

        Raises
        ------
        ScenarioError
            As `check_chunk`; and for recordings, whose period is known once they are rendered.
        """
        self.check_chunk(chunk_ms)
        if self.period_seconds is None:
            raise self._error("the period of recordings is known only once they are rendered")
        return _microseconds(self.period_seconds) // (chunk_ms * 1000)

    def chunks_per_stream(self, chunk_ms: int) -> int | None:
        """Return how many chunks of `chunk_ms` a stream holds; None where it never ends."""
        self.check_chunk(chunk_ms)
        if self.stream_seconds is None:
            return None
        return _microseconds(self.stream_seconds) // (chunk_ms * 1000)

    def phase_chunk(self, chunk_ms: int) -> int:
        """Return the phase of the samples in chunks of `chunk_ms` since the period began."""
        self.check_chunk(chunk_ms)
        return _microseconds(self.phase_seconds) // (chunk_ms * 1000)

    def _check_values(self) -> None:
        if not self.name.strip() or "/" in self.name or not self.name.isprintable():
            raise self._error(f"name must be printable and without a slash, got {self.name!r}")
        if self.warmup_periods < 0:
            raise self._error(f"warmup_periods must be >= 0, got {self.warmup_periods}")
        for key in ("period_seconds", "audio_seconds", "stream_seconds"):
            seconds = getattr(self, key)
            if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
                raise self._error(f"{key} must be > 0, got {seconds!r}")
        end = self.period_seconds or math.inf
        if not (0 <= self.phase_seconds < end and math.isfinite(self.phase_seconds)):
            raise self._error(
                f"phase_seconds must be >= 0 and less than the period, got {self.phase_seconds!r}"
            )
        if self.period_seconds and self.stream_seconds:
            period, stream = _microseconds(self.period_seconds), _microseconds(self.stream_seconds)
            if max(period, stream) % min(period, stream):
                raise self._error(
                    f"stream_seconds must divide the period ({self.period_seconds:g} s) or be a "
                    f"multiple of it, got {self.stream_seconds!r}"
                )
        try:
            json.dumps(dict(self.generate), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise self._error(
                f"generate must hold text, finite numbers, booleans, lists and tables only: {error}"
            ) from error

    def _check_parts(self) -> None:
        if self.recordings:
            if self.parts or self.period_seconds is not None:
                raise self._error(
                    "parts and period_seconds must be left out where recordings = true"
                )
            if self.stream_seconds is not None:
                raise self._error("stream_seconds must be left out where recordings = true")
            return
        if not self.parts:
            raise self._error("parts must hold at least one part, or recordings must be true")
        if self.period_seconds is None:
            raise self._error("period_seconds must be given, got none")
        for number, part in enumerate(self.parts, start=1):
            self._check_part(f"parts[{number}]", part)
        total = sum(_microseconds(part.seconds) for part in self.parts)
        if total != _microseconds(self.period_seconds):
            raise self._error(
                f"period_seconds must be the sum of its parts ({total / _MICROSECONDS:g} s), "
                f"got {self.period_seconds!r}"
            )
        if self.period_seconds > LONGEST_PERIOD_SECONDS:
            raise self._error(
                f"period_seconds must be at most {LONGEST_PERIOD_SECONDS:g}, "
                f"got {self.period_seconds!r}"
            )

    def _check_part(self, where: str, part: Part) -> None:
        if part.kind not in PART_KINDS:
            raise self._error(
                f"{where}.kind must be one of {', '.join(PART_KINDS)}, got {part.kind!r}"
            )
        if not (part.seconds > 0 and math.isfinite(part.seconds)):
            raise self._error(f"{where}.seconds must be > 0, got {part.seconds!r}")
        if part.kind == "silence":
            if part.level_dbfs is not None:
                raise self._error(
                    f"{where}.level_dbfs must be left out for silence, which is zeros; "
                    f"got {part.level_dbfs!r}"
                )
        elif part.level_dbfs is None or not -150 <= part.level_dbfs <= 0:
            raise self._error(
                f"{where}.level_dbfs must be between -150 and 0, got {part.level_dbfs!r}"
            )

    def _check_reach(self) -> None:
        for key, value in dataclasses.asdict(self.reach).items():
            most = 1.0 if key.endswith("_share") else math.inf
            if value is not None and not (0 <= value <= most and math.isfinite(value)):
                bound = "between 0 and 1" if most == 1.0 else ">= 0"
                raise self._error(f"reach.{key} must be {bound}, got {value!r}")
        low, high = self.reach.min_segments_per_period, self.reach.max_segments_per_period
        if low is not None and high is not None and low > high:
            raise self._error(
                f"reach.min_segments_per_period must be at most max_segments_per_period "
                f"({high:g}), got {low:g}"
            )

    def _chunks_that_fit(self, chunk_ms: int) -> str:
        lengths = [
            _microseconds(seconds)
            for seconds in (self.period_seconds, self.stream_seconds, self.phase_seconds)
            if seconds
        ]
        whole = math.gcd(*lengths)
        fitting = [ms for ms in range(1, whole // 1000 + 1) if whole % (ms * 1000) == 0]
        below = [ms for ms in fitting if ms < chunk_ms][-1:]
        above = [ms for ms in fitting if ms > chunk_ms][:1]
        near = " or ".join(str(ms) for ms in below + above)
        return f"{near} ms" if near else "lengths of whole milliseconds"

    def _error(self, problem: str) -> ScenarioError:
        where = _shown(self.source) if self.source else f"scenario {self.name!r}"
        return ScenarioError(f"{where}: {problem}")


def shipped_scenarios() -> Mapping[str, Path]:
    """Return the scenarios that come with leakbench: name to file, sorted by name."""
    # Resolved, because a worker finds the package through a link.
    package = Path(str(importlib.resources.files("leakbench"))).resolve()
    installed = package / "shipped_scenarios"
    folder = installed if installed.is_dir() else package.parent / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_scenario(name_or_path: str) -> Scenario:
    """Return a shipped scenario by its name, or one of the user's own by its file.

    Raises
    ------
    ScenarioError
        When there is none of that name, the file cannot be read or parsed, or it holds a key
        or value that a scenario does not have.
    """
    shipped = shipped_scenarios()
    if name_or_path in shipped:
        return _read(shipped[name_or_path])
    path = Path(name_or_path)
    if path.suffix == ".toml" or path.is_file():
        return _read(path)
    close = difflib.get_close_matches(name_or_path, shipped, n=2)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise ScenarioError(
        f"scenario {name_or_path!r}: expected a .toml file or one of {', '.join(shipped)}; "
        f"{hint}`leakbench list scenarios` describes them"
    )


def _read(path: Path) -> Scenario:
    keys = read_table(path, shown=_shown(path), error=ScenarioError)
    values: dict[str, Any] = {
        "name": keys.text("name", path.stem),
        "description": keys.text("description", ""),
        "chunk_ms": keys.whole("chunk_ms", 600),
        "period_seconds": keys.number("period_seconds"),
        "warmup_periods": keys.whole("warmup_periods", 2),
        "audio_seconds": keys.number("audio_seconds", 600.0),
        "stream_seconds": keys.number("stream_seconds"),
        "phase_seconds": keys.number("phase_seconds", 0.0),
        "parts": tuple(_part(part) for part in keys.tables("parts")),
        "recordings": keys.flag("recordings"),
        "generate": keys.table("generate").values,
        "reach": _reach(keys.table("reach")),
    }
    # Before the values are checked against each other: a misspelt key is missed there.
    keys.refuse_others()
    return Scenario(**values, source=path)


def _part(keys: Table) -> Part:
    kind = keys.text("kind", "")
    part = Part(
        kind=cast(PartKind, kind),
        seconds=keys.number("seconds", 0.0),
        level_dbfs=keys.number("level_dbfs"),
    )
    keys.refuse_others()
    return part


def _reach(keys: Table) -> Reach:
    reach = Reach(**{key.name: keys.number(key.name) for key in dataclasses.fields(Reach)})
    keys.refuse_others()
    return reach


def _shown(path: Path) -> str:
    """Return the path as a reader at the current folder would write it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _microseconds(seconds: float) -> int:
    """Return whole microseconds, so that lengths divide exactly."""
    return round(seconds * _MICROSECONDS)
