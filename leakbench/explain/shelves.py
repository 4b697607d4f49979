"""Which of what is open was opened by which line: one shelf for each kind of thing.

A line is known before it opens anything, and what it opened only afterwards. So a shelf keeps the
opening that is under way, and gives it what is new when it is asked the next time. It remembers no
more than what is open.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leakbench.explain import listing
from leakbench.explain.listing import Piece
from leakbench.explain.places import Place

SEEN: Final = "seen"
"""In place of an event, where something was seen to be new once a call was over."""
DELETED: Final = " (deleted)"
"""What the kernel adds to a path that no folder leads to any more."""
_PRUNED_AT: Final = 1024
"""Paths of temporary files remembered before those that are gone are forgotten."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A call that opens something."""

    event: str
    """The interpreter's audit event, or `SEEN`."""
    place: Place
    path: str = ""
    """What is opened, where that has a path."""
    nbytes: int = 0
    """Of a mapping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing that is open."""

    what: str
    """``pipe``, ``socket``, ``file``, ``thread``, ``process``, ..."""
    name: str
    """What tells it from others of its kind: a path, a thread's name."""
    place: Place
    """Where it was opened; empty where that was not seen."""
    nbytes: int = 0
    """Of a mapping or a file."""


class Shelf(ABC):
    """What is open of one kind."""

    metric: str
    """In the catalogue, which counts these things."""
    events: frozenset[str]
    """Audit events that open one."""

    @abstractmethod
    def expect(self, opening: Opening) -> None:
        """Take note that something is about to be opened."""

    @abstractmethod
    def settle(self, opening: Opening | None = None) -> None:
        """Give what is new to the opening under way, or else to `opening`; forget what is gone."""

    @abstractmethod
    def kept(self) -> list[Kept]:
        """Return what is open now."""


class NumberedShelf(Shelf):
    """Descriptors, threads or children: things with a number of their own."""

    def __init__(self) -> None:
        self._known = self.numbers()
        self._openings: dict[int, tuple[Opening, str]] = {}
        self._expected: Opening | None = None

    def expect(self, opening: Opening) -> None:
        """Take note that something is about to be opened."""
        self.settle()
        self._expected = opening

    def settle(self, opening: Opening | None = None) -> None:
        """Give what is new to the opening under way, or else to `opening`; forget what is gone."""
        candidates = [each for each in (self._expected, opening) if each is not None]
        self._expected = None
        there = self.numbers()
        for number in self._openings.keys() - there:
            del self._openings[number]
        for number in there - self._known if candidates else ():
            text = self.read(number)
            fitting = next((each for each in candidates if self.fits(each, text)), None)
            if fitting is not None:
                self._openings[number] = fitting, text
        self._known = there

    def kept(self) -> list[Kept]:
        """Return what is open now."""
        self.settle()
        found = []
        for number in sorted(self._known):
            text = self.read(number)
            what, name = self.name(text)
            opening, as_opened = self._openings.get(number, (None, ""))
            is_same = opening is not None and self.is_same(text, as_opened)
            if what:
                place = opening.place if opening is not None and is_same else ()
                found.append(Kept(what=what, name=name, place=place))
        return found

    def fits(self, opening: Opening, text: str) -> bool:
        """Whether what reads `text` may be what `opening` opened."""
        return True

    def is_same(self, text: str, as_opened: str) -> bool:
        """Whether what reads `text` is still what it was when it was opened."""
        return True

    @abstractmethod
    def numbers(self) -> set[int]:
        """Return the numbers of all that is open now."""

    @abstractmethod
    def read(self, number: int) -> str:
        """Return what the kernel says of a number; empty where it is gone by now."""

    @abstractmethod
    def name(self, text: str) -> tuple[str, str]:
        """Return what reads `text` is, and its name; the former empty where it is gone."""

    @abstractmethod
    def signature(self) -> object:
        """Return what changes when one is opened, as cheaply as can be."""


class Descriptors(NumberedShelf):
    """Open files, pipes, sockets and the like."""

    metric = "descriptors"
    events = frozenset(("open", "socket.__new__", "subprocess.Popen", "os.forkpty"))
    _kinds: Final = {
        "socket.__new__": "socket:",
        "subprocess.Popen": "pipe:",
        "os.forkpty": "/dev/",
    }

    def numbers(self) -> set[int]:
        """Return the descriptors that are open."""
        return listing.list_descriptors()

    def read(self, number: int) -> str:
        """Return what the kernel calls a descriptor."""
        return listing.read_descriptor(number)

    def fits(self, opening: Opening, text: str) -> bool:
        """Whether what reads `text` may be what `opening` opened."""
        if opening.event == SEEN:
            return True
        if opening.event in self._kinds:
            return text.startswith(self._kinds[opening.event])
        if not opening.path:
            return False
        path = os.path.realpath(opening.path)
        # A file without a name is opened by the folder that it would be in.
        is_nameless = text.endswith(DELETED) and str(Path(text).parent) == path
        return text in (path, f"{path}{DELETED}") or is_nameless

    def is_same(self, text: str, as_opened: str) -> bool:
        """Whether what reads `text` is still what it was when it was opened."""
        # A number that was closed is given to whatever is opened next.
        return text.removesuffix(DELETED) == as_opened.removesuffix(DELETED)

    def name(self, text: str) -> tuple[str, str]:
        """Return ``pipe``, ``socket``, ``file`` ..., and the path if there is one."""
        what = listing.name_descriptor(text) if text else ""
        return what, text.removesuffix(DELETED) if text.startswith("/") else ""

    def signature(self) -> object:
        """Return the number that the next descriptor will have."""
        return listing.lowest_free_descriptor()


class Threads(NumberedShelf):
    """Threads, of Python and of C."""

    metric = "threads"
    events = frozenset(("_thread.start_new_thread", "_thread.start_joinable_thread"))

    def numbers(self) -> set[int]:
        """Return the kernel's numbers of all threads."""
        return listing.list_threads()

    def read(self, number: int) -> str:
        """Return a thread's name."""
        return listing.read_thread(number)

    def name(self, text: str) -> tuple[str, str]:
        """Return ``thread`` and its name."""
        return "thread", text

    def signature(self) -> object:
        """Return how many there are."""
        return listing.count_threads()


class Children(NumberedShelf):
    """Processes below this one."""

    metric = "children"
    events = frozenset(("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"))

    def numbers(self) -> set[int]:
        """Return the numbers of all processes below this one."""
        return listing.list_children()

    def read(self, number: int) -> str:
        """Return ``process sleep`` or ``zombie sleep``."""
        return listing.read_child(number)

    def name(self, text: str) -> tuple[str, str]:
        """Return ``process`` or ``zombie``, and the program's name."""
        what, _, name = text.partition(" ")
        return what, name

    def signature(self) -> object:
        """Return the children of this thread."""
        return listing.read_children()


class TempFiles(Shelf):
    """Files and folders that were made in a folder for temporary ones, and are still there.

    Parameters
    ----------
    folder
        All that is below it counts.
    is_own
        Whether it is this process's alone, so that what it holds was made by the subject even
        where no line was seen to make it.
    """

    metric = "temp_files"
    events = frozenset(("open", "os.mkdir"))

    def __init__(self, folder: Path, *, is_own: bool) -> None:
        self._folder = os.path.realpath(folder)
        self._is_own = is_own
        self._openings: dict[str, Opening] = {}

    def expect(self, opening: Opening) -> None:
        """Take note that something is about to be made."""
        path = os.path.realpath(opening.path) if opening.path else ""
        # What is there already is not made.
        if path.startswith(self._folder + os.sep) and not os.path.lexists(path):
            self._openings[path] = opening
            if len(self._openings) >= _PRUNED_AT:
                self.settle()

    def settle(self, opening: Opening | None = None) -> None:
        """Forget what is gone."""
        for path in [path for path in self._openings if not os.path.lexists(path)]:
            del self._openings[path]

    def kept(self) -> list[Kept]:
        """Return what is there now."""
        self.settle()
        paths = set(self._openings)
        if self._is_own:
            paths.update(map(str, Path(self._folder).rglob("*")))
        return [self._kept(Path(path)) for path in sorted(paths)]

    def _kept(self, path: Path) -> Kept:
        opening = self._openings.get(str(path))
        is_folder = path.is_dir() and not path.is_symlink()
        return Kept(
            what="temporary folder" if is_folder else "temporary file",
            name=str(path),
            place=opening.place if opening else (),
            nbytes=path.lstat().st_size if os.path.lexists(path) and not is_folder else 0,
        )


class Mappings(Shelf):
    """Memory that Python has mapped: ``mmap``, shared memory, ``numpy.memmap``."""

    metric = "mapped_bytes"
    events = frozenset(("mmap.__new__",))

    def __init__(self) -> None:
        self._known = listing.list_mappings()
        self._openings: dict[Piece, Opening] = {}
        self._expected: Opening | None = None

    def expect(self, opening: Opening) -> None:
        """Take note that something is about to be mapped."""
        self.settle()
        self._expected = opening

    def settle(self, opening: Opening | None = None) -> None:
        """Give what is new to the opening under way, and forget what is gone."""
        opening, self._expected = self._expected, None
        there = listing.list_mappings()
        for piece in [p for p in self._openings if listing.subtract([p], there)]:
            del self._openings[piece]
        if opening is not None:
            nbytes = -(-opening.nbytes // _PAGE) * _PAGE
            new = [p for p in listing.subtract(there, self._known) if p[1] - p[0] >= nbytes]
            if new:
                # The C library maps memory too; what has just the length asked for is ours.
                start, _ = min(new, key=lambda piece: piece[1] - piece[0])
                self._openings[start, start + nbytes] = opening
        self._known = there

    def kept(self) -> list[Kept]:
        """Return what is mapped now of what was seen to be."""
        self.settle()
        return [
            Kept(what="mapping", name="", place=opening.place, nbytes=end - start)
            for (start, end), opening in self._openings.items()
        ]
