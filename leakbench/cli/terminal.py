"""Lines and tables in a terminal or a log.

Text that a subject, a path or an exception supplies is printed as text: no markup, no emoji, no
escape sequences, no workflow commands, in any encoding.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from leakbench.text import printable


def make_console() -> Console:
    """Return a console that takes everything it is given as text."""
    return Console(markup=False, emoji=False, highlight=False)


def as_text(text: str, style: str = "") -> Text:
    """Return what may come from anywhere as text for a console."""
    return Text(printable(text), style=style)


def say(console: Console, text: str) -> None:
    """Print a line of text, not wrapped, so that a command in it can be copied."""
    line = printable(text)
    # A line that begins so is a command to GitHub's runner.
    console.print(f" {line}" if line.startswith("::") else line, soft_wrap=True)
