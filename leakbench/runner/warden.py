"""Ends what a run started when the run itself has died, however it died.

Run by its path, as a process of its own in a session of its own, with nothing but the standard
library: it must start in no time, weigh little and outlive its parent. It reads what to look after
from standard input, a line each, and does its work when that ends:

- ``+ FOLDER``: a temporary folder. Every process that has it for ``TMPDIR`` is to be ended, and the
  folder removed. ``- FOLDER``: no longer.
- ``* REPOSITORY``: a git repository whose worktrees in such folders are to be forgotten.
"""

from __future__ import annotations

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
    folders: dict[str, None] = {}
    repositories: dict[str, None] = {}
    for line in sys.stdin:
        what, _, name = line.rstrip("\n").partition(" ")
        if what == "+":
            folders[name] = None
        elif what == "-":
            folders.pop(name, None)
        elif what == "*":
            repositories[name] = None
    if not folders:
        return
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until and any(map(processes_of, folders)):
        time.sleep(_PAUSE_SECONDS)
    for folder in folders:
        end_processes_of(folder)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    for repository in repositories:
        prune = ["git", "-C", repository, "worktree", "prune"]
        subprocess.run(prune, capture_output=True, check=False)


def end_processes_of(folder: str) -> None:
    """Kill every process that has `folder` for its temporary files, until there is none."""
    until = time.monotonic() + SCAN_SECONDS
    while (found := processes_of(folder)) and time.monotonic() < until:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(_PAUSE_SECONDS)


def processes_of(folder: str) -> list[int]:
    """Return the processes that were started with `folder` for their temporary files.

    Children inherit that, whatever session they move to and whoever adopts them. Linux only: where
    there is no ``/proc``, there are none.
    """
    wanted = b"TMPDIR=" + os.fsencode(folder)
    proc = Path("/proc")
    found = []
    for process in proc.iterdir() if proc.is_dir() else ():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            has_it = wanted in (process / "environ").read_bytes().split(b"\0")
            state = (process / "stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            continue
        if has_it and state != b"Z":
            found.append(int(process.name))
    return found


if __name__ == "__main__":
    main()
