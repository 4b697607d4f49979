"""A TOML table that knows where it stands, for errors that name file, key and value."""

from __future__ import annotations

import difflib
import reprlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, overload

from leakbench.errors import UsageError

_T = TypeVar("_T", bound=str)
_P = TypeVar("_P")
_D = TypeVar("_D")


class Table:
    """The keys of a table, taken one by one, each checked for its type.

    Every method raises the error the table was made with:
    ``file: key must be EXPECTED, got VALUE``.
    """

    def __init__(
        self, file: str, values: Mapping[str, object], error: type[UsageError], prefix: str = ""
    ) -> None:
        self.values = values
        self._file = file
        self._error = error
        self._prefix = prefix
        self._known: list[str] = []

    def text(self, key: str, default: str) -> str:
        """Return text."""
        value = self._take(key, default)
        if not _is_text(value):
            raise self._wrong(key, "text", value)
        return str(value)

    def flag(self, key: str) -> bool:
        """Return true or false; false where the key is missing."""
        value = self._take(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def whole(self, key: str, default: int) -> int:
        """Return a whole number of at most nine digits."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 10**9:
            raise self._wrong(key, "a whole number", value)
        return value

    @overload
    def number(self, key: str) -> float | None: ...
    @overload
    def number(self, key: str, default: float) -> float: ...
    def number(self, key: str, default: float | None = None) -> float | None:
        """Return a finite number, or `default` where the key is missing."""
        value = self._take(key, default)
        if value is None or key not in self.values:
            return default
        # The comparison is false for NaN, too.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
            raise self._wrong(key, "a finite number", value)
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return one text or a list of them; none where the key is missing."""
        value = self._take(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(map(_is_text, items)):
            raise self._wrong(key, "text or a list of texts", value)
        return tuple(items)

    def choice(self, key: str, choices: Sequence[_T]) -> _T:
        """Return one of `choices`; the first where the key is missing."""
        value = self._take(key, choices[0])
        for choice in choices:
            if choice == value:
                return choice
        raise self._wrong(key, f"one of {', '.join(filter(None, choices))}", value)

    def wholes(self, key: str) -> tuple[int, ...]:
        """Return one whole number above 0 or a list of them; none where the key is missing."""
        value = self._take(key, [])
        items = value if isinstance(value, list) else [value]
        if not all(type(item) is int and 0 < item < 10**9 for item in items):
            raise self._wrong(key, "a whole number > 0 or a list of them", value)
        return tuple(items)

    def parsed(self, key: str, parse: Callable[[str], _P], default: _D) -> _P | _D:
        """Return what `parse` makes of the text, or `default` where the key is missing.

        An error of `parse` is raised with the file and key in front.
        """
        if key not in self.values:
            self._known.append(key)
            return default
        text = self.text(key, "")
        try:
            return parse(text)
        except UsageError as cause:
            raise self._error(f"{self._file}: {self._prefix}{key}: {cause}") from cause

    def refuse(self, key: str, problem: str) -> UsageError:
        """Return the error that says what is wrong with `key`, for checks across keys."""
        return self._error(f"{self._file}: {self._prefix}{key}: {problem}")

    def table(self, key: str) -> Table:
        """Return a table within this one; empty where the key is missing."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, "a table", value)
        return Table(self._file, value, self._error, f"{self._prefix}{key}.")

    def tables(self, key: str) -> list[Table]:
        """Return the tables of an array, each headed ``[[key]]``; none where it is missing."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(key, f"tables, each headed [[{key}]]", value)
        return [
            Table(self._file, item, self._error, f"{self._prefix}{key}[{number}].")
            for number, item in enumerate(value, start=1)
        ]

    def refuse_others(self) -> None:
        """Refuse keys nobody asked for: a misspelt key must not be silently ignored."""
        for key in self.values:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"use {', '.join(self._known)}"
                raise self._error(f"{self._file}: unknown key {self._prefix}{key}; {hint}")

    def _take(self, key: str, default: object) -> object:
        self._known.append(key)
        return self.values.get(key, default)

    def _wrong(self, key: str, expected: str, got: object) -> UsageError:
        # Shortened: an array of a million numbers is still one line.
        shown = reprlib.repr(got)
        return self._error(f"{self._file}: {self._prefix}{key} must be {expected}, got {shown}")


def _is_text(value: object) -> bool:
    """Whether `value` is text that may name a file: a NUL is in no name."""
    return isinstance(value, str) and "\0" not in value


def read_table(path: Path, *, shown: str, error: type[UsageError]) -> Table:
    """Read a TOML file.

    Parameters
    ----------
    path
        The file.
    shown
        How messages name it.
    error
        What to raise when it is missing, unreadable or not TOML, and on a wrong key.
    """
    try:
        return Table(shown, tomllib.loads(path.read_text(encoding="utf-8")), error)
    except FileNotFoundError as cause:
        raise error(f"{shown}: expected a TOML file, found none") from cause
    except OSError as cause:
        raise error(f"{shown}: cannot be read: {cause.strerror}") from cause
    except UnicodeDecodeError as cause:
        raise error(f"{shown}: not UTF-8 text at byte {cause.start}") from cause
    except (tomllib.TOMLDecodeError, RecursionError) as cause:
        raise error(f"{shown}: not valid TOML: {cause}") from cause
    except ValueError as cause:
        # No file can be called so: a NUL is in its name.
        raise error(f"{shown}: cannot be read: {cause}") from cause
