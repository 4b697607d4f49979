"""Detectors that open something for each chunk and never close it, each of another kind."""

import asyncio
import mmap
import multiprocessing
import multiprocessing.connection
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import numpy as np

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments

KEPT: list[Any] = []


class Opening(EnergyVad, ABC):
    """Opens something each tenth chunk, where no root reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        if self.chunks % 10 == 0:
            self.open(samples)
        self.chunks += 1
        return super().feed(samples, is_final)

    @abstractmethod
    def open(self, samples: Samples) -> None: ...

    def roots(self) -> Mapping[str, object]:
        return {"levels": self.levels}


class Files(Opening):
    def open(self, samples: Samples) -> None:
        os.open("/dev/null", os.O_RDONLY)


class Logs(Opening):
    """A file object that is kept open, by way of a function of the standard library."""

    def open(self, samples: Samples) -> None:
        KEPT.append(tempfile.TemporaryFile())  # noqa: SIM115 - the mistake under test


class Pipes(Opening):
    def open(self, samples: Samples) -> None:
        os.pipe()


class Sockets(Opening):
    def open(self, samples: Samples) -> None:
        KEPT.append(socket.socket())


class SocketPairs(Opening):
    def open(self, samples: Samples) -> None:
        KEPT.append(socket.socketpair())


class EventDescriptors(Opening):
    def open(self, samples: Samples) -> None:
        os.eventfd(0)


class Multiplexers(Opening):
    def open(self, samples: Samples) -> None:
        KEPT.append(select.epoll())


class Loops(Opening):
    """An event loop is an ``epoll`` and a pair of sockets."""

    def open(self, samples: Samples) -> None:
        KEPT.append(asyncio.new_event_loop())


class InAThread(Opening):
    """Pipes that a thread opens, started for the purpose."""

    def open(self, samples: Samples) -> None:
        thread = threading.Thread(target=self.open_there)
        thread.start()
        thread.join()

    def open_there(self) -> None:
        os.pipe()


class Threads(Opening):
    def open(self, samples: Samples) -> None:
        threading.Thread(target=threading.Event().wait, daemon=True, name="waits").start()


class Zombies(Opening):
    def open(self, samples: Samples) -> None:
        KEPT.append(subprocess.Popen([sys.executable, "-S", "-c", ""]))


class Children(Opening):
    def open(self, samples: Samples) -> None:
        # Ends with the pipe, and so with this process.
        KEPT.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE))


class Forks(Opening):
    def open(self, samples: Samples) -> None:
        if os.fork() == 0:
            os._exit(0)


class Workers(Opening):
    """Processes of ``multiprocessing`` that are started afresh, for which there is no event."""

    def open(self, samples: Samples) -> None:
        process = multiprocessing.get_context("spawn").Process(target=print)
        process.start()
        KEPT.append(process)


class TempFiles(Opening):
    def open(self, samples: Samples) -> None:
        descriptor, _ = tempfile.mkstemp()
        os.close(descriptor)


class TempFolders(Opening):
    def open(self, samples: Samples) -> None:
        tempfile.mkdtemp()


class Mappings(Opening):
    def open(self, samples: Samples) -> None:
        mapping = mmap.mmap(-1, 1 << 16)
        mapping.write(b"x" * (1 << 16))
        KEPT.append(mapping)


class PrivateMappings(Opening):
    """Neighbours that the kernel joins to one mapping."""

    def open(self, samples: Samples) -> None:
        mapping = mmap.mmap(-1, 1 << 16, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        mapping.write(b"x" * (1 << 16))
        KEPT.append(mapping)


class MappedArrays(Opening):
    def open(self, samples: Samples) -> None:
        with tempfile.NamedTemporaryFile() as file:
            KEPT.append(np.memmap(file, dtype=np.float32, mode="w+", shape=1 << 14))


class SharedBlocks(Opening):
    def open(self, samples: Samples) -> None:
        block = shared_memory.SharedMemory(create=True, size=1 << 16)
        block.buf[:] = b"x" * (1 << 16)
        KEPT.append(block)
        block.unlink()


class BoundedOpening(Opening):
    """Opens all of these, keeps the last of each, and so holds no more than it did."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: deque[tuple[int, int, int, mmap.mmap, str]] = deque()

    def open(self, samples: Samples) -> None:
        descriptor, path = tempfile.mkstemp()
        self.kept.append((descriptor, *os.pipe(), mmap.mmap(-1, 1 << 16), path))
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        subprocess.run(["true"], check=True)
        if len(self.kept) > 1:
            *descriptors, mapping, path = self.kept.popleft()
            for number in descriptors:
                os.close(number)
            mapping.close()
            Path(path).unlink()
