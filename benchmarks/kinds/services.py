"""What a service does around a model for each session, and forgets to undo; and twins."""

import asyncio
import functools
import gc
import logging
import os
import pickle
import tempfile
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from base import Kind

KEPT = []
SEEN = {}
REGISTRY = []
RAISED_FROM_THE_DEAD = []
LOG = logging.getLogger("kinds.sessions")
LOG.propagate = False


class EventLoops(Kind):
    def on_stream(self):
        KEPT.append(asyncio.new_event_loop())


class EventLoopsClosed(Kind):
    def on_stream(self):
        asyncio.new_event_loop().close()


class Executors(Kind):
    def on_stream(self):
        executor = ThreadPoolExecutor(max_workers=1)
        executor.submit(len, "audio").result()
        KEPT.append(executor)


class ExecutorsShutDown(Kind):
    def on_stream(self):
        with ThreadPoolExecutor(max_workers=1) as executor:
            executor.submit(len, "audio").result()


class Warned(Kind):
    """Each text is remembered, so that it is shown once."""

    def on_segment(self):
        warnings.warn(f"segment {self.segments} is late", UserWarning, stacklevel=1)


class Loggers(Kind):
    def on_stream(self):
        logging.getLogger(f"kinds.session.{self.streams}").debug("opened")


class LogFiles(Kind):
    def on_stream(self):
        LOG.addHandler(logging.FileHandler(Path(tempfile.gettempdir()) / "session.log"))


class Classes(Kind):
    def on_stream(self):
        REGISTRY.append(type("Session", (), {"number": self.streams}))


class Garbage(Kind):
    """A setting for debugging that was left on: what is collected is kept."""

    def set_up(self):
        gc.set_debug(gc.DEBUG_SAVEALL)

    def on_segment(self):
        one = {"audio": bytes(1000)}
        one["self"] = one

    def close(self):
        gc.set_debug(0)


class GarbageCollected(Kind):
    def on_segment(self):
        one = {"audio": bytes(1000)}
        one["self"] = one


class Utterance:
    def __init__(self):
        self.audio = bytes(3000)

    def __del__(self):
        RAISED_FROM_THE_DEAD.append(self)


class Resurrected(Kind):
    def on_segment(self):
        Utterance()


class Session:
    def __init__(self):
        self.audio = np.zeros(65_536, dtype=np.uint8)

    @functools.cache  # noqa: B019 - the mistake that is meant
    def level(self):
        return int(self.audio.max())


class MethodCache(Kind):
    def on_stream(self):
        Session().level()


class Doubling(Kind):
    def on_chunk(self, samples):
        SEEN[self.chunks] = None


class Environment(Kind):
    def on_stream(self):
        os.environ[f"KINDS_SESSION_{self.streams}"] = "s" * 300


class Memo(Kind):
    """A pickler remembers everything that it has written."""

    def set_up(self):
        with Path(os.devnull).open("wb") as sink:
            self.sink = os.fdopen(os.dup(sink.fileno()), "wb")
        self.pickler = pickle.Pickler(self.sink)

    def on_segment(self):
        self.pickler.dump(["segment", self.segments, "a" * 500 + str(self.segments)])


class WeakCache(Kind):
    """Forgets what nobody else holds."""

    def set_up(self):
        self.cache = weakref.WeakValueDictionary()

    def on_stream(self):
        self.current = self.cache[self.streams] = Session()
