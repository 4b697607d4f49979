"""From a subject spec to something a worker can build.

Families of specs (``funasr==X``) come from the entry-point group ``leakbench.subjects``:
each is a module with the functions of :class:`Family`. What no family claims is
``package.module:NAME`` or ``path/to/file.py:NAME``.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol, cast

from leakbench.errors import SubjectSpecError
from leakbench.subject import ResolvedSubject

ENTRY_POINT_GROUP: Final = "leakbench.subjects"


class Family(Protocol):
    """A family of subject specs."""

    def claims(self, spec: str) -> bool:
        """Whether `spec` is one of this family's."""

    def resolve(
        self, spec: str, *, model: str, chunk_ms: int, generate: Mapping[str, object]
    ) -> ResolvedSubject:
        """Make `spec` ready to run, installing what it takes."""

    def aliases(self) -> Mapping[str, str]:
        """Return the short names of the family and what each stands for."""

    def remedies(self, spec: str, versions: Mapping[str, str]) -> Sequence[str]:
        """Return what may follow ``+`` in `spec`; empty where that is nothing."""


@functools.cache
def families() -> tuple[Family, ...]:
    """Return every installed family of subject specs."""
    return tuple(
        cast(Family, entry_point.load()) for entry_point in entry_points(group=ENTRY_POINT_GROUP)
    )


def resolve_alias(spec: str) -> str:
    """Return what a short name of any family stands for, or `spec` itself."""
    for family in families():
        spec = family.aliases().get(spec, spec)
    return spec


def list_remedies(spec: str, versions: Mapping[str, str]) -> tuple[str, ...]:
    """Return what may follow ``+`` in the spec of a subject, to bound what it holds.

    Parameters
    ----------
    spec
        Of the subject.
    versions
        What its process was seen to have loaded.
    """
    family = next((family for family in families() if family.claims(spec)), None)
    return tuple(family.remedies(spec, versions)) if family is not None else ()


def resolve_subject(
    spec: str, *, model: str, chunk_ms: int, generate: Mapping[str, object]
) -> ResolvedSubject:
    """Return what a worker needs to build the subject that `spec` names.

    Parameters
    ----------
    spec
        As the user wrote it.
    model
        Which model the subject loads, where its family has a choice.
    chunk_ms
        Length of a chunk.
    generate
        The scenario's arguments for each call, where the family passes any.

    Raises
    ------
    SubjectSpecError
        When the spec names nothing.
    ProvisionError
        When what it names cannot be installed.
    """
    for family in families():
        if family.claims(spec):
            return family.resolve(spec, model=model, chunk_ms=chunk_ms, generate=generate)
    location, colon, name = spec.rpartition(":")
    if not colon or not location or not name.isidentifier():
        known = ", ".join(alias for family in families() for alias in family.aliases())
        raise SubjectSpecError(
            f"subject {spec!r}: expected {known}, a release such as funasr==1.3.14, "
            "package.module:NAME or path/to/file.py:NAME; see `leakbench list subjects`"
        )
    if location.endswith(".py"):
        path = Path(location)
        if not path.is_file():
            raise SubjectSpecError(f"subject {spec!r}: no file {location}")
        location = str(path.resolve())
    return ResolvedSubject(spec=spec, factory=f"{location}:{name}", python=sys.executable)
