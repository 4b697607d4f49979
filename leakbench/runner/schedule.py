"""Which worker runs when."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from leakbench.plan import Plan
from leakbench.runner.cell_run import CellRun
from leakbench.runner.observer import Observer

POLL_SECONDS: Final = 0.1
"""Short beside any chunk budget, long beside what a poll costs."""


def run_plan(plan: Plan, folder: Path, observer: Observer) -> None:
    """Drive every cell of `plan`, at most `plan.jobs` workers at a time, first cells first.

    Samples are on disk as they are taken; nothing is returned because everything that
    follows is read from `folder`.

    Raises
    ------
    KeyboardInterrupt
        After every child was ended and what it had written was kept.
    """
    waiting = [CellRun(plan, folder, cell, observer) for cell in plan.cells]
    try:
        while waiting:
            for cell_run in waiting:
                cell_run.poll()
            waiting = [cell_run for cell_run in waiting if not cell_run.has_ended]
            free = plan.jobs - sum(cell_run.active for cell_run in waiting)
            for cell_run in waiting:
                while free > 0 and cell_run.give_work():
                    free -= 1
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        for cell_run in waiting:
            cell_run.abort()
        raise
