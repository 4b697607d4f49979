"""The object sizes of a trace as one array, so that sixty paths cost one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leakbench.metrics import metric_names
from leakbench.record.trace import Column, Trace


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """What every path held in every sample that looked at objects."""

    paths: tuple[str, ...]
    """In order of first sight."""
    sizes: npt.NDArray[np.float64]
    """Shape (samples, paths, 3): elements, Python bytes, storage bytes; 0 where missing."""
    rows: Column
    """When each sample was taken; its values are not used."""

    @classmethod
    def of(cls, trace: Trace) -> ObjectTable:
        """Collect the samples of `trace` that looked at objects."""
        samples = tuple(sample for sample in trace.samples if sample.objects)
        index: dict[str, int] = {}
        for sample in samples:
            for path in sample.objects:
                index.setdefault(path, len(index))
        sizes = np.zeros((len(samples), len(index), len(metric_names("objects"))))
        for row, sample in enumerate(samples):
            columns = [index[path] for path in sample.objects]
            sizes[row, columns] = [
                (size.elements, size.python_bytes, size.storage_bytes)
                for size in sample.objects.values()
            ]
        rows = Column(
            np.array([s.audio_seconds for s in samples], dtype=np.float64),
            np.zeros(len(samples)),
            np.array([s.phase for s in samples], dtype=np.int64),
            np.array([s.segments for s in samples], dtype=np.int64),
            np.array([s.streams for s in samples], dtype=np.int64),
        )
        return cls(tuple(index), sizes, rows)

    def where(self, mask: npt.NDArray[np.bool_]) -> ObjectTable:
        """Return only the samples of `mask`, shape (samples,)."""
        return ObjectTable(self.paths, self.sizes[mask], self.rows.where(mask))

    def since(self, audio_seconds: float, *, phase: int | None) -> ObjectTable:
        """Return only what was taken from `audio_seconds` on, at one phase of the period."""
        mask = self.rows.audio_seconds >= audio_seconds - 1e-9
        return self.where(mask if phase is None else mask & (self.rows.phases == phase))

    def column(self, path: str, metric: str) -> Column:
        """Return one path and metric over the run; zeros for a path never seen."""
        values = np.zeros(len(self.rows))
        if path in self.paths:
            values = self.sizes[:, self.paths.index(path), metric_names("objects").index(metric)]
        rows = self.rows
        return Column(rows.audio_seconds, values, rows.phases, rows.segments, rows.streams)
