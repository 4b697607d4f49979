"""The graph that autograd keeps behind a tensor: its nodes, and the memory they save.

A recurrent state that is fed outside ``torch.no_grad()`` and never detached drags the history of
the whole stream behind it. None of it is a Python object: the tensor itself stays as it is.
"""

from __future__ import annotations

import sys
from typing import Any

from leakbench.probes.storage import Extents, open_tensor

_SAVED = "_saved_"


class Graph:
    """What is behind one tensor; made for one look, and gone with it."""

    __slots__ = ("node",)

    def __init__(self, node: Any) -> None:
        self.node = node
        """A tensor's ``grad_fn``."""


class Nodes(dict[int, Any]):
    """Nodes already counted, by id. Held, so that an id stays theirs during the walk."""


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


def open_graph(graph: Graph, nodes: Nodes, extents: Extents) -> int:
    """Count the nodes of `graph` that are not among `nodes` yet, and add what they save.

    Each storage counts once. The leaves, which are parameters as a rule, and what shares their
    memory are left out: they are there without the graph.

    Returns
    -------
    The nodes that were new.
    """
    before = len(nodes)
    saved = Extents()
    leaves = Extents()
    waiting = [graph.node]
    while waiting:
        node = waiting.pop()
        if id(node) in nodes:
            continue
        nodes[id(node)] = node
        variable = getattr(node, "variable", None)
        if variable is not None:
            open_tensor(variable, leaves)
            continue
        for tensor in _saved_tensors(node):
            open_tensor(tensor, saved)
        waiting.extend(following for following, _ in node.next_functions if following is not None)
    for start, nbytes in saved.items():
        if start not in leaves:
            extents.add(start, nbytes)
    return len(nodes) - before


_names: dict[type, tuple[str, ...]] = {}
"""Type of a node to the attributes it saves values under; as many as there are operations."""


def _saved_tensors(node: Any) -> list[Any]:
    cls = type(node)
    names = _names.get(cls)
    if names is None:
        found = (name for name in dir(cls) if name.startswith(_SAVED))
        # Shapes and strides are numbers.
        names = tuple(name for name in found if "_sym_" not in name)
        names += ("saved_tensors",) if hasattr(cls, "saved_tensors") else ()
        _names[cls] = names
    saved = []
    for name in names:
        try:
            value = getattr(node, name)
        except Exception:
            continue  # freed by a backward pass, or changed in place since
        parts = value if isinstance(value, tuple | list) else (value,)
        saved += [part for part in parts if hasattr(part, "untyped_storage")]
    return saved
