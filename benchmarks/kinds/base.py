"""What every kind of growth is hung on: an energy detector with three places to keep something."""

from __future__ import annotations

from collections.abc import Mapping

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments


class Kind(EnergyVad):
    """Keeps nothing by itself; `x` is what its roots reach besides the detector's own state."""

    def __init__(self) -> None:
        super().__init__()
        self.x: dict[str, object] = {}
        self.streams = self.chunks = self.segments = 0
        self.set_up()

    def set_up(self) -> None:
        """Make what a kind needs, once."""

    def on_stream(self) -> None:
        """Do what a kind does for each stream."""

    def on_chunk(self, samples: Samples) -> None:
        """Do what a kind does for each chunk."""

    def on_segment(self) -> None:
        """Do what a kind does for each segment."""

    def on_final(self) -> None:
        """Do what a kind does for the last chunk of a stream."""

    def start(self) -> None:
        """Begin a stream."""
        super().start()
        if hasattr(self, "streams"):  # the detector begins one while it is made
            self.streams += 1
            self.on_stream()

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        """Feed the detector, and let the kind do what it does."""
        segments = super().feed(samples, is_final)
        self.chunks += 1
        self.on_chunk(samples)
        for _ in range(sum(end != -1 for _, end in segments)):
            self.segments += 1
            self.on_segment()
        if is_final:
            self.on_final()
        return segments

    def roots(self) -> Mapping[str, object]:
        """Return the state of detector and kind."""
        return {"levels": self.levels, "x": self.x}
