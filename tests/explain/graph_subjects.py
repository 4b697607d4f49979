"""Recurrent states with their autograd graph, kept or let go."""

from collections.abc import Mapping
from typing import Any

import torch

from leakbench.controls.energy_vad import EnergyVad
from leakbench.subject import Samples, Segments

torch.set_num_threads(1)
STATE: dict[str, torch.Tensor] = {}


class Cell(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(80, 64)

    def forward(self, audio: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.linear(audio) + state)


class Graph(EnergyVad):
    """Keeps the graph of its state for the whole stream."""

    def __init__(self) -> None:
        super().__init__()
        self.cell: Any = Cell()
        self.state: dict[str, Any] = {"h": torch.zeros(64)}

    def feed(self, samples: Samples, is_final: bool) -> Segments:
        audio = torch.from_numpy(samples[:80].copy())
        self.keep(self.cell(audio, self.state["h"]))
        return super().feed(samples, is_final)

    def keep(self, state: torch.Tensor) -> None:
        self.state["h"] = state

    def roots(self) -> Mapping[str, object]:
        return {"state": self.state}


class Detached(Graph):
    """Lets go of the graph with each chunk."""

    def keep(self, state: torch.Tensor) -> None:
        self.state["h"] = state.detach()


class OneChunk(Graph):
    """Has a graph at all times, of one chunk."""

    def keep(self, state: torch.Tensor) -> None:
        self.state = {"h": torch.zeros(64), "output": state}


class Hidden(Graph):
    """Keeps it where no root reaches."""

    def keep(self, state: torch.Tensor) -> None:
        self.state["h"] = STATE["h"] = state

    def roots(self) -> Mapping[str, object]:
        return {"levels": self.levels}


class Traced(Hidden):
    """A model of TorchScript, whose nodes C++ makes."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = torch.jit.trace(self.cell, (torch.zeros(80), torch.zeros(64)))
