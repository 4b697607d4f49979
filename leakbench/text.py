"""Text that comes from anywhere, made fit for one line of a terminal, a log or a page."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` on one line, with nothing in it that a terminal would obey."""
    # Escape sequences, and signs that turn the direction of what follows, come from a subject.
    return "".join(
        c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
