"""The graph that autograd keeps behind a tensor: its nodes, and the memory they save.

A recurrent state that is fed outside ``torch.no_grad()`` and never detached drags the history of
the whole stream behind it. None of it is a Python object: the tensor itself stays as it is.

What a node saves is read as it was packed. Nothing is unpacked, so that no hook of
``saved_tensors_hooks`` runs and nothing is recomputed or copied; what such a hook packed is handed
back as the Python object it is. What a backward pass has freed weighs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import GetSetDescriptorType, MappingProxyType
from typing import Any, Final

from leakbench.probes.storage import Extents, open_tensor

_RAW: Final = "_raw_saved_"
"""How torch begins the names under which a node gives what it saves, packed."""


class Graph:
    """What is behind one tensor; made for one look, and gone with it."""

    __slots__ = ("node",)

    def __init__(self, node: Any) -> None:
        self.node = node
        """A tensor's ``grad_fn``."""


class Nodes(dict[int, Any]):
    """Nodes already counted, by id. Held, so that an id stays theirs during the walk."""

    __slots__ = ("leaves",)

    def __init__(self, nodes: Mapping[int, Any] = MappingProxyType({})) -> None:
        super().__init__(nodes)
        self.leaves = Extents()
        """Memory of the leaves met, which is there without the graph."""


def graph_of(tensor: Any) -> Graph | None:
    """Return the graph behind a tensor, None where there is none."""
    torch: Any = sys.modules["torch"]
    try:
        if type(tensor) is torch.Tensor:
            node = tensor.grad_fn
        else:
            # A subclass is not asked what its own methods mean.
            with torch._C.DisableTorchFunctionSubclass():
                node = tensor.grad_fn
    except Exception:
        return None  # a subclass that refuses
    return None if node is None else Graph(node)


def open_graph(graph: Graph, nodes: Nodes, extents: Extents) -> list[Any]:
    """Enter the nodes of `graph` that are not among `nodes` yet, and add what they save.

    Each storage counts once. The leaves, which are parameters as a rule, and what shares their
    memory are left out: they are there without the graph. So are parameters that are frozen.

    Returns
    -------
    The Python objects that the nodes which were new hold: what hooks have packed, and the
    attributes of functions of one's own.
    """
    saved = Extents()
    held: list[Any] = []
    waiting = [graph.node]
    while waiting:
        node = waiting.pop()
        if id(node) in nodes:
            continue
        nodes[id(node)] = node
        reader = _readers.get(type(node)) or _NodeReader.of(type(node))
        for following, _ in reader.next_functions(node):
            if following is not None:
                waiting.append(following)
        if reader.variable is not None:
            open_tensor(reader.variable(node), nodes.leaves)
            continue
        _open_node(node, reader, saved, held)
    for start, nbytes in saved.items():
        if start not in nodes.leaves:
            extents.add(start, nbytes)
    return held


def _open_node(node: Any, reader: _NodeReader, saved: Extents, held: list[Any]) -> None:
    for read in reader.saved:
        try:
            packed = read(node)
        except RuntimeError:
            continue  # freed by a backward pass
        for one in packed if type(packed) in (tuple, list) else (packed,):
            _open_saved(one, saved, held)
    if reader.has_attributes:
        held.extend(object.__getattribute__(node, "__dict__").values())


def _open_saved(packed: Any, saved: Extents, held: list[Any]) -> None:
    """Add the tensor in `packed`; what a hook has made of it, and the hook, go to `held`."""
    torch: Any = sys.modules["torch"]
    value = packed.data
    if value is None:
        return
    if not issubclass(type(value), torch.Tensor):
        held += (value, packed.unpack_hook)
    elif not issubclass(type(value), torch.nn.Parameter):
        open_tensor(value, saved)


class _NodeReader:
    """How every node of one type is read."""

    __slots__ = ("has_attributes", "next_functions", "saved", "variable")

    def __init__(self, cls: type) -> None:
        names = [name for name in dir(cls) if name.startswith(_RAW)]
        self.next_functions: Callable[[Any], Any] = _reader(cls, "next_functions")
        self.saved = tuple(_reader(cls, name) for name in names)
        """What it saves, each as torch has packed it, or a sequence of such."""
        self.variable: Callable[[Any], Any] | None = (
            _reader(cls, "variable") if hasattr(cls, "variable") else None
        )
        """Of a node that stands for a leaf, the leaf."""
        torch: Any = sys.modules["torch"]
        self.has_attributes = issubclass(cls, torch._C._FunctionBase)
        """Whether it is a function written in Python, which may have set attributes."""

    @staticmethod
    def of(cls: type) -> _NodeReader:
        reader = _NodeReader(cls)
        # A function of one's own has a type of its own, which may pass.
        if not reader.has_attributes:
            _readers[cls] = reader
        return reader


_readers: Final[dict[type, _NodeReader]] = {}
"""By type of node; as many as torch has operations."""


def _reader(cls: type, name: str) -> Callable[[Any], Any]:
    descriptor = next(vars(base)[name] for base in cls.__mro__ if name in vars(base))
    if type(descriptor) is GetSetDescriptorType:
        return descriptor.__get__
    return lambda node: object.__getattribute__(node, name)
