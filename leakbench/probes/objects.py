"""What every object reachable from a subject's roots weighs, by path.

Paths
-----
Attribute names and identifier keys are joined by dots: ``stats.decibel``,
``encoder.cache_layer_0``. Items of lists, tuples, sets and deques, and whatever else has no
name, share ``[]``: ``stats.output_data_buf[].buffer``. Values under keys that are not
identifiers share ``[*]``, and so do all values of a dict first seen with more than
`NAMES_AT_MOST` of them: it is a map, not a record. A name once given is kept; a record whose
keys are ever new has `NAMES_AT_MOST` of them named and the others in ``[*]``. Its growth
shows on its own path in any case.

Instances, containers and buffers have paths, and so have strings and whole numbers of
`NAMED_ATOM_BYTES` and more that have a name; other numbers, strings, enum members and the like
are counted in what holds them. Behind a tensor that autograd has recorded lies its graph:
``h.grad_fn``, whose elements are nodes and whose storage is what these save. Below
`DEPTH_AT_MOST` names, or once `PATHS_AT_MOST` paths are known, what is found is counted in the
nearest path above.

Sizes
-----
A path's sizes are those of everything reachable from the objects at that path, each object
and each piece of storage once, except that references back to an object on the way to the
path are not followed: a child does not weigh as much as its parent because it knows it.
``total`` is everything, its elements the number of distinct objects.

``python_bytes`` agrees with ``pympler.asizeof`` on lists, tuples, sets, dicts, numbers,
strings, bytes and instances, with attributes in a dict or in slots. It differs on purpose

- where asizeof does not look: items of deques and of subclasses of list, tuple and set, the
  attributes of a subclass of dict, objects of C types that it does not know, functions with
  what they close over and default to, and anything deeper than 100 references;
- where it does not tell memory from its owner: of arrays and tensors only the header is
  counted here, their content is storage;
- where it follows what is not kept alive, weak references, and where it asks the object
  itself, for ``__sizeof__`` or for a property;
- for a deque, whose blocks are counted by its length: it has one more or less according to
  where in a block it begins, so a full ring would hardly weigh the same twice.

Not entered: modules, classes, functions' globals, code, frames, tracebacks, loggers, threads,
``torch.nn.Module`` and ``torch.nn.Parameter``. A ``torch.nn.Module`` that is itself a root has
its own attributes and buffers walked, as its user asks for, but neither its parameters nor
the modules below it.

Reading an instance's attributes makes CPython give it a dict object, where it had kept its
attributes inline: about 64 bytes, once for each instance, which asizeof counts and causes as
well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import compress, repeat
from typing import Any, Final

from leakbench.metrics import TOTAL_PATH
from leakbench.probes.apart import run_apart
from leakbench.probes.autograd import Graph, Nodes, open_graph
from leakbench.probes.contents import Held, has_content, open_object
from leakbench.probes.crowds import open_crowd, part
from leakbench.probes.kinds import TypePlan, TypePlans
from leakbench.probes.reached import (
    ANY_KEY,
    NAMED_ATOM_BYTES,
    NAMELESS,
    NAMES_AT_MOST,
    Counted,
    Crowd,
    CrowdKey,
    Reached,
)
from leakbench.record.trace import ObjectSize

DEPTH_AT_MOST: Final = 6
"""Names in a path. ``stats.output_data_buf[].buffer`` has 4."""
PATHS_AT_MOST: Final = 256
"""Paths of one probe, so that a trace line stays a few KiB."""

_SHARED_NAMES: Final = frozenset({NAMELESS, ANY_KEY})

_plans: Final = TypePlans()


def measure_objects(roots: Mapping[str, object]) -> dict[str, ObjectSize]:
    """Return the size of everything reachable from `roots`, by path, and of ``total``.

    A root called like a path of the trace's own (``total``) is renamed ``roots.total``.
    An `ObjectProbe` keeps path names stable from one look to the next; this is one look.
    """
    return ObjectProbe().measure(roots)


class ObjectProbe:
    """Measures the same roots again and again, under the same names.

    Remembers names, at most `PATHS_AT_MOST` of them, and nothing of what it walked.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._maps: set[str] = set()
        self._names: dict[str, int] = {}

    def measure(self, roots: Mapping[str, object]) -> dict[str, ObjectSize]:
        """Return the size of everything reachable from `roots`, by path, and of ``total``."""
        everything = Reached(_plans)
        nodes = [
            _Node(
                f"roots.{name}" if name == TOTAL_PATH else name, {id(root): root}, None, everything
            )
            for name, root in list(roots.items())
        ]
        for node in nodes:  # grows while it is read: breadth first, so short paths come first
            nodes.extend(self._visit(node))
        sizes = {}
        for node in reversed(nodes):
            sizes[node.path] = _size(node.elements, node.reached)
            above = node.parent.reached if node.parent is not None else everything
            above.merge(node.reached)
        sizes = dict(reversed(sizes.items()))
        sizes[TOTAL_PATH] = _size(everything.objects(), everything)
        return sizes

    def _visit(self, node: _Node) -> list[_Node]:
        """Open the objects at `node` and return the nodes of what they hold by name."""
        groups: dict[str, _Group] = {}
        unnamed: list[Any] = []
        for head in node.heads.values():
            plan = _plans.of(type(head))
            if plan.is_excluded and not (node.parent is None and plan.is_layers):
                continue
            elements, held = _open_safely(head, plan, node.reached)
            node.elements += elements
            for found in held:
                if isinstance(found, Crowd) and found.keys is not None:
                    found = self._without_named(found, node, groups, unnamed)
                _place(found, node.reached, groups, unnamed)
        for crowd in node.crowds:
            for found in _open_crowd_safely(crowd, node.reached):
                node.elements += 0 if found.is_of_keys else len(found.items)
                _place(found, node.reached, groups, unnamed)
        node.crowds.clear()
        node.elements += _count_graphs(node.reached)
        children = self._named(node, groups, unnamed) if groups else []
        if unnamed:
            _swallow(unnamed, node)
            _count_graphs(node.reached)
        return children

    def _without_named(
        self, crowd: Crowd, node: _Node, groups: dict[str, _Group], unnamed: list[Any]
    ) -> Crowd:
        """Return a map's values but for those that have a name of their own from earlier on."""
        keys = crowd.keys or []
        if not self._names.get(node.path):
            return crowd._replace(keys=None)
        is_named = bytes(_is_named(key) and _join(node.path, key) in self._known for key in keys)
        named = compress(zip(keys, crowd.items, strict=True), is_named)
        _sort(named, node.reached, groups, unnamed)
        # In place: another list would hold the items as well.
        crowd.items[:] = [
            item for item, known in zip(crowd.items, is_named, strict=True) if not known
        ]
        return crowd._replace(keys=None)

    def _named(self, node: _Node, groups: dict[str, _Group], unnamed: list[Any]) -> list[_Node]:
        """Return the children of `node`; what gets no path goes to `unnamed`."""
        known = self._known
        line = node.line()
        children = []
        for name in self._overflowing(node.path, groups):
            groups.setdefault(ANY_KEY, _Group()).add(groups.pop(name))
        for name, group in groups.items():
            for above in line:
                if not above.heads.keys().isdisjoint(group.heads):
                    for key in group.heads.keys() & above.heads.keys():
                        del group.heads[key]
            if not group.heads and not group.crowds:
                continue
            path = _join(node.path, name)
            if path not in known:
                if node.depth >= DEPTH_AT_MOST or len(known) >= PATHS_AT_MOST:
                    unnamed += [*group.heads.values(), *group.crowds]
                    continue
                known.add(path)
                if name not in _SHARED_NAMES:
                    self._names[node.path] = self._names.get(node.path, 0) + 1
            children.append(_Node(path, group.heads, node, node.reached, group.crowds))
        return children

    def _overflowing(self, path: str, groups: Mapping[str, object]) -> list[str]:
        """Return the names in `groups` that `path` has no room for."""
        named = self._names.get(path, 0)
        if path not in self._maps and named + len(groups) <= NAMES_AT_MOST:
            return []
        new = [
            name
            for name in groups
            if name not in _SHARED_NAMES and _join(path, name) not in self._known
        ]
        if named == 0 and len(new) > NAMES_AT_MOST:
            self._maps.add(path)
        return new[0 if path in self._maps else NAMES_AT_MOST - named :]


def _join(path: str, name: str) -> str:
    return path + name if name in _SHARED_NAMES else f"{path}.{name}"


class _Group:
    """Objects of one name."""

    __slots__ = ("crowds", "heads")

    def __init__(self) -> None:
        self.heads: dict[int, Any] = {}
        self.crowds: list[Crowd] = []

    def add(self, other: _Group) -> None:
        """Add those of another name."""
        self.heads.update(other.heads)
        self.crowds += other.crowds


class _Node:
    """A path and, while it is being measured, the objects found there."""

    __slots__ = ("crowds", "depth", "elements", "heads", "parent", "path", "reached")

    def __init__(
        self,
        path: str,
        heads: dict[int, Any],
        parent: _Node | None,
        walk: Reached,
        crowds: list[Crowd] | None = None,
    ) -> None:
        self.path = path
        self.heads = heads
        """Objects at this path, by id; held, so that an id stays theirs during the walk."""
        self.crowds = crowds or []
        """Objects at this path that nothing can refer back to."""
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 1
        self.elements = 0
        self.reached = Reached(_plans, walk)

    def line(self) -> list[_Node]:
        """Return this node and those above it."""
        nodes = [self]
        while nodes[-1].parent is not None:
            nodes.append(nodes[-1].parent)
        return nodes


def _place(
    found: Held, reached: Reached, groups: dict[str, _Group] | None, unnamed: list[Any]
) -> None:
    """Count the atoms of `found`; put the rest into `groups` by name, or into `unnamed`."""
    if not isinstance(found, Crowd):
        _sort(found, reached, groups, unnamed)
        return
    crowds, others = part(found, reached)
    if groups is None or found.name is None:
        unnamed += crowds
    elif crowds:
        groups.setdefault(found.name, _Group()).crowds += crowds
    _sort(zip(repeat(found.name), others), reached, groups, unnamed)


def _sort(
    pairs: Iterable[tuple[Any, Any]],
    reached: Reached,
    groups: dict[str, _Group] | None,
    unnamed: list[Any],
) -> None:
    """Do the same for objects one by one, by their names."""
    plan_of = _plans.get
    nbytes = reached.bytes
    for name, item in pairs:
        cls = type(item)
        plan = plan_of(id(cls)) or _plans.of(cls)
        if plan.is_atom:
            key = id(item)
            weight = plan.fixed_bytes or plan.size(item)
            if weight >= NAMED_ATOM_BYTES and groups is not None and _is_named(name):
                groups.setdefault(name, _Group()).heads[key] = item
            elif key not in nbytes:
                nbytes[key] = weight
        elif plan.is_excluded:
            continue
        elif (
            groups is None
            or name is None
            or not plan.has_path
            or (plan.may_be_empty and not has_content(item, plan, _plans))
        ):
            unnamed.append(item)
        else:
            if name is not NAMELESS and not _is_named(name):
                name = ANY_KEY
            group = groups.get(name)
            if group is None:
                group = groups[name] = _Group()
            group.heads[id(item)] = item


def _is_named(name: Any) -> bool:
    return type(name) is str and name.isidentifier()


def _swallow(unnamed: list[Any], node: _Node) -> None:
    """Count everything reachable from `unnamed` at `node`, however deep it goes."""
    reached = node.reached
    line = node.line()
    while unnamed:
        item = unnamed.pop()
        if type(item) is Crowd:
            for crowd in _open_crowd_safely(item, reached):
                _place(crowd, reached, None, unnamed)
            continue
        if id(item) in reached.bytes or any(id(item) in above.heads for above in line):
            continue
        for pairs in _open_safely(item, _plans.of(type(item)), reached)[1]:
            _place(pairs, reached, None, unnamed)


def _open_safely(obj: Any, plan: TypePlan, reached: Reached) -> tuple[int, list[Held]]:
    try:
        return open_object(obj, plan, reached)
    except Exception:
        # Whatever a subject's object does, a run of hours does not end for it: it then
        # weighs what was counted before it raised, the same each time.
        reached.bytes.setdefault(id(obj), 0)
        return 0, []


def _open_crowd_safely(crowd: Crowd, reached: Reached) -> Iterator[Crowd]:
    try:
        yield from open_crowd(crowd, reached)
    except Exception:
        return  # as of one object


def _count_graphs(reached: Reached) -> int:
    """Count the autograd graphs that were met, with what they save, and return their nodes.

    In a fork: torch makes a Python object for each node that it is asked for, and keeps it as long
    as the node. A long graph with such objects is freed by recursion, which overflows the stack.
    """
    graphs, reached.graphs = reached.graphs, []
    if not graphs:
        return 0
    try:
        nodes, extents, nbytes, crowds = run_apart(partial(_walk_graphs, graphs))
    except (RuntimeError, OSError):
        return 0
    for start, length in extents:
        reached.extents.add(start, length)
    reached.bytes.update(nbytes)
    reached.crowds.update((key, Counted(*counted)) for key, *counted in crowds)
    return int(nodes)


def _walk_graphs(
    graphs: Sequence[Graph],
) -> tuple[int, list[tuple[int, int]], list[tuple[int, int]], list[tuple[CrowdKey, int, int]]]:
    """Return the nodes of `graphs`, the storage they save, and the objects they hold."""
    apart = Reached(_plans)
    seen = Nodes()
    held: list[Any] = []
    for graph in graphs:
        held += open_graph(graph, seen, apart.extents)
    while held:
        item = held.pop()
        plan = _plans.of(type(item))
        if isinstance(item, Crowd):
            for crowd in _open_crowd_safely(item, apart):
                _place(crowd, apart, None, held)
        elif id(item) not in apart.bytes and not plan.is_excluded:
            for found in _open_safely(item, plan, apart)[1]:
                _place(found, apart, None, held)
    return (
        len(seen),
        list(apart.extents.items()),
        list(apart.bytes.items()),
        [(key, *counted) for key, counted in apart.crowds.items()],
    )


def _size(elements: int, reached: Reached) -> ObjectSize:
    return ObjectSize(elements, reached.nbytes(), reached.extents.total_bytes())
