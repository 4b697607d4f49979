"""Where the traceback of a fault is kept: nothing here needs more than Python itself."""

from __future__ import annotations

import contextlib
import os
import tempfile
import traceback
from pathlib import Path
from typing import Final

from leakbench.errors import describe_exception

FAULT_FILE: Final = "fault.txt"


def fault_line(error: BaseException, folder: Path | None = None) -> str:
    """Keep the traceback of `error`, and return one line that says what it is and where to look.

    The file is in the run's `folder`, or a temporary one where there is none or it is full.
    """
    said = f"unexpected {describe_exception(error)}"
    for make in (_in_folder, _in_temporary_files):
        path = make(folder)
        if path is not None and _keep(error, path):
            return f"{said}; its traceback is in {path}"
    return f"{said}; no file could be written for its traceback"


def _in_folder(folder: Path | None) -> Path | None:
    return folder / FAULT_FILE if folder is not None and folder.is_dir() else None


def _in_temporary_files(_folder: Path | None) -> Path | None:
    try:
        descriptor, name = tempfile.mkstemp(prefix="leakbench-fault-", suffix=".txt")
    except OSError:
        return None
    os.close(descriptor)
    return Path(name)


def _keep(error: BaseException, path: Path) -> bool:
    """Write the traceback of `error`, or nothing where half of it is all there is room for."""
    told = "".join(traceback.format_exception(error))
    try:
        path.write_text(told, encoding="utf-8", errors="backslashreplace")
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        return False
    return True
