"""Text that is not ours, made safe to print: the one door to terminal, log, page and file.

Subjects, scenarios, paths, object names and exceptions supply text, and any of it may hold what a
terminal obeys (escape sequences, signs that turn the direction of writing), what a build server
obeys (``::error::``, ``##vso[``), line breaks, or half a character.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Final

_LINE_COMMAND: Final = re.compile(r"^(\s*):(?=:)")
"""GitHub's runner trims a line before it looks for ``::``
(actions/runner, ``ActionCommand.TryParseV2``)."""
_INLINE_COMMAND: Final = re.compile(r"##(?=\w*\[)")
"""``##[error]`` anywhere in a line, an older form that the runner still takes; ``##vso[`` and
``##teamcity[`` of others."""


def printable(text: str) -> str:
    r"""Return `text` on one line, and with nothing in it that a reader's tools would obey.

    White space is a space. What does not print is shown escaped, such as ``\x1b``, ``\u202e``,
    and ``\ud800`` for half a character: names that differ still look different.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " if c.isspace() else _escaped(c) for c in text)
    return defused(text)


def defused(line: str) -> str:
    """Return `line` so that no build server takes it for a command."""
    if "::" not in line and "##" not in line:
        return line
    return _INLINE_COMMAND.sub(r"#\\x23", _LINE_COMMAND.sub(r"\1\\x3a", line))


def command_line(parts: Iterable[str], encoding: str = "utf-8") -> str:
    """Return a command that can be typed as it stands, on one line.

    Parameters
    ----------
    parts
        Program and arguments.
    encoding
        Of what it is printed to: what cannot be encoded is written in ASCII.
    """
    return " ".join(_quoted(part, encoding) for part in parts)


def _quoted(part: str, encoding: str) -> str:
    if printable(part) == part and _encodes(part, encoding):
        return shlex.quote(part)
    # ANSI-C quoting, which every common shell but dash knows: bytes, since an argument is bytes.
    shown = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"#'\\" else f"\\x{byte:02x}"
        for byte in part.encode("utf-8", "surrogateescape" if _is_bytes(part) else "surrogatepass")
    )
    return f"$'{shown}'"


def _is_bytes(text: str) -> bool:
    """Whether all half characters of `text` stand for bytes that are not UTF-8 (PEP 383)."""
    return all("\udc80" <= c <= "\udcff" for c in text if "\ud800" <= c <= "\udfff")


def _encodes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
