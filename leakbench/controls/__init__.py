"""Subjects that leak on purpose, and subjects that look as if they did but do not.

Drive them like any other subject, ``leakbench run --subject leakbench.controls:leaky``, or
hang one of :data:`LEAKS` on a subject of your own with :class:`Retaining`.
"""

from __future__ import annotations

from collections.abc import Mapping

from leakbench.controls.energy_vad import EnergyVad
from leakbench.controls.retention import BOUNDED, LEAKS, Retention
from leakbench.subject import Samples, Segments, Subject
from leakbench.subject.loading import load_subject

__all__ = [
    "BOUNDED",
    "LEAKS",
    "SUBJECTS",
    "EnergyVad",
    "Retaining",
    "bounded",
    "filling",
    "inject",
    "leaky",
    "leaky_native",
    "leaky_segments",
    "leaky_storage",
    "leaky_streams",
    "sawtooth",
]

SUBJECTS = (
    "leaky",
    "leaky_segments",
    "leaky_streams",
    "leaky_storage",
    "leaky_native",
    "bounded",
    "filling",
    "sawtooth",
)
"""Names of the ready-made subjects below."""

ROOT = "retained"
"""The root below which a control's memory is found."""


class Retaining:
    """Any subject, with one way of holding on to memory added.

    Parameters
    ----------
    subject
        What is driven; its segments and roots pass through.
    retention
        Called after every chunk and every start of a stream.
    """

    def __init__(self, subject: Subject, retention: Retention) -> None:
        self.subject = subject
        self.retention = retention
        self.sample_rate = subject.sample_rate

    def start(self) -> None:
        """Begin a stream."""
        self.subject.start()
        self.retention.after_start(self.subject)

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        """Feed the subject, then hold on to something."""
        segments = self.subject.feed(samples, is_final)
        self.retention.after_chunk(self.subject, samples, segments)
        return segments

    def roots(self) -> Mapping[str, object]:
        """Return the subject's roots and, where one is reachable, what is held on to."""
        roots = dict(self.subject.roots())
        if self.retention.held is not None:
            roots[ROOT] = self.retention.held
        return roots

    def close(self) -> None:
        """Close the subject."""
        self.subject.close()


def inject(factory: str, options: Mapping[str, object], retention: str) -> Retaining:
    """Build the subject that `factory` makes of `options`, holding on to memory.

    Parameters
    ----------
    factory
        ``module:NAME`` or ``path/to/file.py:NAME`` of the subject to inject into.
    options
        Its keyword arguments.
    retention
        A name in :data:`LEAKS` or :data:`BOUNDED`.
    """
    subject = load_subject(factory, options)
    return Retaining(subject, {**LEAKS, **BOUNDED}[retention]())


def leaky() -> Subject:
    """Return a detector that keeps one float a chunk."""
    return Retaining(EnergyVad(), LEAKS["float-per-chunk"]())


def leaky_segments() -> Subject:
    """Return a detector that keeps one small object a segment."""
    return Retaining(EnergyVad(), LEAKS["object-per-segment"]())


def leaky_streams() -> Subject:
    """Return a detector that keeps one small object a stream."""
    return Retaining(EnergyVad(), LEAKS["object-per-stream"]())


def leaky_storage() -> Subject:
    """Return a detector that keeps every chunk's storage alive through a view of one sample."""
    return Retaining(EnergyVad(), LEAKS["pinned-view"]())


def leaky_native() -> Subject:
    """Return a detector that leaks 1 KiB of ``malloc`` a minute, seen by no object."""
    return Retaining(EnergyVad(), LEAKS["native-per-minute"]())


def bounded() -> Subject:
    """Return a detector that keeps the last chunk and a second of levels."""
    return Retaining(EnergyVad(), BOUNDED["last-chunk"]())


def filling() -> Subject:
    """Return a detector with a cache that fills up, then stays."""
    return Retaining(EnergyVad(), BOUNDED["filling-cache"]())


def sawtooth() -> Subject:
    """Return a detector that cleans up every 64 chunks."""
    return Retaining(EnergyVad(), BOUNDED["periodic-cleanup"]())
