"""Detectors that make what grows anew at each chunk, within their roots."""

from collections.abc import Mapping

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments


class Queue(EnergyVad):
    """A list, replaced by a longer one."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: object = None
        self.chunks = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        self.chunks += 1
        self.keep()
        return super().feed(samples, is_final)

    def keep(self) -> None:
        self.kept = [0.0] * (100 + self.chunks)

    def roots(self) -> Mapping[str, object]:
        return {"x": {"kept": self.kept}}


class Number(Queue):
    """A product that gets longer."""

    def keep(self) -> None:
        self.kept = 1 << (4000 + 8 * self.chunks)


class Text(Queue):
    """A line that gets longer."""

    def keep(self) -> None:
        self.kept = "levels: " + self.chunks * "."
