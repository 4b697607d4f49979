"""A function run in a fork of this process: whatever it does to memory is gone with the fork."""

from __future__ import annotations

import gc
import marshal
import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NoReturn

SECONDS_AT_MOST: Final = 60.0
"""For 30 million nodes of a graph. A fork may hang on what another thread had locked."""
_READ_BYTES: Final = 1 << 20


def run_apart(compute: Callable[[], Any], *, seconds_at_most: float = SECONDS_AT_MOST) -> Any:
    """Return what `compute` returns in a fork of this process.

    Nothing else of the process is run there, and the fork ends at once. It sees every object under
    the id that it has here. Where there is no fork, `compute` is called here.

    Parameters
    ----------
    compute
        Returns something that `marshal` can write.
    seconds_at_most
        After which the fork is ended.

    Raises
    ------
    RuntimeError
        When there is no answer: it raised, was killed, or took too long.
    OSError
        When there can be no other process.
    """
    if not hasattr(os, "fork"):
        return compute()
    reading, writing = os.pipe()
    try:
        with warnings.catch_warnings():
            # That other threads may hold locks: hence the limit.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if child == 0:
        _answer(compute, writing)
    os.close(writing)
    answer = None
    try:
        answer = _read(reading, time.monotonic() + seconds_at_most)
    finally:
        os.close(reading)
        if answer is None:
            os.kill(child, signal.SIGKILL)
        # A subject may wait for every child there is.
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
    if not answer:
        raise RuntimeError("the fork gave no answer")
    return marshal.loads(answer)


def _answer(compute: Callable[[], Any], writing: int) -> NoReturn:
    try:
        # What the subject has left to the collector is not for a fork to finalize.
        gc.disable()
        answer = marshal.dumps(compute())
        while answer:
            answer = answer[os.write(writing, answer) :]
    finally:
        os._exit(0)


def _read(reading: int, until: float) -> bytes | None:
    """Return all that is written before the other end is closed, None where that takes too long."""
    parts: list[bytes] = []
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    while poll.poll(max(until - time.monotonic(), 0.0) * 1000):
        part = os.read(reading, _READ_BYTES)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return None
