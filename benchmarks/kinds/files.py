"""Files, folders and what is mapped of them, left behind in other ways; and twins."""

import mmap
import socket
import tempfile
from multiprocessing import shared_memory
from pathlib import Path

from base import Kind

KEPT = []
BLOCK = 4096


class Unlinked(Kind):
    """Files that no folder names, and that stay as long as they are open."""

    def on_segment(self):
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        file.write(bytes(2 * BLOCK))
        KEPT.append(file)


class Folders(Kind):
    def on_stream(self):
        tempfile.mkdtemp()


class FileMappings(Kind):
    """A model's file, mapped anew for each segment."""

    def set_up(self):
        self.file = (Path(tempfile.gettempdir()) / "weights").open("w+b")
        self.file.write(bytes(1 << 16))
        self.file.flush()

    def on_segment(self):
        KEPT.append(mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ))


class Listeners(Kind):
    def on_stream(self):
        KEPT.extend(socket.socketpair())


class SharedMemoryLeft(Kind):
    """Closed, but never unlinked: no process maps it, and it is still there."""

    def set_up(self):
        self.names = []

    def on_segment(self):
        block = shared_memory.SharedMemory(create=True, size=1 << 16)
        block.buf[:] = bytes(1 << 16)
        block.close()
        self.names.append(block.name)

    def close(self):
        for name in self.names:
            shared_memory.SharedMemory(name).unlink()


# Bounded.


class Rotated(Kind):
    """A log that begins again when it is full."""

    def set_up(self):
        self.file = (Path(tempfile.gettempdir()) / "log").open("wb", buffering=0)

    def on_chunk(self, samples):
        if self.file.tell() >= 100 * BLOCK:
            self.file.seek(0)
            self.file.truncate()
        self.file.write(bytes(BLOCK))


class Replaced(Kind):
    """One open file at a time, each of another name."""

    def set_up(self):
        self.file = None

    def on_segment(self):
        if self.file is not None:
            self.file.close()
        self.file = tempfile.NamedTemporaryFile()  # noqa: SIM115
