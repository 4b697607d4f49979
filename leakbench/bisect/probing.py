"""Measures candidates, one ordinary cell each, and keeps what was measured for the next call.

Below the folder of a search::

    runs/001/       one round: an ordinary run folder, which `leakbench report` reads
    probes/*.json   where the result of one candidate, under one set of settings, is found
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Protocol

from leakbench.bisect.candidates import Candidate
from leakbench.conclude import conclude
from leakbench.errors import OutputError, ProvisionError, SubjectSpecError
from leakbench.plan import Cell, Limits, Plan, write_plan
from leakbench.plan.matrix import CellRequest, build_cells
from leakbench.record.files import write_json
from leakbench.record.result import CellResult, read_result, write_result
from leakbench.runner.observer import Observer
from leakbench.runner.schedule import run_plan
from leakbench.scenario import load_scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What is known of one candidate."""

    candidate: Candidate
    cell: CellResult | None
    """Its result; None where it could not be made ready to run."""
    error: str = ""
    """Why it could not be measured, in one line."""
    reused: bool = False
    """Whether it was measured by an earlier call."""


class Prober(Protocol):
    """Measures the candidates of a line, each once."""

    def recall(self) -> dict[int, Probe]:
        """Return what is known without measuring anything, by position."""

    def measure(self, places: Sequence[int]) -> dict[int, Probe]:
        """Return what is known of the candidates at `places`, measuring what is not."""


@dataclass(slots=True)
class CellProber:
    """Measures candidates as cells in worker processes."""

    folder: Path
    """Where everything measured is kept."""
    candidates: Sequence[Candidate]
    request: CellRequest
    """The cell; its subject is replaced by each candidate."""
    observer: Observer
    jobs: int = 1
    limits: Limits = dataclasses.field(default_factory=Limits)
    command: tuple[str, ...] = ()
    """How the search was called."""
    probes: dict[int, Probe] = dataclasses.field(default_factory=dict)
    """Everything measured or reused so far, by position."""

    def recall(self) -> dict[int, Probe]:
        """Return what earlier calls measured under the same settings, by position."""
        for place, candidate in enumerate(self.candidates):
            if place not in self.probes and (kept := self._read_kept(candidate)):
                self.probes[place] = kept
        return dict(self.probes)

    def measure(self, places: Sequence[int]) -> dict[int, Probe]:
        """Return what is known of the candidates at `places`, measuring what is not.

        Raises
        ------
        UsageError
            When the scenario, chunk, model or recordings cannot be run.
        OutputError
            When the folder cannot be written.
        """
        self.recall()
        missing = [place for place in places if place not in self.probes]
        # Rounds of one worker a job: a kill loses no more than the round in hand.
        for first in range(0, len(missing), self.jobs):
            self._run_round(missing[first : first + self.jobs])
        return {place: self.probes[place] for place in places}

    def _run_round(self, places: Sequence[int]) -> None:
        with contextlib.ExitStack() as stack:
            cells: dict[int, Cell] = {}
            for place in places:
                try:
                    cells[place] = self._build(self.candidates[place], stack)
                except (ProvisionError, SubjectSpecError) as error:
                    # Not kept: a network that was down may be up next time.
                    self.probes[place] = Probe(
                        candidate=self.candidates[place], cell=None, error=str(error)
                    )
            if not cells:
                return
            folder = self._new_run()
            plan = Plan(
                cells=tuple(cells.values()),
                jobs=self.jobs,
                limits=self.limits,
                command=self.command,
                started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            )
            write_plan(folder, plan)
            try:
                run_plan(plan, folder, self.observer)
            finally:
                # Also on an interrupt: candidates that were done by then need not run again.
                result = conclude(folder)
                write_result(folder, result)
                for place, cell in zip(cells, result.cells, strict=True):
                    self._keep(place, folder, cell)

    def _build(self, candidate: Candidate, stack: contextlib.ExitStack) -> Cell:
        spec, folders = stack.enter_context(candidate.materialise())
        (cell,) = build_cells([dataclasses.replace(self.request, subject=spec)])
        subject = dataclasses.replace(
            cell.subject, spec=candidate.name, path=(*folders, *cell.subject.path)
        )
        return dataclasses.replace(cell, subject=subject)

    def _keep(self, place: int, folder: Path, cell: CellResult) -> None:
        candidate = self.candidates[place]
        self.probes[place] = Probe(candidate=candidate, cell=cell, error=cell.error)
        cut_short = cell.verdict == "undecided" and set(cell.endings) != {"completed"}
        # A failure costs little to see again, and a package that was missing may be there then.
        if cut_short or cell.verdict == "error":
            return
        path = self._kept_path(candidate)
        path.parent.mkdir(exist_ok=True)
        write_json(path, {"candidate": candidate.name, "run": folder.name, "cell": cell.id})

    def _read_kept(self, candidate: Candidate) -> Probe | None:
        try:
            kept = json.loads(self._kept_path(candidate).read_text(encoding="utf-8"))
            result = read_result(self.folder / "runs" / kept["run"])
            cell = next(cell for cell in result.cells if cell.id == kept["cell"])
        except (OSError, ValueError, KeyError, TypeError, StopIteration, OutputError):
            # Its run was removed or its record is not whole: measured again.
            return None
        return Probe(candidate=candidate, cell=cell, error=cell.error, reused=True)

    def _kept_path(self, candidate: Candidate) -> Path:
        asked = dataclasses.replace(self.request, subject=candidate.name, scenario="")
        # Whatever can change a figure: the cell as asked for, the scenario's text, the judge.
        parts = "\n".join(
            [repr(asked), _scenario_text(self.request.scenario), version("leakbench")]
        )
        digest = hashlib.sha256(parts.encode()).hexdigest()
        name = re.sub(r"[^\w.=+-]+", "-", candidate.name)
        return self.folder / "probes" / f"{name}-{digest[:12]}.json"

    def _new_run(self) -> Path:
        runs = self.folder / "runs"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            for number in count(1):
                with contextlib.suppress(FileExistsError):
                    folder = runs / f"{number:03}"
                    folder.mkdir()
                    return folder
        except OSError as error:
            raise OutputError(
                f"{self.folder}: cannot be written ({error.strerror}); "
                "name another folder with --output"
            ) from error
        raise AssertionError("unreachable: the numbers do not end")


@functools.cache
def _scenario_text(name: str) -> str:
    source = load_scenario(name).source
    return source.read_text(encoding="utf-8") if source else name
