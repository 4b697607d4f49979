"""Option types shared by the commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from leakbench.errors import ConfigError
from leakbench.trace import OBJECT_METRICS, PROCESS_METRICS, PROCESS_PATH
from leakbench.units import parse_budget, parse_duration, parse_size
from leakbench.verdict.assess import BudgetRule

_T = TypeVar("_T")


class Quantity(click.ParamType[_T]):
    """An option's text, parsed by one of our parsers; its message becomes click's."""

    def __init__(self, name: str, parse: Callable[[str], _T]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> _T:
        """Parse what was typed, or fail the way click does."""
        if not isinstance(value, str):
            parsed: _T = value
            return parsed
        try:
            return self._parse(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)


def parse_rule(text: str) -> BudgetRule:
    """Parse ``[PATH[:METRIC]=]LIMIT``; a bare limit is the process heap's.

    Raises
    ------
    ConfigError
        When the metric is unknown or the limit is no budget.
    """
    target, equals, limit = text.rpartition("=")
    path, _, metric = target.partition(":")
    if not equals:
        path, metric = PROCESS_PATH, "heap_bytes"
    if metric and metric not in (*OBJECT_METRICS, *PROCESS_METRICS):
        raise ConfigError(
            f"metric must be one of {', '.join((*OBJECT_METRICS, *PROCESS_METRICS))}; "
            f"got {metric!r}"
        )
    return BudgetRule(path=path, metric=metric or None, budget=parse_budget(limit))


DURATION = Quantity("duration", parse_duration)
SIZE = Quantity("size", parse_size)
RATE = Quantity("budget", parse_rule)
GROWTH = Quantity("budget", parse_budget)
