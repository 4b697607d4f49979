"""Text of which some is code: one wording for the page, the terminal and Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from leakbench.report.rows import shorten

CODE_AT_MOST: Final = 160
"""Characters of a name or a line that is not ours: some lines of code are whole programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words, or a piece of code among them."""

    text: str
    code: bool = False


Paragraph: TypeAlias = tuple[Phrase, ...]


def words(text: str) -> Phrase:
    """Return text to be read, on one line and with nothing that a terminal would obey."""
    return Phrase(text=_printable(text))


def code(text: str) -> Phrase:
    """Return a name or a line out of somebody's program, as `words` and not too long."""
    return Phrase(text=shorten(_printable(text), CODE_AT_MOST), code=True)


def command(text: str) -> Phrase:
    """Return something to be typed, whole."""
    return Phrase(text=_printable(text), code=True)


def plain_text(paragraph: Iterable[Phrase]) -> str:
    """Return a paragraph as plain text, with backticks around code."""
    return "".join(f"`{phrase.text}`" if phrase.code else phrase.text for phrase in paragraph)


def _printable(text: str) -> str:
    # Escape sequences, and signs that turn the direction of what follows, come from a subject.
    return "".join(
        c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
