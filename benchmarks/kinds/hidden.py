"""Growth in Python that no root reaches, and structures of the same make that are bounded."""

import array
import asyncio
import atexit
import contextvars
import ctypes
import functools
import logging
import queue
import re
import sqlite3
import sys
import threading
import weakref

from base import Kind

KEPT = []
SESSIONS = {}
LOCAL = threading.local()
LOG = logging.getLogger("kinds.service")
LOG.propagate = False
NUMBERS = array.array("d")
NAMES = set()
WAITING = queue.Queue()
CONTEXT = contextvars.ContextVar("session")


class Sessions(Kind):
    def on_stream(self):
        SESSIONS[self.streams] = {"buffer": [0.0] * 50}


class SessionsDeleted(Kind):
    def on_stream(self):
        SESSIONS[self.streams] = {"buffer": [0.0] * 50}
        SESSIONS.pop(self.streams - 1, None)


@functools.cache
def feature(key):
    return len(key)


class Cache(Kind):
    def on_chunk(self, samples):
        feature(self.chunks.to_bytes(8, "little") * 40)


@functools.lru_cache(maxsize=64)
def bounded_feature(key):
    return len(key)


class CacheWithBound(Kind):
    def on_chunk(self, samples):
        bounded_feature(self.chunks.to_bytes(8, "little") * 40)


class Handlers(Kind):
    def on_stream(self):
        LOG.addHandler(logging.NullHandler())


class HandlersRemoved(Kind):
    def on_stream(self):
        for handler in list(LOG.handlers):
            LOG.removeHandler(handler)
        LOG.addHandler(logging.NullHandler())


class Finalizers(Kind):
    def set_up(self):
        self.model = {"weights": 1, "owner": Kind}
        self.owner = type("Owner", (), {})()

    def on_stream(self):
        weakref.finalize(self.owner, len, "x" * 200)


class Callbacks(Kind):
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)

    def on_stream(self):
        KEPT.append(self.kind(lambda value: value))


class Contexts(Kind):
    def on_segment(self):
        context = contextvars.copy_context()
        context.run(CONTEXT.set, "s" * 300)
        KEPT.append(context)


class Tasks(Kind):
    def set_up(self):
        self.loop = asyncio.new_event_loop()
        self.queue = asyncio.Queue()

    def on_stream(self):
        async def wait():
            await self.queue.get()

        KEPT.append(self.loop.create_task(wait()))
        self.loop.run_until_complete(asyncio.sleep(0))


class TasksAwaited(Kind):
    def set_up(self):
        self.loop = asyncio.new_event_loop()

    def on_stream(self):
        async def work():
            await asyncio.sleep(0)

        self.loop.run_until_complete(work())


class Generators(Kind):
    def on_segment(self):
        def lines():
            yield [self.segments]
            yield None

        suspended = lines()
        next(suspended)
        KEPT.append(suspended)


class Interned(Kind):
    def on_chunk(self, samples):
        NAMES.add(sys.intern(f"speaker {self.chunks} of the meeting {'x' * 100}"))


class Exceptions(Kind):
    def on_segment(self):
        try:
            raise ValueError("no endpoint" + "." * 200)
        except ValueError as error:
            KEPT.append(error)


class Closures(Kind):
    def on_segment(self):
        text = "t" * 500
        KEPT.append(lambda: text + str(self.segments))


class ThreadLocal(Kind):
    def on_segment(self):
        kept = LOCAL.__dict__.setdefault("kept", [])
        kept.append(bytes(1000))


class Numbers(Kind):
    def on_chunk(self, samples):
        NUMBERS.extend([0.5] * 20)


class Rows(Kind):
    def set_up(self):
        self.database = sqlite3.connect(":memory:")
        self.database.execute("create table said (text)")

    def on_segment(self):
        self.database.execute("insert into said values (?)", ("w" * 3000,))


class NeverDrained(Kind):
    def on_chunk(self, samples):
        WAITING.put(bytes(400))


class AtExit(Kind):
    def on_stream(self):
        atexit.register(len, "y" * 400)


class Patterns(Kind):
    """Fills the cache of ``re``, which has a bound."""

    def on_chunk(self, samples):
        re.match(f"word {self.chunks % 3000}", "word")
