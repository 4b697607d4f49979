"""A small voice-activity detector with bounded state, to hang controls on.

It is a subject like any user's own: about twenty lines of numpy that compare each 10 ms
frame's level with a threshold. Its segments are good enough for every shipped scenario to
reach what it promises, so a control is judged on the same terms as a real model.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

import numpy as np

from leakbench.subject import Samples, Segments

FRAME_MS: Final = 10
THRESHOLD_DBFS: Final = -45.0
END_SILENCE_FRAMES: Final = 80
"""800 ms, FunASR's default: the shipped scenarios are timed for it."""
MAX_SEGMENT_FRAMES: Final = 6000
"""60 s, FunASR's default segment limit."""
HISTORY_FRAMES: Final = 100


class EnergyVad:
    """Calls a frame speech when its level is above a threshold."""

    sample_rate = 16000

    def __init__(self) -> None:
        self.levels: deque[float] = deque(maxlen=HISTORY_FRAMES)
        self.start()

    def start(self) -> None:
        """Begin a stream at frame 0, in silence."""
        self.levels.clear()
        self.frame = 0
        self.segment_start = -1
        self.silent_frames = 0

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        """Return the segments that `samples`, float32 of shape (n,), opened or closed."""
        frame_samples = self.sample_rate * FRAME_MS // 1000
        frames = samples[: len(samples) // frame_samples * frame_samples].reshape(-1, frame_samples)
        power = np.mean(np.square(frames), axis=1) + 1e-12
        segments: list[list[int]] = []
        for level in (10 * np.log10(power)).tolist():
            self.levels.append(level)
            self._take_frame(level > THRESHOLD_DBFS, segments)
        if is_final and self.segment_start >= 0:
            self._close(segments)
        return segments

    def _take_frame(self, is_speech: bool, segments: list[list[int]]) -> None:
        self.frame += 1
        self.silent_frames = 0 if is_speech else self.silent_frames + 1
        if self.segment_start < 0:
            if is_speech:
                self.segment_start = self.frame - 1
                segments.append([self.segment_start * FRAME_MS, -1])
        elif (
            self.silent_frames >= END_SILENCE_FRAMES
            or self.frame - self.segment_start >= MAX_SEGMENT_FRAMES
        ):
            self._close(segments)

    def _close(self, segments: list[list[int]]) -> None:
        opened_now = bool(segments) and segments[-1][1] == -1
        start = segments.pop()[0] if opened_now else -1
        segments.append([start, self.frame * FRAME_MS])
        self.segment_start = -1

    def roots(self) -> Mapping[str, object]:
        """Return the state that lives from one chunk to the next."""
        return {"levels": self.levels}

    def close(self) -> None:
        """Drop the history."""
        self.levels.clear()
