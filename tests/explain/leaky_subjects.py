"""Detectors that leak where no root reaches, each in another place."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments

HISTORY: list[float] = []
SEEN: dict[str, None] = {}
LOCAL = threading.local()
JOINED: dict[str, Any] = {"audio": np.zeros(512, dtype=np.float32)}


class _Leaky(EnergyVad, ABC):
    def __init__(self) -> None:
        super().__init__()
        self.chunks = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.chunks += 1
        self.leak(samples)
        return super().feed(samples, is_final)

    @abstractmethod
    def leak(self, samples: Samples) -> None: ...


class ModuleGlobal(_Leaky):
    def leak(self, samples: Samples) -> None:
        HISTORY.append(self.chunks + 0.5)


class GlobalKeys(_Leaky):
    """A dict of numbers, which the garbage collector does not even track."""

    def leak(self, samples: Samples) -> None:
        SEEN[f"chunk {self.chunks}"] = None


class ThreadLocal(_Leaky):
    def leak(self, samples: Samples) -> None:
        if not hasattr(LOCAL, "levels"):
            LOCAL.levels = []
        LOCAL.levels.append(self.chunks + 0.5)


class ClassAttribute(_Leaky):
    """Hangs it on the class, which is one of a metaclass's: ``ABCMeta``."""

    heard: list[float] = []  # noqa: RUF012 - the mistake under test

    def leak(self, samples: Samples) -> None:
        self.heard.append(self.chunks + 0.5)


def _make_counter() -> Callable[[float], None]:
    counted: list[float] = []

    def count(value: float) -> None:
        counted.append(value + 0.5)

    return count


_COUNT = _make_counter()


class Closure(_Leaky):
    def leak(self, samples: Samples) -> None:
        _COUNT(self.chunks)


class Node:
    def __init__(self, before: "Node | None") -> None:
        self.before = before


class Chain(_Leaky):
    """Each node holds the one before it: no container gets longer."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: Node | None = None

    def leak(self, samples: Samples) -> None:
        self.newest = Node(self.newest)


class JoinedArray(_Leaky):
    """An array that is replaced by a longer one: no container gets longer."""

    def leak(self, samples: Samples) -> None:
        JOINED["audio"] = np.concatenate([JOINED["audio"], samples[:100]])


class OtherThread(_Leaky):
    """A list in a thread of its own, held by nothing but that thread's frame."""

    def __init__(self) -> None:
        super().__init__()
        self.wake, self.done = threading.Event(), threading.Event()
        threading.Thread(target=_keep, args=(self.wake, self.done), daemon=True).start()

    def leak(self, samples: Samples) -> None:
        self.done.clear()
        self.wake.set()
        self.done.wait()

    def roots(self) -> Mapping[str, object]:
        return {"levels": self.levels}


def _keep(wake: threading.Event, done: threading.Event) -> None:
    kept = []
    while True:
        wake.wait()
        wake.clear()
        kept.append(len(kept) + 0.5)
        done.set()


class EveryFiftiethPeriod(_Leaky):
    """A list more every five hundredth chunk, below a root."""

    every = 500

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[list[float]] = []

    def leak(self, samples: Samples) -> None:
        if self.chunks % self.every == 55 % self.every:
            self.kept.append([self.chunks + 0.5])

    def roots(self) -> Mapping[str, object]:
        return {"kept": self.kept}


class EveryTenthPeriod(EveryFiftiethPeriod):
    every = 100


class BelowAndOutside(_Leaky):
    """A list below a root, which proves the leak, and one where no root reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[float] = []

    def leak(self, samples: Samples) -> None:
        self.kept.append(self.chunks + 0.25)
        HISTORY.append(self.chunks + 0.5)

    def roots(self) -> Mapping[str, object]:
        return {"kept": self.kept}


class RaisesOnRestart(BelowAndOutside):
    """Has one stream and no second."""

    chunks = 0

    def start(self) -> None:
        if self.chunks:
            self.refuse()
        super().start()

    def refuse(self) -> None:
        raise RuntimeError("one stream is all there is")


class LeaksInItsFirstStream(RaisesOnRestart):
    """Has kept what it keeps by its second stream."""

    keeps = True

    def leak(self, samples: Samples) -> None:
        if self.keeps:
            super().leak(samples)

    def refuse(self) -> None:
        self.keeps = False


class HangsOnRestart(RaisesOnRestart):
    def refuse(self) -> None:
        time.sleep(3600)
