"""Whether a folder of the cache still holds what was put there: a disk fails, a hand slips.

What was put there is written in a file ``RECORD``, as pip leaves one for each distribution: a line
for each file with its name, the hash of its content and its size.
"""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

RECORD_FILE: Final = "RECORD"
_HASHED_AT_MOST: Final = 2**20
"""Bytes of a file whose content is compared. Of a larger one the size must do: reading gigabytes
of a large package would delay every run."""


def write_record(folder: Path) -> None:
    """Write down what `folder` holds, where no installer has."""
    if any(_records(folder)):
        return
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with (folder / RECORD_FILE).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for path in files:
            name = path.relative_to(folder).as_posix()
            rows.writerow([name, f"sha256={_digest(path)}", path.stat().st_size])


def find_harm(folder: Path, *, hashed_at_most: int = _HASHED_AT_MOST) -> str:
    """Return what in `folder` is not as it was put there, empty where everything is.

    Parameters
    ----------
    folder
        Holds one record or more.
    hashed_at_most
        Size in bytes up to which the content of a file is compared, and not only its size. Of a
        file without a hash nothing is known but that it was there; compiled ones come and go.
    """
    records = sorted(_records(folder))
    if not records:
        return f"it has no {RECORD_FILE} of what it holds"
    for record in records:
        try:
            rows = list(csv.reader(record.read_text(encoding="utf-8").splitlines()))
        except (OSError, ValueError, csv.Error) as error:
            return f"{record.relative_to(folder)} cannot be read: {error}"
        for row in rows:
            if harm := _harm_of(folder, row, hashed_at_most):
                return harm
    return ""


def _records(folder: Path) -> Iterator[Path]:
    yield from folder.glob(f"*.dist-info/{RECORD_FILE}")
    yield from folder.glob(RECORD_FILE)


def _harm_of(folder: Path, row: list[str], hashed_at_most: int) -> str:
    try:
        name, digest, size = row
        # Scripts are put outside: whatever becomes of them, they are not imported.
        if ".." in Path(name).parts or name.endswith(".pyc"):
            return ""
        path = folder / name
        found = path.stat().st_size
        if not digest:
            return ""
        expected = int(size)
        if found != expected:
            return f"{name} has {found} bytes of {expected}"
        if expected <= hashed_at_most and digest != f"sha256={_digest(path)}":
            return f"{name} has other content"
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"
    except ValueError:
        return f"its {RECORD_FILE} has a line {','.join(row)[:60]!r}"
    return ""


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file as records have it: URL-safe base64 without padding."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
