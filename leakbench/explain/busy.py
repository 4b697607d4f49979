"""At which lines a subject spends its processor time, by samples."""

from __future__ import annotations

import dataclasses
import signal
from collections import Counter
from types import FrameType
from typing import Final

from leakbench.explain.places import Place, is_audio, place_of_frame
from leakbench.explain.source import describe_lines
from leakbench.record.explanation import AllocationLine

INTERVAL_SECONDS: Final = 1e-3
"""Processor time from one sample to the next; the kernel may make it 4 ms."""
SHARE_AT_LEAST: Final = 0.1
"""Of the samples, from which on a line is told of."""


class BusyLines:
    """Samples what runs, from `start` to `stop`, in the main thread."""

    def __init__(self) -> None:
        self._seen: Counter[Place] = Counter()

    def start(self) -> None:
        """Begin to sample."""
        signal.signal(signal.SIGPROF, self._sample)
        # What the subject waits for is not to be cut short by it.
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def stop(self) -> None:
        """Sample no more."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)

    @property
    def samples(self) -> int:
        """Samples of the subject so far."""
        return self._seen.total()

    def lines(self) -> tuple[AllocationLine, ...]:
        """Return the lines with most of the samples, by their share."""
        return tuple(
            dataclasses.replace(line, bytes_per_hour=0.0)
            for line in describe_lines(self._seen, 1.0)
            if line.share >= SHARE_AT_LEAST
        )

    def _sample(self, signum: int, frame: FrameType | None) -> None:
        place = place_of_frame(frame)
        if place and not is_audio(place[0][0]):
            self._seen[place] += 1


def can_sample() -> bool:
    """Whether there is such a timer, and nobody else who uses it."""
    return (
        hasattr(signal, "setitimer")
        and signal.getsignal(signal.SIGPROF) is signal.SIG_DFL
        and not signal.getitimer(signal.ITIMER_PROF)[0]
    )
