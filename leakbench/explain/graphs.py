"""Which line makes the autograd graph that a tensor keeps.

Nodes are made in C++ and no Python object is seen to be made. In torch's anomaly mode each node
notes the stack it was made under, also where TorchScript made it. That takes five times as long, so
it is on for a period only: what is noted then is new, and what is not was there before.

torch is never imported from here: a subject that has not loaded it has no graphs.
"""

from __future__ import annotations

import gc
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from leakbench.explain.census import Driven
from leakbench.explain.chains import shorten
from leakbench.explain.locating import Locator
from leakbench.explain.places import Place, place_of
from leakbench.explain.rates import rate_of
from leakbench.explain.source import describe_lines
from leakbench.metrics import GRAPH_NAME
from leakbench.probes.autograd import Graph, Nodes, graph_of, open_graph
from leakbench.probes.storage import Extents
from leakbench.record.explanation import Growth

_STACK: Final = "traceback_"
"""Key of a node's metadata under which torch keeps the stack, outermost line first."""
_TENSOR: Final = "torch.Tensor"
_FRAME: Final = re.compile(r'File "(.+)", line (\d+)')


class NodeStacks:
    """Has each node note its stack, from when it is made until it is stopped.

    Only where torch is loaded.
    """

    def __init__(self) -> None:
        torch: Any = sys.modules["torch"]
        self._set = torch.autograd.set_detect_anomaly
        self._was = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
        self._set(True, check_nan=False)

    def stop(self) -> None:
        """Note no more."""
        self._set(self._was[0], check_nan=self._was[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Behind:
    """What is behind one tensor."""

    tensor: Any
    new: Nodes
    """Made while stacks were noted."""
    places: Counter[Place]
    """Nodes by the place that made them."""
    nbytes: int
    """That the new nodes save."""
    has_older: bool
    """Whether nodes that were there before are behind the new ones."""


def find_graphs(
    locator: Locator, *, leaking: Collection[str], driven: Driven, hours: float
) -> tuple[Growth, ...]:
    """Return the graphs that got longer while stacks were noted, most bytes first.

    Parameters
    ----------
    locator
        As of now.
    leaking
        Paths known to leak. Beside graphs at one of these, those count whose older nodes are still
        there, for all of what was driven.
    driven, hours
        Since stacks are noted, in audio-hours.
    """
    found = []
    seen = Nodes()
    for behind in sorted(_behind_all(_tensors(locator)), key=lambda b: -len(b.new)):
        # Of several tensors before the same nodes one tells of all.
        is_news = behind.has_older and bool(behind.new.keys() - seen.keys())
        if not is_news and id(behind.tensor) not in locator.named.index:
            continue
        path, holders = locator.locate(behind.tensor)
        path = f"{path}.{GRAPH_NAME}" if path else ""
        if not is_news and path not in leaking:
            continue
        seen.update(behind.new)
        unit, rate = rate_of(len(behind.new), driven, hours)
        found.append(
            Growth(
                path=path,
                kind="graph",
                type=type(behind.tensor.grad_fn).__name__,
                amount=rate,
                per=unit,
                quantity="nodes",
                bytes_per_hour=behind.nbytes / hours,
                chain=f"{shorten(holders)}.{GRAPH_NAME}",
                holders=holders,
                allocations=describe_lines(behind.places, hours),
            )
        )
    return tuple(sorted(found, key=lambda growth: -growth.bytes_per_hour))


def is_saved(growth: Growth) -> bool:
    """Whether what grows may be tensors that nodes have saved, which nothing of Python holds."""
    return growth.kind == "objects" and growth.type == _TENSOR and not growth.holders[0].name


def _tensors(locator: Locator) -> Iterator[Any]:
    """Yield all tensors there are, those that the subject's roots reach first."""
    torch: Any = sys.modules["torch"]
    seen: set[int] = set()
    for obj in (*locator.named.objects, *gc.get_objects()):
        # Not asked what it says it is: that would run code of its own.
        if issubclass(type(obj), torch.Tensor) and id(obj) not in seen:
            seen.add(id(obj))
            yield obj


def _behind_all(tensors: Iterable[Any]) -> Iterator[_Behind]:
    for tensor in tensors:
        graph = graph_of(tensor)
        if graph is not None and _STACK in graph.node.metadata:
            yield _behind(tensor, graph.node)


def _behind(tensor: Any, newest: Any) -> _Behind:
    new, older = Nodes(), Nodes()
    places: Counter[Place] = Counter()
    waiting = [newest]
    while waiting:
        node = waiting.pop()
        if id(node) in new or id(node) in older:
            continue
        stack = node.metadata.get(_STACK)
        if stack is None:
            older[id(node)] = node
            continue
        new[id(node)] = node
        places[_place(stack)] += 1
        waiting.extend(following for following, _ in node.next_functions if following is not None)
    # The leaves, parameters as a rule, are there without the graph.
    inner = {key: node for key, node in older.items() if getattr(node, "variable", None) is None}
    extents = Extents()
    open_graph(Graph(newest), Nodes(inner), extents)
    return _Behind(
        tensor=tensor,
        new=new,
        places=places,
        nbytes=extents.total_bytes(),
        has_older=bool(inner),
    )


def _place(stack: Iterable[str]) -> Place:
    frames = [(match[1], int(match[2])) for text in stack for match in _FRAME.finditer(text)]
    return place_of(reversed(frames))
