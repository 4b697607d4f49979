"""Subjects that go wrong in every way a subject can, driven by the tests as users' files."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping

from leakbench.controls import EnergyVad
from leakbench.subject import Samples, Segments

GOOD_CHUNKS = 60


class _GoesWrong(EnergyVad, ABC):
    """Behaves for 60 chunks."""

    def __init__(self) -> None:
        super().__init__()
        self.fed = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.fed += 1
        if self.fed > GOOD_CHUNKS:
            return self.go_wrong()
        return super().feed(samples, is_final)

    @abstractmethod
    def go_wrong(self) -> Segments: ...


class Raises(_GoesWrong):
    def go_wrong(self) -> Segments:
        raise ValueError("the model fell over\nwith two lines")


class Hangs(_GoesWrong):
    def go_wrong(self) -> Segments:
        time.sleep(3600)
        return []


class ReturnsNonsense(_GoesWrong):
    def go_wrong(self) -> Segments:
        return "nonsense"  # type: ignore[return-value]


class ReturnsNone(_GoesWrong):
    def go_wrong(self) -> Segments:
        return None  # type: ignore[return-value]


class IsKilled(_GoesWrong):
    def go_wrong(self) -> Segments:
        os.kill(os.getpid(), signal.SIGKILL)
        return []


class Exits(_GoesWrong):
    def go_wrong(self) -> Segments:
        os._exit(7)


class EatsMemory(EnergyVad):
    """Leaks 8 MiB a chunk, touched so that it is resident."""

    def __init__(self) -> None:
        super().__init__()
        self.eaten: list[bytearray] = []

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.eaten.append(bytearray(b"x") * (8 << 20))
        time.sleep(0.01)
        return EnergyVad.feed(self, samples, is_final)

    def roots(self) -> Mapping[str, object]:
        return {"eaten": self.eaten}


class RaisesWhileLoading:
    def __init__(self) -> None:
        raise RuntimeError("no model here")


class NotASubject:
    sample_rate = 16000


class Slow(EnergyVad):
    """Real time enough to be interrupted."""

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        time.sleep(0.02)
        return super().feed(samples, is_final)


class HoldsAChain(EnergyVad):
    """Holds as many objects as take a look longer than half a second, and a good deal of memory."""

    def __init__(self) -> None:
        super().__init__()
        self.chain: list[object] = []
        for n in range(300_000):
            self.chain = [self.chain, float(n)]

    def roots(self) -> dict[str, object]:
        return {"chain": self.chain}
