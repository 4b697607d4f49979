"""Option types shared by the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from leakbench.errors import ConfigError
from leakbench.plan import Explain
from leakbench.plan.variables import parse_variable
from leakbench.units import parse_budget, parse_duration, parse_size
from leakbench.verdict.budgets import parse_rule

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


DURATION = Quantity("duration", parse_duration)
SIZE = Quantity("size", parse_size)
RATE = Quantity("budget", parse_rule)
GROWTH = Quantity("budget", parse_budget)

VARIABLES = click.option(
    "--env",
    "variables",
    type=Quantity("variable", parse_variable),
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Environment variable to hand on to workers, or to set for them; repeatable.",
)

_EXPLAINED: Final[Mapping[bool | None, Explain]] = {
    True: "every",
    None: "unexpected",
    False: "none",
}
EXPLAIN = click.option(
    "--explain/--no-explain",
    default=None,
    callback=lambda _context, _parameter, asked_for: _EXPLAINED[asked_for],
    help="Drive each leaking cell once more to say who holds and who allocates what grows; "
    "without either, where the leak was not expected.",
)
