"""What grows, who holds it and which lines allocate it, as data: ``explanation.json``.

Fields are only ever added; readers ignore what they do not know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from leakbench.record.files import build, list_of, read_mapping, write_json

EXPLANATION_FILE: Final = "explanation.json"
SCHEMA: Final = "leakbench.explanation/1"

Unit: TypeAlias = Literal["chunk", "segment", "stream", "hour"]
Quantity: TypeAlias = Literal["items", "bytes", "objects", "nodes"]
GrowthKind: TypeAlias = Literal["container", "buffer", "objects", "graph", "unheld"]
"""A container that got more items, a buffer that got larger or was replaced by a larger one,
more objects of a type that no one container holds, such as a chain, an autograd graph that a tensor
keeps, or memory of Python that no object was found to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One step of the chain of references that keeps something alive."""

    name: str
    """How the step before refers to it: an attribute, a key, ``[]``; the first step's root."""
    type: str
    """Its type, ``module.Name`` without ``builtins.``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """A line of code, of Python or of C."""

    file: str
    """Empty where it is not known."""
    line: int
    """0 where it is not known."""
    function: str
    """Qualified name of the function the line is in; empty at the top of a module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationLine:
    """A line of Python whose allocations stayed: the innermost of the subject's own code."""

    file: str
    line: int
    function: str
    """Qualified name of the function the line is in; empty at the top of a module."""
    source: str
    """The line itself, stripped; empty where its file cannot be read."""
    share: float
    """Of the bytes of what it is listed under, 0 to 1."""
    bytes_per_hour: float
    """Bytes an audio-hour."""
    note: str = ""
    """What it allocates, where the line alone misleads."""
    through: tuple[CodeLine, ...] = ()
    """Lines of libraries that it called, the innermost last: the one that allocated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One thing that grows with what is driven."""

    path: str
    """Object path as in the trace; empty for what no root of the subject reaches."""
    kind: GrowthKind
    type: str
    """Type of the container, buffer or objects that grow."""
    amount: float
    """Items, bytes (of a buffer) or objects for each `per`."""
    per: Unit
    quantity: Quantity
    bytes_per_hour: float
    """Bytes an audio-hour, with everything that is held through it."""
    chain: str
    """The references that hold it, to be read: ``AutoModel.model.writer.keys``."""
    holders: tuple[Holder, ...] = ()
    """The same step by step, from the root."""
    allocations: tuple[AllocationLine, ...] = ()
    """Lines that made what stayed, most bytes first."""
    seen_once: bool = False
    """Whether it is too rare for the second drive; its rate is then the measured run's."""

    @property
    def inside_roots(self) -> bool:
        """Whether the subject's roots reach it, so that the trace shows it too."""
        return bool(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Things of the process that are no objects, of which ever more are open."""

    metric: str
    """That counts them, as in the catalogue: ``descriptors``, ``threads``, ..."""
    what: str
    """``pipe``, ``socket``, ``file``, ``thread``, ``zombie``, ``mapping``, ..."""
    example: str
    """Name of the newest: a path, a thread's name, a program; empty where they have none."""
    amount: float
    """How many more for each `per`."""
    per: Unit
    count_per_hour: float
    """How many more an audio-hour."""
    bytes_per_hour: float = 0.0
    """Bytes an audio-hour, of what has a size: mappings, temporary files."""
    openers: tuple[AllocationLine, ...] = ()
    """Lines that opened them, by their share of what was opened; what is missing to 1 was opened
    out of Python's sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeGrowth:
    """Memory that C code allocates in one place, ever more of which is not freed."""

    bytes_per_hour: float
    """Bytes an audio-hour."""
    amount: float
    """Bytes for each `per`."""
    per: Unit
    frames: tuple[CodeLine, ...]
    """Functions of C on the stack, innermost first; none where only the line was seen."""
    line: AllocationLine | None = None
    """The line of Python that called them; None where there is none, as in a thread of C."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that a second drive of a leaking cell could say about the leak."""

    cell: str
    """Identity of the cell in the run."""
    subject: str
    scenario: str
    growths: tuple[Growth, ...]
    """Most bytes first."""
    allocations: tuple[AllocationLine, ...] = ()
    """Lines with the most bytes over everything that grew, in all of Python and in tensors."""
    native_bytes_per_hour: float | None = None
    """Growth of the heap in the measured run that no object explains; None where there is
    none to speak of."""
    heap_bytes_per_hour: float | None = None
    """Growth of the heap in the measured run."""
    objects_bytes_per_hour: float | None = None
    """Growth of what the roots reach in the measured run."""
    opened: tuple[Opened, ...] = ()
    """What of the process stays open, most an hour first."""
    native: tuple[NativeGrowth, ...] = ()
    """Where native memory is allocated, most bytes first."""
    no_memray_in: str = ""
    """The interpreter that had no memray to say which functions of C allocate; empty where it had
    one, or needed none."""
    busy: tuple[AllocationLine, ...] = ()
    """Lines at which a chunk spends its processor time, where each costs more than the last."""
    chunks: int = 0
    """Chunks between the first and the last census."""
    audio_seconds: float = 0.0
    """Audio between the first and the last census."""
    wall_seconds: float = 0.0
    """How long the explaining worker took, loading included."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the packages the subject is made of."""
    error: str = ""
    """Why there is no explanation, where the second drive failed."""
    schema: str = SCHEMA


def write_explanation(folder: Path, explanation: Explanation) -> None:
    """Write ``explanation.json`` into a cell's folder."""
    data = dataclasses.asdict(explanation)
    write_json(folder / EXPLANATION_FILE, {"schema": data.pop("schema"), **data})


def read_explanation(folder: Path) -> Explanation | None:
    """Return the explanation in a cell's folder, or None where there is none.

    Raises
    ------
    OutputError
        When the file is not what `write_explanation` writes.
    """
    path = folder / EXPLANATION_FILE
    if not path.exists():
        return None
    data = read_mapping(path)
    return build(
        Explanation,
        data,
        path,
        growths=tuple(growth_of(row, path) for row in list_of(data, "growths", path)),
        allocations=lines_of(list_of(data, "allocations", path), path),
        opened=tuple(opened_of(row, path) for row in list_of(data, "opened", path)),
        native=tuple(native_of(row, path) for row in list_of(data, "native", path)),
        busy=lines_of(list_of(data, "busy", path), path),
    )


def growth_of(row: Any, where: object = "growth") -> Growth:
    """Return a growth from its JSON."""
    holders = tuple(build(Holder, step, where) for step in list_of(row, "holders", where))
    allocations = lines_of(list_of(row, "allocations", where), where)
    return build(Growth, row, where, holders=holders, allocations=allocations)


def opened_of(row: Any, where: object = "opened") -> Opened:
    """Return what stays open from its JSON."""
    return build(Opened, row, where, openers=lines_of(list_of(row, "openers", where), where))


def native_of(row: Any, where: object = "native") -> NativeGrowth:
    """Return native growth from its JSON."""
    frames = _code(list_of(row, "frames", where), where)
    line = next(iter(lines_of([row["line"]], where)), None) if row.get("line") else None
    return build(NativeGrowth, row, where, frames=frames, line=line)


def lines_of(rows: Iterable[Any], where: object = "lines") -> tuple[AllocationLine, ...]:
    """Return lines from their JSON."""
    return tuple(
        build(AllocationLine, row, where, through=_code(list_of(row, "through", where), where))
        for row in rows
    )


def _code(rows: Iterable[Any], where: object) -> tuple[CodeLine, ...]:
    return tuple(build(CodeLine, row, where) for row in rows)
