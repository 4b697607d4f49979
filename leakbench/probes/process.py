"""What the worker's process weighs: resident pages, allocated heap, unshared pages.

Heap and unshared pages are None where the platform cannot give them.

Allocated heap
--------------
``heap_bytes`` is what C and Python code have allocated and not freed: glibc's chunks in use
and its memory-mapped chunks (``mallinfo2``: ``uordblks + hblkhd``, which is what psutil's
``heap_info`` calls ``heap_used + mmap_used``), and the bytes in CPython's own allocator.
CPython keeps objects of up to 512 bytes in arenas that it maps itself; glibc's ledger does
not know them. Run with ``PYTHONMALLOC=malloc`` they are in glibc's ledger and there is no
second part.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import re
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import psutil

_STATM: Final = "/proc/self/statm"
_STATM_BYTES: Final = 128
_REPORT_BYTES: Final = 1 << 16
"""CPython's allocator report is about 4 KiB; it grows with the size classes in use."""
_WARM_UPS: Final = 16
"""Looks before the first that counts. The heap was seen to fall once by 64 bytes at the 8th
look, which is when CPython 3.11 begins to specialise a function's bytecode."""
_CACHED_SIZES: Final = range(24, 1033, 16)
"""A request of each size that glibc caches for a thread."""
_SMALL_OBJECT_BYTES: Final = re.compile(rb"# bytes in allocated blocks\s*=\s*([\d,]+)")


class ProcessProbe:
    """Measures the process it lives in. Everything it needs is allocated when it is made."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._libc = ctypes.CDLL(None) if os.name == "posix" else None
        self._page_bytes = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0
        self._statm = -1
        with contextlib.suppress(OSError, AttributeError):
            self._statm = os.open(_STATM, os.O_RDONLY | os.O_CLOEXEC)
        self._c_heap_bytes = _c_heap(self._libc)
        self._small_object_bytes = _small_objects(self._libc)
        self._trim = _function(self._libc, "malloc_trim", ctypes.c_int, ctypes.c_size_t)
        self._malloc = _function(self._libc, "malloc", ctypes.c_void_p, ctypes.c_size_t)
        self._free = _function(self._libc, "free", None, ctypes.c_void_p)
        self._cache_filling = tuple(_CACHED_SIZES) * _cached_chunks()
        # The first look fills free lists, imports and stdio buffers of its own.
        for _ in range(_WARM_UPS):
            self.rss_bytes()
            self.heap_bytes()

    def rss_bytes(self) -> int:
        """Return the resident set size."""
        if self._statm >= 0:
            pages = os.pread(self._statm, _STATM_BYTES, 0).split(maxsplit=2)[1]
            return int(pages) * self._page_bytes
        return int(self._process.memory_info().rss)

    def heap_bytes(self) -> int | None:
        """Return the bytes allocated and not freed, in C and in Python.

        Repeated with nothing allocated in between it returns the same number, provided the
        numbers themselves are not kept as objects: write them to an array.
        """
        if self._c_heap_bytes is None or self._small_object_bytes is None:
            return None
        c_heap = self._c_heap_bytes()
        small_objects = self._small_object_bytes()
        return None if small_objects is None else c_heap + small_objects

    def uss_bytes(self) -> int | None:
        """Return the unshared resident pages; walks the page tables, so ask rarely."""
        try:
            return int(self._process.memory_full_info().uss)
        except (psutil.Error, AttributeError):
            return None

    def settle(self) -> None:
        """Free what can be freed: cyclic garbage, and heap pages the allocator keeps.

        The chunks that glibc's thread cache keeps for reuse count as allocated, so a process
        would seem to grow for as long as that cache fills, half an hour of a VAD. It is filled
        to the brim instead, and weighs the same at every look.
        """
        gc.collect()
        if self._trim is not None:
            self._fill_thread_cache()
            self._trim(0)

    def _fill_thread_cache(self) -> None:
        chunks = list(map(self._malloc, self._cache_filling))
        deque(map(self._free, chunks), maxlen=0)

    def freeze(self) -> None:
        """Set aside what exists now: later collections look only at what came after.

        With torch loaded this takes a collection from 110 to 190 ms down to 0.2 ms.
        """
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """Close the file that `rss_bytes` reads; psutil answers from then on."""
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1


def _cached_chunks() -> int:
    """Return how many free chunks of one size glibc keeps for a thread; 0 where it is not used."""
    if "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", ()):
        return 0
    _, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0").partition(" ")
    return 7 if tuple(map(int, version.split("."))) < (2, 42) else 16


class _MallInfo2(ctypes.Structure):
    """glibc 2.33 and later; see mallinfo(3)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


def _c_heap(libc: ctypes.CDLL | None) -> Callable[[], int] | None:
    """Return a function that gives the bytes that C code has allocated, or None."""
    heap_info: Any = getattr(psutil, "heap_info", None)  # from 7.2 on

    if heap_info is not None:

        def ask_psutil() -> int:
            info = heap_info()
            return int(info.heap_used + info.mmap_used)

        return ask_psutil

    mallinfo2 = _function(libc, "mallinfo2", _MallInfo2)
    if mallinfo2 is None:
        return None

    def ask_glibc() -> int:
        info = mallinfo2()
        return int(info.uordblks + info.hblkhd)

    return ask_glibc


def _small_objects(libc: ctypes.CDLL | None) -> Callable[[], int | None] | None:
    """Return a function that gives the bytes in CPython's own allocator, or None.

    They are in no interface but the report of ``sys._debugmallocstats``. That one writes to
    the C library's standard error; the function below it writes to any C stream, so it gets
    one whose memory is ours: nothing is taken from what other threads print.
    """
    report = _function(
        ctypes.pythonapi, "_PyObject_DebugMallocStats", ctypes.c_int, ctypes.c_void_p
    )
    open_stream = _function(
        libc,
        "fmemopen",
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
    )
    rewind = _function(libc, "rewind", None, ctypes.c_void_p)
    flush = _function(libc, "fflush", ctypes.c_int, ctypes.c_void_p)
    if report is None or open_stream is None or rewind is None or flush is None:
        return None
    text = ctypes.create_string_buffer(_REPORT_BYTES)
    # The stream lives as long as the process: it is one, and cannot be closed while in use.
    stream = open_stream(text, _REPORT_BYTES, b"w")
    if not stream:
        return None
    view = memoryview(text)

    def ask_python() -> int | None:
        rewind(stream)
        if not report(stream):
            return 0  # PYTHONMALLOC=malloc: no allocator of its own
        flush(stream)
        found = _SMALL_OBJECT_BYTES.search(view)
        return None if found is None else int(found[1].replace(b",", b""))

    return ask_python


def _function(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Return a C function with its types set, or None where the library has none."""
    try:
        # By index: a prototype of our own, not the one every user of the library shares.
        function = library[name]
    except (AttributeError, TypeError):
        return None
    function.restype = result
    function.argtypes = arguments
    return function
