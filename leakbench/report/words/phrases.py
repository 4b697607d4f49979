"""Text of which some is code: one wording for the page, the terminal and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from leakbench.report.rows import shorten
from leakbench.text import printable

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
    return Phrase(text=printable(text))


def code(text: str) -> Phrase:
    """Return a name or a line out of somebody's program, as `words` and not too long."""
    return Phrase(text=shorten(printable(text), CODE_AT_MOST), code=True)


def command(text: str) -> Phrase:
    """Return something to be typed, whole."""
    return Phrase(text=printable(text), code=True)


def plain_text(paragraph: Iterable[Phrase]) -> str:
    """Return a paragraph as plain text, with backticks around code."""
    return "".join(f"`{phrase.text}`" if phrase.code else phrase.text for phrase in paragraph)


def listed(texts: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
