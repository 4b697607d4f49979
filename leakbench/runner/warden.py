"""Ends what a run started when the run itself has died, however it died.

Run by its path, as a process of its own in a session of its own, with nothing but the standard
library: it must start in no time, weigh little and outlive its parent. It reads what to look after
from standard input, a line each, and does its work when that ends:

- ``+ FOLDER``: a temporary folder. Every process that has it for ``TMPDIR`` is to be ended, and the
  folder removed. ``- FOLDER``: no longer.
- ``PID FOLDER``: a session. Every process in it is to be ended with that folder.
- ``* REPOSITORY``: a git repository whose worktrees in such folders are to be forgotten.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 2.0
"""For workers that were told by the kernel that their parent died, and write down how far they
came."""
SCAN_SECONDS = 3.0
"""How long processes are looked for at most: a fork may be under way."""
_PAUSE_SECONDS = 0.05


def main() -> None:
    """Look after what standard input names until it ends."""
    # Who is told to end is the run; this is what is left to clean up behind it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folders: dict[str, int] = {}
    repositories: dict[str, None] = {}
    for line in sys.stdin:
        what, _, name = line.rstrip("\n").partition(" ")
        if what == "+":
            folders[name] = 0
        elif what == "-":
            folders.pop(name, None)
        elif what == "*":
            repositories[name] = None
        elif what.isdigit() and name in folders:
            folders[name] = int(what)
    if not folders:
        return
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until and any(itertools.starmap(processes_of, folders.items())):
        time.sleep(_PAUSE_SECONDS)
    for folder, session in folders.items():
        end_processes_of(folder, session)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for repository in repositories:
        prune = ["git", "-C", repository, "worktree", "prune"]
        subprocess.run(prune, capture_output=True, check=False)


def end_processes_of(folder: str, session: int) -> None:
    """Kill every process that `processes_of` finds, until there is none."""
    until = time.monotonic() + SCAN_SECONDS
    while (found := processes_of(folder, session)) and time.monotonic() < until:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(_PAUSE_SECONDS)


def processes_of(folder: str, session: int) -> list[int]:
    """Return the processes that have `folder` for their temporary files, or are in `session`.

    Children inherit the one, whatever session they move to and whoever adopts them, and the other,
    whatever environment they are given. Linux only: where there is no ``/proc``, there are none.
    """
    wanted = b"TMPDIR=" + os.fsencode(folder)
    proc = Path("/proc")
    found = []
    for process in proc.iterdir() if proc.is_dir() else ():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            has_it = wanted in (process / "environ").read_bytes().split(b"\0")
            state, _, _, its_session, *_ = (
                (process / "stat").read_bytes().rpartition(b")")[2].split()
            )
        except OSError:
            continue
        if (has_it or 0 < session == int(its_session)) and state != b"Z":
            found.append(int(process.name))
    return found


if __name__ == "__main__":
    main()
