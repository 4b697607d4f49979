"""What is driven: four subjects, and the stream of silence that feeds them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from leakbench.scenario import Scenario, load_scenario
from leakbench.subject import ResolvedSubject, Subject
from leakbench.subject.resolution import resolve_subject

CHUNK_MS: Final = 600
ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A subject, and the right answer."""

    release: str
    leaks: bool
    holds: str | None = None
    """What holds on to audio beside the release: a function of `keeping`."""


WORKLOADS: Final = {
    "original": Workload(release="original", leaks=True),
    "fixed": Workload(release="fixed", leaks=False),
    "plateau": Workload(release="fixed", leaks=False, holds="plateau"),
    "sawtooth": Workload(release="fixed", leaks=False, holds="sawtooth"),
}


def load_silence() -> Scenario:
    return load_scenario(str(ROOT / "scenarios" / "silence.toml"))


def resolve(name: str) -> ResolvedSubject:
    """Return the subject of the workload `name`."""
    workload = WORKLOADS[name]
    subject = resolve_subject(
        workload.release, model="embedded", chunk_ms=CHUNK_MS, generate=load_silence().generate
    )
    if workload.holds is None:
        return subject
    return replace(
        subject,
        spec=f"{workload.release}+{workload.holds}",
        factory=f"{Path(__file__).with_name('keeping.py')}:{workload.holds}",
        options={"factory": subject.factory, "options": dict(subject.options)},
    )


class Stream:
    """Silence, fed to a subject."""

    def __init__(self, workload: str, subject: Subject) -> None:
        self.workload = workload
        self.subject = subject

    def feed(self) -> None:
        """Feed one chunk."""
        self.subject.feed(np.zeros(self.subject.sample_rate * CHUNK_MS // 1000, np.float32), False)

    def run(self, chunks: int, look: Callable[[int], None] | None = None) -> float:
        """Feed a fresh stream, looking after each chunk, and return the seconds it took."""
        began = processor_seconds()
        self.subject.start()
        for chunk in range(chunks):
            self.feed()
            if look is not None:
                look(chunk + 1)
        return processor_seconds() - began


def processor_seconds() -> float:
    """Return the processor time of this process and of those it has started and seen end.

    Other programs disturb it less than they disturb the wall clock.
    """
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
