"""The commits of a local checkout, each looked at in a worktree of its own.

``git worktree`` checks a commit out into a temporary folder, so that the user's working tree,
index and current branch are never touched, and what is not committed is not measured. Hooks
are not run.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leakbench.errors import ProvisionError, SubjectSpecError
from leakbench.runner.keeping import KeptFolder, forget_worktrees_of

FORMS: Final = "NAME@CHECKOUT:REV or path/to/file.py:NAME:REV"
_SHORT: Final = 10
"""Characters of a commit's hash that are shown: enough to be unique in any project so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A subject as it was at one commit."""

    checkout: Path
    """Top folder of the user's checkout."""
    sha: str
    prefix: str
    """Of the spec, before the path: ``NAME@`` or nothing."""
    inside: str
    """Path of the spec, relative to the checkout's top folder."""
    suffix: str
    """Of the spec, after the path: nothing or ``:NAME``."""
    detail: str
    """First line of the commit's message."""

    @property
    def label(self) -> str:
        """Start of its hash."""
        return self.sha[:_SHORT]

    @property
    def name(self) -> str:
        """The spec with the commit in the path's place."""
        where = self.inside if self.suffix else self.checkout.name
        return f"{self.prefix}{where}{self.suffix}:{self.label}"

    @contextmanager
    def materialise(self) -> Iterator[tuple[str, tuple[Path, ...]]]:
        """Check the commit out and yield a spec that points there, and folders to import from.

        Raises
        ------
        ProvisionError
            When git cannot make the worktree.
        """
        scratch = KeptFolder("leakbench-worktree-")
        forget_worktrees_of(self.checkout)
        tree = Path(scratch.name) / self.checkout.name
        try:
            _git(self.checkout, "worktree", "add", "--detach", "--quiet", str(tree), self.sha)
            # What the subject imports of its own repository must be of this commit too.
            folders = tuple(folder for folder in (tree, tree / "src") if folder.is_dir())
            yield f"{self.prefix}{tree / self.inside}{self.suffix}", folders
        finally:
            # Ends in any case: what git has forgotten is pruned below.
            with contextlib.suppress(ProvisionError):
                _git(self.checkout, "worktree", "remove", "--force", str(tree))
            scratch.cleanup()
            with contextlib.suppress(ProvisionError):
                _git(self.checkout, "worktree", "prune")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSpec:
    """A spec with a revision, taken apart."""

    prefix: str
    path: Path
    suffix: str
    revision: str


def split_commit(spec: str) -> CommitSpec | None:
    """Split ``NAME@CHECKOUT:REV`` or ``path/to/file.py:NAME:REV``; None where it is neither.

    No revision of a commit holds a colon, so the last one ends the spec of the subject.
    """
    subject, colon, revision = spec.rpartition(":")
    if not colon or not revision:
        return None
    location, _, name = subject.rpartition(":")
    if location.endswith(".py") and name.isidentifier():
        return CommitSpec(prefix="", path=Path(location), suffix=f":{name}", revision=revision)
    family, at, path = subject.partition("@")
    if at and family and path:
        return CommitSpec(prefix=f"{family}@", path=Path(path), suffix="", revision=revision)
    return None


def commits_between(first: str, last: str) -> tuple[Commit, ...]:
    """Return the commits from the spec `first` to the spec `last`, oldest first.

    Mainline only (first parents), where the older one is on the newer one's mainline; else
    every commit that is a descendant of the one and an ancestor of the other.

    Raises
    ------
    SubjectSpecError
        When the two are not of one checkout, one is no commit, or neither descends from the
        other.
    """
    one, two = split_commit(first), split_commit(last)
    if one is None or two is None:
        raise SubjectSpecError(f"{first if one is None else last}: expected {FORMS}")
    path = _existing(one.path, first)
    if path != _existing(two.path, last) or (one.prefix, one.suffix) != (two.prefix, two.suffix):
        raise SubjectSpecError(f"{first} and {last}: expected one subject at two commits")
    top = _top_folder(path, first)
    shas = [_commit_hash(top, spec.revision, text) for spec, text in ((one, first), (two, last))]
    older, newer = _by_age(top, shas[0], shas[1], f"{first} and {last}")
    listed = _line_between(top, older, newer)
    return tuple(
        Commit(
            checkout=top,
            sha=sha,
            prefix=one.prefix,
            inside=str(path.relative_to(top)),
            suffix=one.suffix,
            detail=summary,
        )
        for sha, summary in listed
    )


def commit_hash(spec: str) -> str:
    """Return the full hash of the commit that `spec` names.

    Raises
    ------
    SubjectSpecError
        When it names none.
    """
    parts = split_commit(spec)
    if parts is None:
        raise SubjectSpecError(f"{spec}: expected {FORMS}")
    return _commit_hash(_top_folder(_existing(parts.path, spec), spec), parts.revision, spec)


def _existing(path: Path, spec: str) -> Path:
    whole = path.expanduser().resolve()
    if not whole.exists():
        raise SubjectSpecError(f"{spec}: {path} is not there")
    return whole


def _top_folder(path: Path, spec: str) -> Path:
    folder = path if path.is_dir() else path.parent
    try:
        return Path(_git(folder, "rev-parse", "--show-toplevel").strip()).resolve()
    except ProvisionError as error:
        raise SubjectSpecError(f"{spec}: {folder} is not in a git checkout: {error}") from error


def _commit_hash(top: Path, revision: str, spec: str) -> str:
    try:
        return _git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    except ProvisionError as error:
        raise SubjectSpecError(f"{spec}: no commit {revision!r} in {top}") from error


def _by_age(top: Path, one: str, two: str, specs: str) -> tuple[str, str]:
    base = _git(top, "merge-base", one, two).strip() if one != two else one
    if base == one:
        return one, two
    if base == two:
        return two, one
    raise SubjectSpecError(
        f"{specs}: neither commit descends from the other; "
        f"bisect from where they part, {base[:_SHORT]}, to each"
    )


def _line_between(top: Path, older: str, newer: str) -> list[tuple[str, str]]:
    """Return hash and summary of each commit of the line, `older` first."""
    span = f"{older}..{newer}"
    form = "--format=%H %s"
    mainline = _log(top, "--first-parent", "--reverse", form, span)
    parent = f"{mainline[0][0]}^" if mainline else newer
    if not mainline or _git(top, "rev-parse", parent).strip() == older:
        return [*_log(top, "-1", form, older), *mainline]
    whole = _log(top, "--ancestry-path", "--topo-order", "--reverse", form, span)
    return [*_log(top, "-1", form, older), *whole]


def _log(top: Path, *arguments: str) -> list[tuple[str, str]]:
    lines = _git(top, "log", *arguments).splitlines()
    return [(sha, summary) for sha, _, summary in (line.partition(" ") for line in lines)]


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise ProvisionError("git: not found; bisecting commits needs it on the PATH") from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        what = lines[-1] if lines else f"status {done.returncode}"
        raise ProvisionError(f"git {arguments[0]} in {folder}: {what}")
    return done.stdout
