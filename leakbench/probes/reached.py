"""What was reached so far from one path, each object once."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

from leakbench.probes.autograd import Graph
from leakbench.probes.kinds import TypePlans
from leakbench.probes.storage import Extents

NAMELESS: Final = "[]"
"""The name of what has none."""
ANY_KEY: Final = "[*]"
"""The name that values of a map share."""
NAMES_AT_MOST: Final = 32
"""Named children of one path. FunASR's caches have 10; a map has hundreds."""
NAMED_ATOM_BYTES: Final = 256
"""From here on a string or number has a path of its own, where it has a name: one that grows, such
as a transcript, is there soon; a short one is counted in what holds it."""

CrowdKey: TypeAlias = tuple[object, ...]
"""The id of a container, and the way from it to a crowd: the same from whichever path."""


class Crowd(NamedTuple):
    """Many objects that were found in one place, and are looked at together."""

    name: str | None
    """They share; None where they get no path of their own."""
    items: list[Any]
    key: CrowdKey
    keys: list[Any] | None = None
    """Of a dict whose values these are, where some of them may be names."""
    is_of_keys: bool = False
    """Whether these are the keys of dicts, and so no elements of theirs."""


class Counted(NamedTuple):
    """Objects that need not be told apart, as nothing else can reach them."""

    objects: int
    nbytes: int


class Reached:
    """What was reached so far from one path."""

    __slots__ = ("bytes", "crowds", "extents", "graphs", "plans", "shared")

    def __init__(self, plans: TypePlans, walk: Reached | None = None) -> None:
        self.plans = plans
        """How objects are read."""
        self.shared: dict[CrowdKey, bytes] = {} if walk is None else walk.shared
        """Which objects of a crowd something else refers to as well, as first seen in this walk:
        later on the walk itself may hold some."""
        self.bytes: dict[int, int] = {}
        """Bytes of each object, by id, but for those in `crowds`."""
        self.crowds: dict[CrowdKey, Counted] = {}
        """Objects that only one other object refers to, which is known itself."""
        self.extents = Extents()
        """Storage pinned."""
        self.graphs: list[Graph] = []
        """Autograd graphs, which are counted later and apart."""

    def merge(self, other: Reached) -> None:
        """Add what `other` reached; `other` is of no use afterwards."""
        if len(other.bytes) > len(self.bytes):
            self.bytes, other.bytes = other.bytes, self.bytes
        self.bytes.update(other.bytes)
        self.crowds.update(other.crowds)
        if other.extents:
            self.extents.merge(other.extents)

    def objects(self) -> int:
        """Return how many objects were reached."""
        return len(self.bytes) + sum(counted.objects for counted in self.crowds.values())

    def nbytes(self) -> int:
        """Return the bytes of all objects, without storage."""
        return sum(self.bytes.values()) + sum(counted.nbytes for counted in self.crowds.values())
