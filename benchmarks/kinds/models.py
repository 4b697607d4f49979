"""Voice activity detectors as people use them, right and wrong. The segments are the energy
detector's, so that each scenario reaches what it promises: not all of these hear synthetic speech.
"""

import numpy as np
from base import Kind

SAMPLE_RATE = 16_000
WINDOW = 512
"""Samples that Silero takes at a time."""
FRAME = 160
"""Samples of 10 ms, the least that WebRTC's detector takes."""


class WebRtc(Kind):
    """A new detector for each stream."""

    def set_up(self):
        import webrtcvad

        self.make = webrtcvad.Vad

    def on_stream(self):
        self.x["vad"] = self.make(2)

    def on_chunk(self, samples):
        pcm = np.round(samples * 32767).astype(np.int16).tobytes()
        for start in range(0, len(pcm) - 2 * FRAME + 1, 2 * FRAME):
            self.x["vad"].is_speech(pcm[start : start + 2 * FRAME], SAMPLE_RATE)


class Silero(Kind):
    """The recurrent model, called as a torch module is: it remembers how to train its state."""

    def set_up(self):
        import torch
        from silero_vad import load_silero_vad

        torch.set_num_threads(1)
        self.torch = torch
        self.x["model"] = load_silero_vad()
        self.rest = np.empty(0, dtype=np.float32)

    def on_stream(self):
        self.x["model"].reset_states()

    def on_chunk(self, samples):
        self.rest = np.concatenate((self.rest, samples))
        while len(self.rest) >= WINDOW:
            window, self.rest = self.rest[:WINDOW], self.rest[WINDOW:]
            self.x["model"](self.torch.from_numpy(window), SAMPLE_RATE)


class SileroWithoutGrad(Silero):
    def on_chunk(self, samples):
        with self.torch.no_grad():
            super().on_chunk(samples)
