"""Detectors that leak outside their roots, each into another thing that Python keeps."""

import asyncio
import atexit
import contextvars
import ctypes
import functools
import logging
import queue
import sys
import threading
import weakref
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping
from contextlib import ExitStack
from typing import Any

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments

SESSIONS: dict[int, dict[str, list[float]]] = {}
RECENT: "deque[bytes]" = deque()
SEEN: set[str] = set()
BY_LEVEL: "defaultdict[int, list[float]]" = defaultdict(list)
AUDIO = bytearray()
QUEUE: "queue.Queue[bytes]" = queue.Queue()
CONTEXTS: list[contextvars.Context] = []
TURN = contextvars.ContextVar("turn", default=0)
GENERATORS: list[Generator[float, None, None]] = []
SCOPES = ExitStack()
CALLBACKS: list[Any] = []
LOCAL = threading.local()
LOG = logging.getLogger("detector")


class Holding(EnergyVad, ABC):
    """Keeps something each chunk where no root reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.chunks += 1
        self.keep(samples)
        return super().feed(samples, is_final)

    @abstractmethod
    def keep(self, samples: Samples) -> None: ...

    def roots(self) -> Mapping[str, object]:
        return {"levels": self.levels}


class Sessions(Holding):
    def keep(self, samples: Samples) -> None:
        SESSIONS[self.chunks] = {"levels": [self.chunks + 0.5]}


class Recent(Holding):
    def keep(self, samples: Samples) -> None:
        RECENT.append(samples.tobytes()[:100])


class Names(Holding):
    def keep(self, samples: Samples) -> None:
        SEEN.add(f"chunk {self.chunks}")


class ByLevel(Holding):
    """One key whose list gets longer."""

    def keep(self, samples: Samples) -> None:
        BY_LEVEL[0].append(self.chunks + 0.5)


class Audio(Holding):
    def keep(self, samples: Samples) -> None:
        AUDIO.extend(samples.tobytes()[:100])


class Queued(Holding):
    def keep(self, samples: Samples) -> None:
        QUEUE.put(samples.tobytes()[:100])


@functools.cache
def _feature(key: bytes) -> int:
    return len(key)


class Cached(Holding):
    def keep(self, samples: Samples) -> None:
        _feature(self.chunks.to_bytes(8, "little") * 8)


class CachedMethod(Holding):
    """A cache that holds the detector itself with each argument."""

    @functools.lru_cache(maxsize=None)  # noqa: B019, UP033 - the mistake under test
    def feature(self, key: bytes) -> int:
        return len(key)

    def keep(self, samples: Samples) -> None:
        self.feature(self.chunks.to_bytes(8, "little") * 8)


class Handlers(Holding):
    def keep(self, samples: Samples) -> None:
        LOG.addHandler(logging.NullHandler())


class Loggers(Holding):
    """A logger of its own for each chunk."""

    def keep(self, samples: Samples) -> None:
        logging.getLogger(f"detector.chunk{self.chunks}")


class Tasks(Holding):
    """Tasks that wait for ever, kept by a loop that never runs them to their end."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.queue: asyncio.Queue[int] = asyncio.Queue()
        self.tasks: set[asyncio.Task[int]] = set()

    def keep(self, samples: Samples) -> None:
        self.tasks.add(self.loop.create_task(self.queue.get()))
        self.loop.run_until_complete(asyncio.sleep(0))


class LostTasks(Tasks):
    """The same, kept by nothing but what they wait for."""

    def keep(self, samples: Samples) -> None:
        self.loop.create_task(self.queue.get())
        self.loop.run_until_complete(asyncio.sleep(0))


class Contexts(Holding):
    def keep(self, samples: Samples) -> None:
        context = contextvars.copy_context()
        context.run(TURN.set, self.chunks + 1000)
        CONTEXTS.append(context)


class Generators(Holding):
    def count(self) -> Generator[float, None, None]:
        begun = self.chunks + 0.5
        while True:
            yield begun

    def keep(self, samples: Samples) -> None:
        generator = self.count()
        next(generator)
        GENERATORS.append(generator)


class ExitCallbacks(Holding):
    """Callbacks of an ``ExitStack`` that is never closed."""

    def keep(self, samples: Samples) -> None:
        SCOPES.callback(print, self.chunks + 0.5)


class AtExit(Holding):
    """Functions registered for the interpreter's end, which no Python object holds."""

    def keep(self, samples: Samples) -> None:
        atexit.register(functools.partial(len, [self.chunks + 0.5]))


class Watched:
    """Something that can be watched."""


class Finalizers(Holding):
    """Finalizers of an object that lives as long as the process."""

    def __init__(self) -> None:
        super().__init__()
        self.watched = Watched()

    def keep(self, samples: Samples) -> None:
        weakref.finalize(self.watched, len, [self.chunks + 0.5])


class WeakCallbacks(Holding):
    """Weak references with a callback, kept by nothing but a list in a closure."""

    def __init__(self) -> None:
        super().__init__()
        self.watched = Watched()
        self.on_end = _make_watcher(self.watched)

    def keep(self, samples: Samples) -> None:
        self.on_end()


def _make_watcher(watched: Watched) -> Callable[[], None]:
    watchers: list[weakref.ref[Watched]] = []

    def watch() -> None:
        watchers.append(weakref.ref(watched, lambda _: None))

    return watch


class CCallbacks(Holding):
    prototype = ctypes.CFUNCTYPE(ctypes.c_int)

    def keep(self, samples: Samples) -> None:
        CALLBACKS.append(self.prototype(lambda: 0))


class ThreadLocals(Holding):
    def keep(self, samples: Samples) -> None:
        LOCAL.__dict__.setdefault("levels", []).append(self.chunks + 0.5)


class Interned(Holding):
    """Text interned for ever, which nothing in Python holds."""

    def __init__(self) -> None:
        super().__init__()
        self.intern = ctypes.pythonapi.PyUnicode_InternFromString
        self.intern.restype = ctypes.py_object
        self.kept: Any = ctypes.pythonapi.Py_IncRef
        self.kept.argtypes = (ctypes.py_object,)

    def keep(self, samples: Samples) -> None:
        self.kept(sys.intern(f"chunk {self.chunks} " * 4))


class Types(Holding):
    """A class made for each chunk, which its base class remembers and nothing lets go."""

    made: list[type] = []  # noqa: RUF012 - the mistake under test

    def keep(self, samples: Samples) -> None:
        self.made.append(type("Chunk", (Watched,), {"number": self.chunks}))


class Globals(Holding):
    """Names put into a module's globals."""

    def keep(self, samples: Samples) -> None:
        globals()[f"CHUNK_{self.chunks}"] = self.chunks + 0.5


class Attributes(Holding):
    """Attributes set on the instance, which is no root."""

    def keep(self, samples: Samples) -> None:
        setattr(self, f"chunk_{self.chunks}", self.chunks + 0.5)


class Cycles(Holding):
    """Cycles that the collector is kept from freeing by a reference from a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.agen = self._hold()
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(anext(self.agen))

    async def _hold(self) -> AsyncIterator[None]:
        held = []
        while True:
            held.append([held, self.chunks + 0.5])
            yield

    def keep(self, samples: Samples) -> None:
        step: Coroutine[Any, Any, None] = self._step()
        self.loop.run_until_complete(step)

    async def _step(self) -> None:
        await anext(self.agen)


class BoundedHolding(Holding):
    """Keeps the last of everything, and no more."""

    def keep(self, samples: Samples) -> None:
        LOCAL.levels = [self.chunks + 0.5]
        SESSIONS.clear()
        SESSIONS[self.chunks] = {"levels": [self.chunks + 0.5]}
        RECENT.append(samples.tobytes()[:100])
        if len(RECENT) > 4:
            RECENT.popleft()


class RotatingHolding(Holding):
    """A ring whose items are always new: as many as before, and none of those that were there."""

    def keep(self, samples: Samples) -> None:
        GENERATORS.append(self.count())
        del GENERATORS[:-5]

    def count(self) -> Generator[float, None, None]:
        yield self.chunks + 0.5


class Transcript(Holding):
    """Text in a module's global, replaced by longer text."""

    def keep(self, samples: Samples) -> None:
        global TEXT
        TEXT += f"heard {self.chunks} "


TEXT = ""
