"""What to do about a leak, where its kind alone says it."""

from __future__ import annotations

from collections.abc import Iterable

from leakbench.metrics import GRAPH_NAME
from leakbench.record.result import MetricResult

NO_GRAD = "call the model under torch.no_grad(), or detach() the state that is kept"
"""For a graph of autograd: nobody calls backward() on a stream."""


def advise(leaks: Iterable[MetricResult]) -> str:
    """Return what to do about `leaks`, in a sentence without its full stop; empty where unknown."""
    if any(leak.verdict == "leak" and leak.path.endswith(f".{GRAPH_NAME}") for leak in leaks):
        return NO_GRAD
    return ""
