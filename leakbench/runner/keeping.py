"""Temporary folders, and the processes that use them, which never outlive this process."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from leakbench.runner import warden
from leakbench.runner.warden import end_processes_of

_WARDEN: Final = Path(warden.__file__)


class KeptFolder:
    """A temporary folder that is removed in the end, with every process that was given it.

    Even where this process is killed: a warden, which is a process of its own, sees that.
    """

    def __init__(self, prefix: str) -> None:
        # The warden is there first: between the folder and a line about it nothing may happen.
        self._warden = _the_warden()
        self.name = tempfile.mkdtemp(prefix=prefix)
        """Its path, for ``TMPDIR`` of what may use it."""
        self._session = 0
        self._warden.tell(f"+ {self.name}")

    def keep_session(self, leader: int) -> None:
        """Have every process of a session end with this folder."""
        self._session = leader
        self._warden.tell(f"{leader} {self.name}")

    def end_processes(self) -> None:
        """Kill every process that has this folder for its temporary files, or is in its session."""
        end_processes_of(self.name, self._session)

    def cleanup(self) -> None:
        """Kill them, and remove the folder."""
        self.end_processes()
        shutil.rmtree(self.name, ignore_errors=True)
        self._warden.tell(f"- {self.name}")


def forget_worktrees_of(repository: Path) -> None:
    """Have git forget worktrees of `repository` in folders that go when this process dies."""
    _the_warden().tell(f"* {repository}")


class _Warden:
    """The process that cleans up when this one has died."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        reading, self._writing = os.pipe()
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                # Nothing of the user's: no site, no PYTHONPATH, no current folder.
                [sys.executable, "-I", "-S", str(_WARDEN)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(reading)
        atexit.register(self.close)

    def tell(self, line: str) -> None:
        """Tell it one thing; one that was killed cannot be told, and the run goes on."""
        if self.pid == os.getpid() and "\n" not in line:
            with suppress(OSError):
                os.write(self._writing, os.fsencode(f"{line}\n"))

    def close(self) -> None:
        """Let it end."""
        if self.pid != os.getpid():
            return
        with suppress(OSError):
            os.close(self._writing)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(warden.GRACE_SECONDS + 2 * warden.SCAN_SECONDS)


_wardens: dict[int, _Warden] = {}
"""By the process that started it: a fork has one of its own."""


def _the_warden() -> _Warden:
    pid = os.getpid()
    if pid not in _wardens:
        _wardens[pid] = _Warden()
    return _wardens[pid]
