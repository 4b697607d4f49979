"""What can be measured: every metric defined once, looked up by name everywhere else.

A probe gives figures by the names below. The trace and ``result.json`` keep those names.
Judgement takes the tier, the budget and the noise from here; tables, plots and sentences take
the words and the place. To add a metric: an entry here, the code that measures it
(:mod:`leakbench.probes.process` for the process), and its test.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from leakbench.errors import ConfigError
from leakbench.units import Budget, Quantity, parse_budget

Scope: TypeAlias = Literal["objects", "process"]
Tier: TypeAlias = Literal["exact", "banded", "slowing", "statistical"]
"""How a metric is judged: to the last byte; exactly but for a bounded wobble; by whether every
block of the run costs more than the one before; or by intervals over processes."""

PROCESS_PATH: Final = "process"
"""The path of metrics that belong to the process as a whole."""
TOTAL_PATH: Final = "total"
"""The path of all objects together, each counted once."""
GRAPH_NAME: Final = "grad_fn"
"""The last name in the path of what autograd keeps behind a tensor, as torch calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One thing that can be measured of objects or of the process."""

    name: str
    """In traces, in ``result.json``, in budgets."""
    words: str
    """What it is, in a sentence's middle."""
    label: str
    """In tables and sentences: ``heap``."""
    title: str = ""
    """Above a panel; the label where empty."""
    quantity: Quantity
    scope: Scope
    tier: Tier
    budget: Budget | None = None
    """Growth allowed unless a rule says otherwise; None for none at all."""
    gated: bool = True
    """Whether a cell's verdict rests on it unless told otherwise."""
    noise: float = 0.0
    """How far apart two looks at a process in which nothing grows may be, however few there are
    to tell it from."""
    panel: int | None = None
    """Place among the process's panels; None for no panel of its own."""
    has_level: bool = False
    """Whether there is much of it before any audio: its axis then does not begin at 0."""
    holds_objects: bool = False
    """Whether the bytes of Python objects and storage are part of it."""

    @property
    def heading(self) -> str:
        """What stands above its panel."""
        return self.title or self.label


NOTHING: Final = parse_budget("0 counts/h")
"""The budget of what must not grow at all."""

_CATALOGUE: dict[str, Metric] = {}


def add_metric(metric: Metric) -> Metric:
    """Enter a metric into the catalogue and return it.

    Raises
    ------
    ConfigError
        When there is one of that name already.
    """
    if metric.name in _CATALOGUE:
        raise ConfigError(f"metric {metric.name!r} is in the catalogue already")
    _CATALOGUE[metric.name] = metric
    return metric


@contextmanager
def added_metric(metric: Metric) -> Iterator[Metric]:
    """Have a metric in the catalogue for as long as the block runs."""
    add_metric(metric)
    try:
        yield metric
    finally:
        del _CATALOGUE[metric.name]


def metric_of(name: str) -> Metric:
    """Return the metric called `name`.

    Raises
    ------
    ConfigError
        When there is none.
    """
    try:
        return _CATALOGUE[name]
    except KeyError:
        raise ConfigError(f"metric must be one of {', '.join(_CATALOGUE)}; got {name!r}") from None


def metric_names(scope: Scope | None = None) -> tuple[str, ...]:
    """Return the names of all metrics, or of those of one scope, in their order."""
    return tuple(m.name for m in _CATALOGUE.values() if scope in (None, m.scope))


def process_metrics() -> tuple[Metric, ...]:
    """Return what can be measured of the process, in its order."""
    return tuple(m for m in _CATALOGUE.values() if m.scope == "process")


def panel_metrics() -> tuple[str, ...]:
    """Return the names of the process's metrics that are drawn, in the order of their panels."""
    placed = [m for m in process_metrics() if m.panel is not None]
    return tuple(m.name for m in sorted(placed, key=lambda m: m.panel or 0))


for _metric in (
    Metric(
        name="elements",
        words="items of a container, elements of an array or tensor, bytes of a buffer",
        label="elements",
        quantity="elements",
        scope="objects",
        tier="exact",
    ),
    Metric(
        name="python_bytes",
        words="Python objects at and below a path, each once",
        label="Python bytes",
        quantity="bytes",
        scope="objects",
        tier="exact",
    ),
    Metric(
        name="storage_bytes",
        words="memory of arrays, tensors and buffers that a path keeps alive, each storage once",
        label="storage",
        quantity="bytes",
        scope="objects",
        tier="exact",
    ),
    Metric(
        name="heap_bytes",
        words="bytes that C and Python code have allocated and not freed",
        label="heap",
        title="heap in use",
        quantity="bytes",
        scope="process",
        tier="banded",
        budget=parse_budget("16 KiB/h"),
        noise=400.0,
        panel=1,
        has_level=True,
        holds_objects=True,
    ),
    Metric(
        name="rss_bytes",
        words="resident memory",
        label="RSS",
        quantity="bytes",
        scope="process",
        tier="banded",
        budget=parse_budget("1 MiB/h"),
        noise=64 * 1024.0,
        panel=2,
        has_level=True,
        holds_objects=True,
    ),
    Metric(
        name="mapped_bytes",
        words="private writable memory mapped outside the heap",
        label="mapped",
        title="mapped outside the heap",
        quantity="bytes",
        scope="process",
        tier="banded",
        budget=parse_budget("1 MiB/h"),
        noise=4 * 1024.0,
        panel=3,
        has_level=True,
    ),
    Metric(
        name="shared_bytes",
        words="resident memory that the process shares: shared mappings, shared memory",
        label="shared memory",
        quantity="bytes",
        scope="process",
        tier="banded",
        budget=parse_budget("1 MiB/h"),
        noise=4 * 1024.0,
        panel=4,
    ),
    Metric(
        name="descriptors",
        words="open files, pipes, sockets and the like",
        label="descriptors",
        quantity="count",
        scope="process",
        tier="banded",
        budget=NOTHING,
        panel=5,
    ),
    Metric(
        name="threads",
        words="threads, of Python and of C",
        label="threads",
        quantity="count",
        scope="process",
        tier="banded",
        budget=NOTHING,
        panel=6,
    ),
    Metric(
        name="children",
        words="processes below this one, alive or waiting to be collected",
        label="child processes",
        quantity="count",
        scope="process",
        tier="banded",
        budget=NOTHING,
        panel=7,
    ),
    Metric(
        name="children_bytes",
        words="memory of the processes below this one that no other shares",
        label="memory of children",
        quantity="bytes",
        scope="process",
        tier="banded",
        budget=parse_budget("1 MiB/h"),
        noise=64 * 1024.0,
        panel=8,
    ),
    Metric(
        name="temp_files",
        words="files and folders left in the folder for temporary files",
        label="temporary files",
        quantity="count",
        scope="process",
        tier="banded",
        budget=NOTHING,
        panel=9,
    ),
    Metric(
        name="temp_bytes",
        words="bytes in temporary files, and in open files that no folder names",
        label="temporary bytes",
        quantity="bytes",
        scope="process",
        tier="banded",
        budget=parse_budget("16 KiB/h"),
        panel=10,
    ),
    Metric(
        name="cpu_seconds",
        words="processor time to feed one chunk",
        label="processor time a chunk",
        quantity="seconds",
        scope="process",
        tier="slowing",
        panel=11,
    ),
    Metric(
        name="chunk_seconds",
        words="time to feed one chunk, median",
        label="time a chunk",
        quantity="seconds",
        scope="process",
        tier="statistical",
        gated=False,
        panel=12,
    ),
    Metric(
        name="uss_bytes",
        words="resident memory that no other process shares",
        label="USS",
        quantity="bytes",
        scope="process",
        tier="statistical",
        budget=parse_budget("1 MiB/h"),
        gated=False,
        has_level=True,
        holds_objects=True,
    ),
    Metric(
        name="traced_bytes",
        words="what tracemalloc counts, in a run of its own",
        label="traced",
        quantity="bytes",
        scope="process",
        tier="statistical",
        budget=parse_budget("64 KiB/h"),
        gated=False,
        panel=13,
        holds_objects=True,
    ),
):
    add_metric(_metric)
