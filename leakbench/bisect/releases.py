"""The releases of a project on the package index, oldest first, as pip sees them.

pip is asked, with whatever configuration the user gave it: the same index, mirror or folder of
wheels that the releases are then installed from.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from leakbench.errors import ConfigError, ProvisionError, SubjectSpecError
from leakbench.record.files import write_json
from leakbench.subject.environments import cache_folder, run_pip
from leakbench.subject.resolution import families, resolve_alias

FRESH_SECONDS: Final = 24 * 3600.0
"""How long a listing is believed: projects release by the day, and asking takes seconds."""
_AVAILABLE: Final = re.compile(r"^Available versions: (.*)$", re.MULTILINE)
_PROJECT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NEAREST: Final = 2
"""Releases to name on each side of one that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of a project."""

    project: str
    version: str

    @property
    def label(self) -> str:
        """Its version."""
        return self.version

    @property
    def name(self) -> str:
        """The spec it is driven by."""
        return f"{self.project}=={self.version}"

    @property
    def detail(self) -> str:
        """Nothing more is known of a release than its name."""
        return ""

    @contextmanager
    def materialise(self) -> Iterator[tuple[str, tuple[Path, ...]]]:
        """Yield the spec: a release is installed by whoever resolves it."""
        yield self.name, ()


def list_releases(
    project: str, *, refresh: bool = False, pre: bool = False, cache: Path | None = None
) -> tuple[Release, ...]:
    """Return the releases of `project` that this Python can install, oldest first.

    Parameters
    ----------
    project
        Name of a distribution.
    refresh
        Whether to ask the index although a listing of today is at hand.
    pre
        Whether to list pre-releases too.
    cache
        Cache folder; that of `leakbench.subject.environments` where None.

    Raises
    ------
    ConfigError
        When `project` cannot be the name of a distribution.
    ProvisionError
        When the index cannot be reached or has no such project.
    """
    if not _PROJECT.fullmatch(project):
        raise ConfigError(
            f"project must be the name of a distribution, such as numpy; got {project!r}"
        )
    cache = cache or cache_folder()
    listing = cache / "index" / f"{_listing_name(project, pre)}.json"
    versions = None if refresh else _read_fresh(listing)
    if versions is None:
        arguments = ["index", "versions", *(["--pre"] if pre else []), project]
        output = run_pip(arguments, what=project, log=cache / "logs" / f"index-{project}.log")
        versions = parse_versions(output, project)
        try:
            listing.parent.mkdir(parents=True, exist_ok=True)
            write_json(listing, versions)
        except OSError as error:
            raise ProvisionError(f"{listing}: cannot be written: {error.strerror}") from error
    return tuple(Release(project=project, version=version) for version in versions)


def parse_versions(output: str, project: str) -> list[str]:
    """Return the versions in what ``pip index versions`` printed, in the order of PEP 440.

    Raises
    ------
    ProvisionError
        When there are none; what is no PEP 440 version is left out, pip could not install it.
    """
    match = _AVAILABLE.search(output)
    versions = {}
    for text in match[1].split(",") if match else ():
        try:
            versions[Version(text.strip())] = text.strip()
        except InvalidVersion:
            continue
    if not versions:
        raise ProvisionError(
            f"{project}: pip listed no releases; expected a line `Available versions: ...`"
        )
    return [versions[version] for version in sorted(versions)]


def releases_between(first: str, last: str) -> tuple[Release, ...]:
    """Return every release from the spec `first` to the spec `last`, oldest first.

    Raises
    ------
    SubjectSpecError
        When they are of different projects, or one is not on the index.
    ProvisionError
        When the index cannot be read.
    """
    (project, one), (other, two) = split_release(first), split_release(last)
    if canonicalize_name(project) != canonicalize_name(other):
        raise SubjectSpecError(
            f"{first} and {last}: expected two releases of one project, got {project} and {other}"
        )
    pre = one.is_prerelease or two.is_prerelease
    releases = list_releases(project, pre=pre)
    if not {one, two} <= {Version(release.version) for release in releases}:
        # It may have come out since the listing was made.
        releases = list_releases(project, pre=pre, refresh=True)
    for version in (one, two):
        _check_listed(project, version, releases)
    low, high = sorted((one, two))
    return tuple(release for release in releases if low <= Version(release.version) <= high)


def split_release(spec: str) -> tuple[str, Version]:
    """Split ``project==version``, or the alias of one.

    Raises
    ------
    SubjectSpecError
        When `spec` is not of that form.
    """
    spec = resolve_alias(spec)
    project, equals, text = spec.partition("==")
    try:
        if equals and _PROJECT.fullmatch(project):
            return project, Version(text)
    except InvalidVersion:
        pass
    raise SubjectSpecError(f"{spec}: expected PROJECT==VERSION, such as numpy==2.0.0")


def projects_of_families() -> tuple[str, ...]:
    """Return the projects whose releases the installed families drive, by their aliases."""
    specs = (spec for family in families() for spec in family.aliases().values())
    return tuple(dict.fromkeys(spec.partition("==")[0] for spec in specs if "==" in spec))


def _check_listed(project: str, version: Version, releases: Sequence[Release]) -> None:
    known = [Version(release.version) for release in releases]
    if version in known:
        return
    place = sum(other < version for other in known)
    near = releases[max(0, place - _NEAREST) : place + _NEAREST]
    raise SubjectSpecError(
        f"{project}=={version}: not on the index; the nearest are "
        f"{', '.join(release.version for release in near)}; see `leakbench releases {project}`"
    )


def _listing_name(project: str, pre: bool) -> str:
    # Another index, or another Python, has other releases.
    asked = [sys.version, *(f"{k}={v}" for k, v in sorted(os.environ.items()) if k[:4] == "PIP_")]
    digest = hashlib.sha256("\n".join([*asked, str(pre)]).encode()).hexdigest()[:12]
    return f"{canonicalize_name(project)}-{digest}"


def _read_fresh(listing: Path) -> list[str] | None:
    try:
        if time.time() - listing.stat().st_mtime > FRESH_SECONDS:
            return None
        versions = json.loads(listing.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    # One that is broken is asked for again.
    is_whole = isinstance(versions, list) and all(isinstance(each, str) for each in versions)
    return versions if is_whole else None
