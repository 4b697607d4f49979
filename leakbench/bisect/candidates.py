"""What is searched: a line of releases or commits, oldest first."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packaging.version import Version

from leakbench.bisect.commits import FORMS, commit_hash, commits_between, split_commit
from leakbench.bisect.releases import releases_between, split_release
from leakbench.errors import ConfigError, SubjectSpecError


class Candidate(Protocol):
    """One release or commit."""

    @property
    def label(self) -> str:
        """A short name: where it stands on an axis."""

    @property
    def name(self) -> str:
        """What names it in every report and files its measurements."""

    @property
    def detail(self) -> str:
        """More to say of it, such as a commit's first line; may be empty."""

    def materialise(self) -> AbstractContextManager[tuple[str, tuple[Path, ...]]]:
        """Make it ready to be resolved: its spec, and folders to put on the import path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Candidates between two ends, both included."""

    candidates: tuple[Candidate, ...]
    """Oldest first."""
    good: int
    """Position of the end that is said not to leak."""
    bad: int
    """Position of the end that is said to leak."""


def line_between(good: str, bad: str) -> Line:
    """Return every release or commit between two specs of the same kind.

    Raises
    ------
    SubjectSpecError
        When one is no release or commit, they are of different kinds, or the same.
    ProvisionError
        When the index cannot be read.
    """
    if "==" in good + bad or split_commit(good) is None:
        good_version, bad_version = split_release(good)[1], split_release(bad)[1]
        releases = releases_between(good, bad)
        versions = [Version(release.version) for release in releases]
        line = Line(
            candidates=releases,
            good=versions.index(good_version),
            bad=versions.index(bad_version),
        )
    else:
        commits = commits_between(good, bad)
        shas = [commit.sha for commit in commits]
        line = Line(
            candidates=commits, good=shas.index(commit_hash(good)), bad=shas.index(commit_hash(bad))
        )
    if line.good == line.bad:
        raise SubjectSpecError(f"{good} and {bad}: expected two different ones, got the same")
    return line


def split_range(text: str) -> tuple[str, str]:
    """Split ``SPEC..SPEC``.

    Raises
    ------
    ConfigError
        When `text` is not two specs with ``..`` between them.
    """
    first, dots, last = text.partition("..")
    # A checkout's path may begin or end in dots of its own: ../model:v1..../model:v2.
    if "@" in text or ".py:" in text:
        middle = len(text) // 2
        cuts = [i for i in range(len(text) - 1) if text[i : i + 2] == ".."]
        for cut in sorted(cuts, key=lambda i: abs(i - middle)):
            first, dots, last = text[:cut], "..", text[cut + 2 :]
            if split_commit(first) and split_commit(last):
                break
    if not dots or not first or not last:
        raise ConfigError(
            f"range must read SPEC..SPEC with PROJECT==VERSION, {FORMS}; got {text!r}"
        )
    return first, last


def thin(count: int, *, every: int = 1, at_most: int | None = None) -> tuple[int, ...]:
    """Return some of the positions of a line of `count`, always with both ends.

    Parameters
    ----------
    every
        Keep each n-th, counted from the oldest.
    at_most
        Keep this many at most, spread evenly; at least 2.
    """
    last = count - 1
    if at_most is not None and count > at_most:
        kept = {round(i * last / (at_most - 1)) for i in range(at_most)}
    else:
        kept = {*range(0, last + 1, every), last}
    return tuple(sorted(kept))
