"""Builds and runs small real runs for the tests."""

from collections.abc import Sequence
from pathlib import Path

from leakbench.conclude import Look, conclude
from leakbench.plan import Cell, Limits, Plan, write_plan
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.result import CellResult, Result
from leakbench.record.trace import End
from leakbench.runner.process import Progress
from leakbench.runner.schedule import run_plan


class Recorder:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.ends: list[End] = []
        self.looks: list[Look] = []

    def started(self, cell: Cell, replicate: int) -> None: ...

    def advanced(self, cell: Cell, replicate: int, progress: Progress) -> None: ...

    def ended(self, cell: Cell, replicate: int, end: End) -> None:
        self.ends.append(end)

    def looked(self, cell: Cell, look: Look) -> None:
        self.looks.append(look)


def plan_for(requests: Sequence[CellRequest], limits: Limits | None = None) -> Plan:
    return Plan(cells=build_cells(requests), jobs=2, limits=limits or Limits())


def run_cells(folder: Path, *requests: CellRequest, limits: Limits | None = None) -> Result:
    plan = plan_for(requests, limits)
    write_plan(folder, plan)
    run_plan(plan, folder, Recorder())
    return conclude(folder)


def run_cell(folder: Path, request: CellRequest, limits: Limits | None = None) -> CellResult:
    return run_cells(folder, request, limits=limits).cells[0]
