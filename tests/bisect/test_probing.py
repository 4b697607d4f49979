"""Candidates measured as real cells, kept on disk, and not measured twice."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from leakbench.bisect.bisection import bisect_line, sweep_line
from leakbench.bisect.candidates import Line, line_between, thin
from leakbench.bisect.probing import CellProber
from leakbench.errors import OutputError, ProvisionError
from leakbench.plan.matrix import CellRequest
from leakbench.runner.process import Progress
from tests.cells import Recorder

MISBEHAVING = Path(__file__).parents[1] / "misbehaving.py"


@dataclass(frozen=True)
class Local:
    """A candidate that stands for a subject at hand."""

    label: str
    spec: str
    detail: str = ""

    @property
    def name(self) -> str:
        return f"model=={self.label}"

    @contextmanager
    def materialise(self) -> Iterator[tuple[str, tuple[Path, ...]]]:
        if not self.spec:
            raise ProvisionError("no package index could be reached")
        yield self.spec, ()


@dataclass
class Setup:
    folder: Path
    candidates: list[Local]
    request: CellRequest = field(
        default_factory=lambda: CellRequest(subject="", scenario="silence")
    )

    def prober(self, **changes: object) -> tuple[CellProber, Recorder]:
        recorder = Recorder()
        request = replace(self.request, **changes)  # type: ignore[arg-type]
        return CellProber(
            folder=self.folder,
            candidates=self.candidates,
            request=request,
            observer=recorder,
            jobs=2,
        ), recorder


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    leaky, bounded = "leakbench.controls:leaky", "leakbench.controls:bounded"
    specs = [leaky, leaky, f"{MISBEHAVING}:RaisesWhileLoading", bounded, bounded]
    return Setup(tmp_path / "out", [Local(f"1.{n}", spec) for n, spec in enumerate(specs)])


def test_a_sweep_measures_each_once_and_says_why_one_is_skipped(setup: Setup) -> None:
    prober, recorder = setup.prober()
    found = sweep_line(
        setup.candidates, prober, places=range(5), scenario="silence", command=["leakbench"]
    )
    assert [row.verdict for row in found.probes] == ["leak", "leak", "error", "flat", "flat"]
    assert "no model here" in found.probes[2].reason
    assert [change.between for change in found.changes if change.path == "retained"] == [
        ("model==1.2",)
    ]
    assert len(recorder.ends) == 5
    # Each round is an ordinary run folder.
    assert sorted(path.name for path in (setup.folder / "runs").iterdir()) == ["001", "002", "003"]


def test_a_second_call_measures_nothing_and_other_settings_do(setup: Setup) -> None:
    prober, _ = setup.prober()
    first = prober.measure([0, 4])
    prober, recorder = setup.prober()
    again = prober.measure([0, 4])
    assert recorder.ends == []
    assert all(probe.reused for probe in again.values())
    assert [p.cell for p in again.values()] == [p.cell for p in first.values()]
    for changes in ({"chunk_ms": 200}, {"seed": 1}, {"scenario": "noise"}):
        assert setup.prober(**changes)[0].recall() == {}


def test_a_bisection_uses_what_a_sweep_measured(setup: Setup) -> None:
    prober, _ = setup.prober()
    prober.measure([0, 1, 2, 3, 4])
    prober, recorder = setup.prober()
    line = Line(candidates=tuple(setup.candidates), good=4, bad=0)
    found = bisect_line(line, prober, pattern=None, jobs=2, scenario="silence", command=[])
    # Only what failed is tried again: a missing package may be there by now.
    assert [end.ending for end in recorder.ends] == ["raised"]
    assert found.change is not None
    assert (found.change.before, found.change.after) == ("model==1.1", "model==1.3")


def test_an_interrupt_keeps_what_was_measured_before(setup: Setup) -> None:
    setup.candidates[1] = Local("1.1", f"{MISBEHAVING}:Slow")
    setup.request = replace(setup.request, audio_seconds=36000.0)
    prober, recorder = setup.prober()

    class Impatient(Recorder):
        def advanced(self, cell: object, replicate: int, progress: Progress) -> None:
            if self.ends and progress.audio_seconds > 20:
                raise KeyboardInterrupt

    prober.observer = Impatient()
    with pytest.raises(KeyboardInterrupt):
        prober.measure([0, 1])
    prober, recorder = setup.prober()
    assert list(prober.recall()) == [0]
    assert recorder.ends == []


def test_what_could_not_be_provided_is_tried_again(setup: Setup) -> None:
    setup.candidates[0] = Local("1.0", "")
    prober, recorder = setup.prober()
    probe = prober.measure([0])[0]
    assert (probe.cell, probe.error) == (None, "no package index could be reached")
    assert recorder.ends == []
    setup.candidates[0] = Local("1.0", "leakbench.controls:leaky")
    assert setup.prober()[0].measure([0])[0].cell is not None


def test_a_record_that_was_cut_short_is_measured_again(setup: Setup) -> None:
    prober, _ = setup.prober()
    prober.measure([4])
    (record,) = (setup.folder / "probes").iterdir()
    assert json.loads(record.read_text())["candidate"] == "model==1.4"
    record.write_text('{"run": "0')
    assert setup.prober()[0].recall() == {}


def test_a_folder_that_cannot_be_written_is_an_error_in_one_line(setup: Setup) -> None:
    setup.folder.write_text("a file")
    with pytest.raises(OutputError, match="name another folder with --output"):
        setup.prober()[0].measure([0])


@pytest.mark.parametrize(
    ("every", "at_most", "kept"),
    [
        (1, None, [0, 1, 2, 3, 4, 5, 6]),
        (4, None, [0, 4, 6]),
        (1, 3, [0, 3, 6]),
        (1, 2, [0, 6]),
        (1, 9, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_thinning_keeps_both_ends(every: int, at_most: int | None, kept: list[int]) -> None:
    assert list(thin(7, every=every, at_most=at_most)) == kept


@pytest.mark.slow
def test_three_releases_show_the_fix_in_the_one_that_fixed_it(tmp_path: Path) -> None:
    line = line_between("funasr==1.3.16", "funasr==1.3.14")
    prober = CellProber(
        folder=tmp_path / "out",
        candidates=line.candidates,
        request=CellRequest(subject="", scenario="silence"),
        observer=Recorder(),
    )
    found = bisect_line(line, prober, pattern=None, jobs=1, scenario="silence", command=[])
    assert found.change is not None
    assert (found.change.kind, found.change.after) == ("fixed", "funasr==1.3.15")
    fixed = {change.path for change in found.changes if change.after == "funasr==1.3.15"}
    assert fixed >= {"stats.decibel", "stats.scores", "stats.data_buf_all"}
