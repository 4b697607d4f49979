"""Remembers which line opened what is still open, from when it is begun until it is ended.

Three sources, none of which knows everything:

- The interpreter's audit events (:pep:`578`) come from every thread, before the call. There are
  none for pipes, ``epoll``, ``eventfd``, nor for what a library in C opens.
- A profile function sees every call of the threads that run under it, and looks whether anything is
  new after it. It sees what has no event, and makes calls five times as slow: it runs only where
  such a thing is known to leak.
- The kernel's lists say what is open, and so what is still there.
"""

from __future__ import annotations

import _thread
import os
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from leakbench.explain.places import Place, place_of_frame
from leakbench.explain.shelves import (
    SEEN,
    Children,
    Descriptors,
    Kept,
    Mappings,
    NumberedShelf,
    Opening,
    Shelf,
    TempFiles,
    Threads,
)

WATCHED: Final = frozenset(("descriptors", "threads", "children"))
"""Metrics for which calls are watched: not everything that adds to them has an event."""
_THREAD_STARTED: Final = "_thread.start_new_thread"

_C_ENDS: Final = ("c_return", "c_exception")
_OPENING_NOTHING: Final = (
    *(type(threading.Lock()), type(threading.RLock())),
    *(list, tuple, dict, set, deque, str, bytes, int, float),
)
"""Types whose own methods in C open nothing: what appears meanwhile, another thread opened."""

_listener: Callable[[str, tuple[Any, ...]], None] | None = None
_is_hooked = False


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    # An audit hook stays for as long as the process: it does nothing once nobody listens.
    if _listener is not None:
        _listener(event, arguments)


class Ledger:
    """What of this process is open, by the line that opened it.

    Parameters
    ----------
    metrics
        Of the process, that are known to grow.
    temp_folder
        That is this process's alone; None where it shares the system's.
    """

    def __init__(self, metrics: Collection[str], temp_folder: Path | None) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._owner = 0
        """The thread that looks just now."""
        folder = temp_folder or Path(tempfile.gettempdir())
        self._shelves: tuple[Shelf, ...] = (
            Descriptors(),
            Threads(),
            Children(),
            TempFiles(folder, is_own=temp_folder is not None),
            Mappings(),
        )
        self._events = frozenset().union(*(shelf.events for shelf in self._shelves))
        self._watched = [
            shelf
            for shelf in self._shelves
            if isinstance(shelf, NumberedShelf) and shelf.metric in WATCHED & set(metrics)
        ]
        self._signatures: list[object] = []
        self._calling: dict[int, FrameType] = {}
        """The frame of each thread that is in a call of C which may open something."""
        self._start_thread: Any = None

    def begin(self) -> None:
        """Begin to remember."""
        global _listener, _is_hooked
        if not _is_hooked:
            sys.addaudithook(_on_event)
            _is_hooked = True
        _listener = self._listen
        if sys.version_info < (3, 12):
            self._raise_missing_event()
        self.watch()

    def end(self) -> None:
        """Remember nothing more; the hook, which cannot be taken away, does nothing from now on."""
        global _listener
        _listener = None
        self.unwatch()
        if self._start_thread is not None:
            threading._start_new_thread = self._start_thread  # type: ignore[attr-defined]

    def watch(self) -> None:
        """Look after every call, if there is anything to look for."""
        if self._watched and sys.getprofile() is None:
            self._signatures = [shelf.signature() for shelf in self._watched]
            threading.setprofile(self._look)
            sys.setprofile(self._look)

    def unwatch(self) -> None:
        """Look no more: the harness is about to open things of its own."""
        if sys.getprofile() == self._look:
            sys.setprofile(None)
            threading.setprofile(None)
            self._calling.clear()

    def kept(self) -> dict[str, list[Kept]]:
        """Return what is open now, by the metric that counts it."""
        with self._alone():
            return {shelf.metric: shelf.kept() for shelf in self._shelves}

    def own_objects(self) -> tuple[object, ...]:
        """Return what a census must not count."""
        shelves = [item for shelf in self._shelves for item in (shelf, *vars(shelf).values())]
        return self, self.__dict__, *vars(self).values(), *shelves

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads out: what one opens to look would be news to another."""
        with self._lock:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = 0

    def _is_ours(self) -> bool:
        """Whether what happens is our own doing, or that of a copy of this process."""
        return self._owner == threading.get_ident() or os.getpid() != self._pid

    def _listen(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in self._events or self._is_ours():
            return
        with self._alone():
            place = place_of_frame(sys._getframe(2))
            if place:
                opening = _opening(event, arguments, place)
                for shelf in self._shelves:
                    if event in shelf.events:
                        shelf.expect(opening)

    def _look(self, frame: FrameType, event: str, argument: Any) -> None:
        thread = threading.get_ident()
        if event == "c_call":
            if not _opens_nothing(argument):
                self._calling[thread] = frame
            return
        if not self._is_ours():
            with self._alone():
                self._settle(frame, self._calling.get(thread) if event in _C_ENDS else None)
        if event in _C_ENDS:
            # Only now: another thread may have come first, and must see that this one called.
            self._calling.pop(thread, None)

    def _settle(self, frame: FrameType, calling: FrameType | None) -> None:
        """Put down what is new to `calling`, which has just ended, or to who calls just now."""
        for at, shelf in enumerate(self._watched):
            if shelf.signature() != self._signatures[at]:
                callers = [calling, *list(self._calling.values()), frame]
                place = place_of_frame(next(filter(None, callers)))
                shelf.settle(Opening(event=SEEN, place=place))
                self._signatures[at] = shelf.signature()

    def _raise_missing_event(self) -> None:
        """Raise the event that 3.12 and later raise when a thread is started."""
        start = self._start_thread = threading._start_new_thread  # type: ignore[attr-defined]

        def start_new_thread(function: Any, *arguments: Any) -> int:
            sys.audit(_THREAD_STARTED, function, *arguments)
            return int(start(function, *arguments))

        threading._start_new_thread = start_new_thread  # type: ignore[attr-defined]


def _opening(event: str, arguments: Sequence[Any], place: Place) -> Opening:
    """Return what an audit event says is about to be opened."""
    path, nbytes = "", 0
    if event in ("open", "os.mkdir") and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.fsdecode(arguments[0])
    elif event == "mmap.__new__":
        descriptor, nbytes = int(arguments[0]), int(arguments[1])
        if not nbytes and descriptor >= 0:
            nbytes = os.fstat(descriptor).st_size
    return Opening(event=event, place=place, path=path, nbytes=nbytes)


def _opens_nothing(function: Any) -> bool:
    """Whether a function of C opens nothing itself, but may give way to a thread that does."""
    owner = getattr(function, "__self__", None)
    # The start of a thread has an event of its own.
    return owner is _thread or isinstance(owner, _OPENING_NOTHING)
