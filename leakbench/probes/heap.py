"""What C and Python code have allocated and not freed, by the allocators' own ledgers.

glibc's chunks in use and its memory-mapped chunks (``mallinfo2``: ``uordblks + hblkhd``, which
psutil's ``heap_info`` calls ``heap_used + mmap_used``), and the bytes in CPython's own
allocator. CPython keeps objects of up to 512 bytes in arenas that it maps itself; glibc's
ledger does not know them. Run with ``PYTHONMALLOC=malloc`` they are in glibc's ledger and there
is no second part.

The same ledgers say what both allocators have obtained from the operating system: what else is
mapped is no heap.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import psutil

from leakbench.probes.libc import LIBC, find_function

_REPORT_BYTES: Final = 1 << 16
"""CPython's allocator report is about 4 KiB; it grows with the size classes in use."""
_PYTHON: Final = re.compile(
    rb"bytes/arena\s*=\s*([\d,]+).*?# bytes in allocated blocks\s*=\s*([\d,]+)", re.DOTALL
)


class Heap(NamedTuple):
    """What allocators say of themselves; None where they cannot be asked."""

    allocated_bytes: int | None = None
    """Allocated and not freed."""
    obtained_bytes: int | None = None
    """Mapped to allocate from."""


class HeapProbe:
    """Reads the ledgers. Everything it needs is allocated when it is made."""

    def __init__(self) -> None:
        self._c = c_ledger()
        self._python = _PythonLedger()

    def read(self) -> Heap:
        """Return what both ledgers say together.

        Read again with nothing allocated in between they say the same, provided the numbers
        themselves are not kept as objects.
        """
        c, python = self._c(), self._python.read()
        return Heap(
            _add(c.allocated_bytes, python.allocated_bytes),
            _add(c.obtained_bytes, python.obtained_bytes),
        )

    def close(self) -> None:
        """Release what the reports are written to."""
        self._python.close()


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


def c_ledger() -> Callable[[], Heap]:
    """Return a function that reads the C library's ledger."""
    mallinfo2 = find_function(LIBC, "mallinfo2", _MallInfo2)
    if mallinfo2 is not None:

        def ask_glibc() -> Heap:
            info = mallinfo2()
            return Heap(info.uordblks + info.hblkhd, info.arena + info.hblkhd)

        return ask_glibc

    heap_info: Any = getattr(psutil, "heap_info", None)  # from 7.2 on: other C libraries

    def ask_psutil() -> Heap:
        if heap_info is None:
            return Heap()
        info = heap_info()
        return Heap(info.heap_used + info.mmap_used)

    return ask_psutil


class _PythonLedger:
    """CPython's own allocator, as its report of ``sys._debugmallocstats`` has it.

    The figures are in no other interface. That one writes to the C library's standard error;
    the function below it writes to any C stream, so it gets one whose memory is ours: nothing is
    taken from what other threads print.
    """

    def __init__(self) -> None:
        self._report = find_function(
            ctypes.pythonapi, "_PyObject_DebugMallocStats", ctypes.c_int, ctypes.c_void_p
        )
        pointer = ctypes.c_void_p
        open_stream = find_function(
            LIBC, "fmemopen", pointer, pointer, ctypes.c_size_t, ctypes.c_char_p
        )
        self._rewind = find_function(LIBC, "rewind", None, pointer)
        self._flush = find_function(LIBC, "fflush", ctypes.c_int, pointer)
        self._close = find_function(LIBC, "fclose", ctypes.c_int, pointer)
        self._text = ctypes.create_string_buffer(_REPORT_BYTES)
        self._view = memoryview(self._text)
        self._stream = open_stream(self._text, _REPORT_BYTES, b"w") if open_stream else None

    def read(self) -> Heap:
        """Return what it says now."""
        if self._report is None or not self._stream:
            return Heap()
        self._rewind(self._stream)
        if not self._report(self._stream):
            return Heap(0, 0)  # PYTHONMALLOC=malloc: no allocator of its own
        self._flush(self._stream)
        found = _PYTHON.search(self._view)
        return Heap(_number(found[2]), _number(found[1])) if found else Heap()

    def close(self) -> None:
        """Close the stream; there is nothing to be read after."""
        if self._stream:
            self._close(self._stream)
            self._stream = None


def _number(text: bytes) -> int:
    return int(text.replace(b",", b""))


def _add(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
