"""Growth outside of Python's objects: native memory, mappings, and what is open; and twins."""

import ctypes
import mmap
import os
import random
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
from base import Kind

KEPT = []
MIB = 1 << 20
LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.realloc.restype = ctypes.c_void_p
LIBC.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]


class MallocChunk(Kind):
    def on_chunk(self, samples):
        LIBC.malloc(200)


class MallocSegment(Kind):
    def on_segment(self):
        LIBC.malloc(2000)


class MallocStream(Kind):
    def on_stream(self):
        LIBC.malloc(4000)


class MallocLarge(Kind):
    def on_segment(self):
        LIBC.malloc(400_000)


class Realloc(Kind):
    """One block that gets longer."""

    def set_up(self):
        self.block, self.nbytes = None, 1 << 20

    def on_chunk(self, samples):
        self.nbytes += 4096
        self.block = LIBC.realloc(self.block, self.nbytes)


class MallocFreed(Kind):
    def on_chunk(self, samples):
        LIBC.free(LIBC.malloc(2000))


class SharedMapping(Kind):
    def on_segment(self):
        mapping = mmap.mmap(-1, MIB)
        mapping.write(b"x" * MIB)
        KEPT.append(mapping)


class PrivateMapping(Kind):
    def on_segment(self):
        KEPT.append(mmap.mmap(-1, MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


class MappingClosed(Kind):
    def on_segment(self):
        with mmap.mmap(-1, MIB) as mapping:
            mapping.write(b"x" * MIB)


class SharedMemory(Kind):
    def on_segment(self):
        block = shared_memory.SharedMemory(create=True, size=MIB)
        block.buf[:] = bytes(MIB)
        block.unlink()
        KEPT.append(block)


class SharedMemoryClosed(Kind):
    def on_segment(self):
        block = shared_memory.SharedMemory(create=True, size=MIB)
        block.buf[:] = bytes(MIB)
        block.close()
        block.unlink()


class Files(Kind):
    def on_segment(self):
        os.open("/dev/null", os.O_RDONLY)


class FilesClosed(Kind):
    def on_segment(self):
        os.close(os.open("/dev/null", os.O_RDONLY))


class Pipes(Kind):
    def on_segment(self):
        os.pipe()


class Sockets(Kind):
    def on_stream(self):
        KEPT.append(socket.socket(socket.AF_UNIX))


class Polls(Kind):
    def on_segment(self):
        KEPT.append(select.epoll())


class MemoryFile(Kind):
    def set_up(self):
        self.file = os.memfd_create("audio")

    def on_chunk(self, samples):
        os.write(self.file, bytes(4096))


class Threads(Kind):
    def on_stream(self):
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class ThreadsJoined(Kind):
    def on_stream(self):
        thread = threading.Thread(target=time.sleep, args=(0,))
        thread.start()
        thread.join()


class Children(Kind):
    def on_segment(self):
        KEPT.append(subprocess.Popen(["sleep", "600"]))

    def close(self):
        for child in KEPT:
            child.kill()


class Zombies(Kind):
    def on_segment(self):
        if os.fork() == 0:
            os._exit(0)


class ChildrenReaped(Kind):
    def on_segment(self):
        subprocess.run(["true"], check=True)


class GrowingChild(Kind):
    """Hands each chunk to a process of its own, which keeps a page of each."""

    program = "import sys\nkept = []\nfor line in sys.stdin:\n    kept.append(bytearray(40960))\n"

    def set_up(self):
        self.child = subprocess.Popen(
            [sys.executable, "-c", self.program], stdin=subprocess.PIPE, text=True
        )

    def on_chunk(self, samples):
        self.child.stdin.write("chunk\n")
        self.child.stdin.flush()

    def close(self):
        self.child.kill()


class TemporaryFiles(Kind):
    def on_segment(self):
        handle, _ = tempfile.mkstemp()
        os.close(handle)


class TemporaryFilesRemoved(Kind):
    def on_segment(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x" * 5000)


class GrowingFile(Kind):
    def set_up(self):
        self.file = (Path(tempfile.gettempdir()) / "spool").open("wb", buffering=0)

    def on_chunk(self, samples):
        self.file.write(bytes(4096))


class Slower(Kind):
    def on_chunk(self, samples):
        sum(range(self.chunks * 40))


class SameTime(Kind):
    def on_chunk(self, samples):
        sum(range(20_000))


class RandomTime(Kind):
    def set_up(self):
        self.random = random.Random(4)

    def on_chunk(self, samples):
        sum(range(self.random.randrange(1000, 40_000)))


class Graph(Kind):
    """A recurrent state that drags its history behind it."""

    def set_up(self):
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.torch = torch
        self.cell = torch.nn.GRU(80, 64)
        self.x["h"] = torch.zeros(1, 1, 64)

    def on_chunk(self, samples):
        features = self.torch.from_numpy(np.resize(samples, 800).reshape(10, 1, 80))
        _, self.x["h"] = self.cell(features, self.x["h"])


class GraphDetached(Graph):
    def on_chunk(self, samples):
        super().on_chunk(samples)
        self.x["h"] = self.x["h"].detach()


class GraphHidden(Graph):
    """The same state, where no root reaches it."""

    def set_up(self):
        super().set_up()
        self.state = self.x.pop("h")

    def on_chunk(self, samples):
        features = self.torch.from_numpy(np.resize(samples, 800).reshape(10, 1, 80))
        _, self.state = self.cell(features, self.state)
