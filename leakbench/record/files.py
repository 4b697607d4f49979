"""Files of a run: written so that a power cut leaves the old one or the new one, read by one door.

Whatever was done to a file since, reading it ends in what it says or in one line that names the
file, the line, and what is wrong.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from leakbench.errors import OutputError

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
}
"""What JSON gives for a field, by its annotation; others are checked where they are used."""

_T = TypeVar("_T")


def write_json(path: Path, value: Any) -> None:
    """Write `value` so that a reader sees the old file or the new one, whatever happens."""
    scratch = path.with_name(path.name + ".new")
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # Half of a character, out of a path or an exception's text.
        text = json.dumps(value, indent=2).encode()
    with scratch.open("wb") as file:
        file.write(text + b"\n")
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk too, where a folder can be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # a file system that knows no such thing
    finally:
        os.close(descriptor)


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises
    ------
    FileNotFoundError
        When there is none.
    OutputError
        When it holds anything else, or cannot be read.
    """
    text = _read_text(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise OutputError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise OutputError(f"{path}: expected JSON of a run, got one nested too deeply") from error
    if not isinstance(data, dict):
        raise OutputError(f"{path}: expected a JSON object, got {type(data).__name__}")
    return data


def read_rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each line of JSON; nothing where there is no file.

    A last line that was cut short, as by a kill, is left out.

    Raises
    ------
    OutputError
        When a line before it is no JSON, or the file cannot be read.
    """
    if not path.exists():
        return
    lines = _read_text(path).split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip("\0 \r"):
            continue
        try:
            yield number, json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            if number == len(lines):
                return
            raise OutputError(
                f"{path}:{number}: expected a line of JSON, got {line[:40]!r}; was the file edited?"
            ) from error


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OutputError(f"{path}: not UTF-8 text at byte {error.start}") from error


def build(kind: type[_T], data: object, where: object, **parts: object) -> _T:
    """Make a dataclass of what was read; what later versions have added is left out.

    Parameters
    ----------
    kind
        A dataclass.
    data
        Its fields.
    where
        Where they were read, for the message.
    parts
        Fields that were made of theirs already.

    Raises
    ------
    OutputError
        When a field is missing or of another type.
    """
    if not isinstance(data, Mapping):
        raise OutputError(f"{where}: expected a JSON object, got {type(data).__name__}")
    fields = {**known_fields(kind, data), **parts}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        expected = _KINDS.get(str(field.type))
        value = fields.get(field.name)
        if expected is None or field.name not in fields:
            continue
        if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
            raise OutputError(
                f"{where}: {field.name} must be of type {field.type}, got {value!r:.40}"
            )
    try:
        return kind(**fields)
    except TypeError as error:
        missing = [f.name for f in dataclasses.fields(kind) if f.name not in fields]  # type: ignore[arg-type]
        raise OutputError(f"{where}: expected {', '.join(missing)} too: {error}") from error


def list_of(data: object, name: str, where: object) -> list[Any]:
    """Return the list that is called `name` in what was read; empty where it is missing.

    Raises
    ------
    OutputError
        When it is none.
    """
    if not isinstance(data, Mapping):
        raise OutputError(f"{where}: expected a JSON object, got {type(data).__name__}")
    found = data.get(name, [])
    if not isinstance(found, list):
        raise OutputError(f"{where}: {name} must be a list, got {found!r:.40}")
    return found


def known_fields(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of `data` is a field of the dataclass `kind`: later versions may add others."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in data.items() if name in names}
