"""Tensors that drag the graph behind them that would train them; and twins."""

from collections import deque

import numpy as np
from base import Kind


class Lstm(Kind):
    """A recurrent state, kept as it comes."""

    def set_up(self):
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.torch = torch
        self.cell = torch.nn.LSTM(80, 64)
        self.x["state"] = (torch.zeros(1, 1, 64), torch.zeros(1, 1, 64))

    def features(self, samples):
        return self.torch.from_numpy(np.resize(samples, 800).reshape(10, 1, 80))

    def on_chunk(self, samples):
        _, self.x["state"] = self.cell(self.features(samples), self.x["state"])


class LstmWithoutGrad(Lstm):
    def on_chunk(self, samples):
        with self.torch.no_grad():
            super().on_chunk(samples)


class Losses(Lstm):
    """A figure for each segment, kept as a tensor."""

    def set_up(self):
        super().set_up()
        del self.x["state"]
        self.x["losses"] = []

    def on_chunk(self, samples):
        self.latest = self.features(samples)

    def on_segment(self):
        output, _ = self.cell(self.latest)
        self.x["losses"].append(output.square().mean())


class LossesAsNumbers(Losses):
    def set_up(self):
        super().set_up()
        self.x["losses"] = deque(maxlen=20)

    def on_segment(self):
        output, _ = self.cell(self.latest)
        self.x["losses"].append(output.square().mean().item())
