"""Lines of code in words: the subject's own line first, then what it went through."""

from __future__ import annotations

from pathlib import PurePath

from leakbench.record.explanation import AllocationLine, CodeLine
from leakbench.report.words.phrases import Phrase, code, words


def line_phrases(line: AllocationLine, *, with_share: bool = True) -> list[Phrase]:
    """Return where a line is, its function, its source, and the library's line it went through."""
    function = [words(" in "), code(line.function)] if line.function else []
    source = [words(": "), code(line.source)] if line.source else []
    through = [words(", through "), code(place_text(line.through[-1]))] if line.through else []
    notes = [f"{line.share:.1%}"] if with_share else []
    notes += [line.note] if line.note else []
    note = [words(f" ({', '.join(notes)})")] if notes else []
    return [code(place_text(line)), *function, *source, *through, *note]


def line_text(line: AllocationLine) -> str:
    """Return ``stream.py:30 Vad.feed through _core/_methods.py:132``."""
    through = f" through {place_text(line.through[-1])}" if line.through else ""
    return f"{place_text(line)} {line.function}".rstrip() + through


def place_text(line: AllocationLine | CodeLine) -> str:
    """Return ``folder/file.py:30``."""
    return f"{'/'.join(PurePath(line.file).parts[-2:])}:{line.line}"
