"""The terminal or log that commands print to: text as it is, never markup."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from leakbench.cli.outlet import Outlet
from leakbench.record.result import Outcome
from leakbench.text import command_line, printable

_LOG_WIDTH: Final = 10_000
"""Columns of a log or a pipe: a row of a table is one line there, which can be searched."""

VERDICT_COLOURS: Final[dict[Outcome, str]] = {
    "flat": "green",
    "leak": "red",
    "undecided": "yellow",
    "error": "magenta",
}

Field: TypeAlias = str | Text
"""Of a table: text that may be anybody's, or words of ours with a colour."""


class Terminal(Console):
    """Prints text as text: no markup, no emoji codes, no escape sequences but its own."""

    def __init__(self) -> None:
        self.is_log = not sys.stdout.isatty() and "COLUMNS" not in os.environ
        """Whether lines may be as long as they like."""
        super().__init__(
            markup=False, emoji=False, highlight=False, width=_LOG_WIDTH if self.is_log else None
        )

    @property
    def spinner(self) -> str:
        """Name of a spinner that can be shown."""
        return "line" if self.options.ascii_only else "dots"

    def say(self, text: str) -> None:
        """Print one line, however long, that may hold anybody's text."""
        self.print(Text(printable(text)), soft_wrap=True)

    def again(self, command: Sequence[str]) -> None:
        """Print the line that says how to have the same again, ready to be copied."""
        self.say(f"again: {command_line(command, self.encoding)}")

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[Field]]) -> None:
        """Print a table; its first column is the last to be cut."""
        table = Table(*heads, box=None)
        table.columns[0].no_wrap = True
        for row in rows:
            table.add_row(*(_field(field) for field in row))
        self.print(table)

    def workflow_command(self, line: str) -> None:
        """Print a line that a build server is meant to obey."""
        file = self.file
        if isinstance(file, Outlet):
            file.write_command(line)


def verdict_text(verdict: Outcome, note: str = "") -> Text:
    """Return a verdict in its colour, and a note behind it in none."""
    return Text.assemble((verdict, VERDICT_COLOURS[verdict]), note)


def _field(field: Field) -> Text:
    return field if isinstance(field, Text) else Text(printable(field))
