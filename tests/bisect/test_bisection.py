"""The search put together on made-up figures: which release, which path, what to say."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from leakbench.bisect.bisection import bisect_line, sweep_line
from leakbench.bisect.findings import Findings, write_findings
from leakbench.bisect.paths import leaking_paths, outcome_of
from leakbench.bisect.search import Outcome
from leakbench.cli.bisect import sentences
from leakbench.errors import ConfigError, RunError
from tests.bisect.mock_line import MockProber, make_cell, make_line, make_metric, make_probe

FAST, SLOW, LATE = "model.fast", "model.slow", "model.late"
Rates = Mapping[str, float]


def search(
    rates: list[Rates | None], *, good: int = -1, bad: int = 0, path: str | None = None
) -> tuple[Findings, MockProber]:
    count = len(rates)
    prober = MockProber(rates)
    line = make_line(count, good=good % count, bad=bad % count)
    found = bisect_line(
        line, prober, pattern=path, jobs=1, scenario="silence", command=["leakbench"]
    )
    return found, prober


def test_the_first_fixed_release_is_found_when_good_is_newer() -> None:
    found, prober = search([{FAST: 6000.0}] * 13 + [{FAST: 0.0}] * 7)
    assert found.change is not None
    assert (found.change.kind, found.change.before, found.change.after) == (
        "fixed",
        "made==1.12",
        "made==1.13",
    )
    assert found.measured == sum(map(len, prober.asked)) == len(found.probes) <= 2 + 5
    assert sentences(found)[0] == (
        "the cell: first fixed in made==1.13; "
        "model.fast 1 B a chunk (5.86 KiB/h) in made==1.12, flat in made==1.13"
    )


def test_the_first_leaking_release_is_found_when_good_is_older() -> None:
    found, _ = search([{}] * 5 + [{FAST: 6000.0}] * 3, good=0, bad=-1)
    assert found.change is not None
    assert (found.change.kind, found.change.after) == ("leaking", "made==1.5")


def test_every_other_growing_path_is_placed_too() -> None:
    rates: list[Rates | None] = [
        {FAST: 6000.0 * (n < 13), SLOW: 60.0 * (n < 4), LATE: 600.0 * (7 <= n < 13)}
        for n in range(20)
    ]
    found, _ = search(rates)
    placed = {(change.path, change.kind, change.after) for change in found.changes}
    assert placed == {
        (FAST, "fixed", "made==1.13"),
        (SLOW, "fixed", "made==1.4"),
        (LATE, "leaking", "made==1.7"),
        (LATE, "fixed", "made==1.13"),
    }
    assert found.paths == (FAST, LATE, SLOW)


def test_a_path_that_leaks_throughout_is_said_to() -> None:
    rates: list[Rates | None] = [{FAST: 6000.0 * (n < 3), SLOW: 60.0} for n in range(6)]
    found, _ = search(rates, path=FAST)
    assert "model.slow: leaks in every one measured" in sentences(found)
    assert found.change is not None
    assert found.change.after == "made==1.3"


def test_a_boundary_among_releases_that_fail_to_load_is_said_to_be() -> None:
    found, _ = search([{FAST: 6000.0}, {FAST: 6000.0}, None, None, {FAST: 0.0}])
    assert found.change is not None
    assert found.change.between == ("made==1.2", "made==1.3")
    assert "one of the 2 before it without figures" in sentences(found)[0]
    skipped = [row for row in found.probes if row.skipped]
    assert [row.reason for row in skipped] == ["raised: ImportError: no torchaudio"] * 2


def test_what_was_measured_before_is_not_measured_again() -> None:
    rates: list[Rates | None] = [{FAST: 6000.0 * (n < 13)} for n in range(20)]
    _, first = search(rates)
    again = MockProber(rates, known={p: replace(k, reused=True) for p, k in first.known.items()})
    line = make_line(20, good=19, bad=0)
    found = bisect_line(line, again, pattern=None, jobs=1, scenario="silence", command=[])
    assert again.asked == []
    assert found.measured == 0
    assert found.change is not None
    assert found.change.after == "made==1.13"


@pytest.mark.parametrize(
    ("rates", "kind", "says"),
    [
        ([{FAST: 0.0}, {FAST: 6000.0}], ConfigError, "exchange --good and --bad"),
        ([{FAST: 0.0}, {FAST: 0.0}], ConfigError, "--bad must name one that leaks"),
        (
            [{FAST: 6000.0, SLOW: 6.0}, {SLOW: 6.0}],
            ConfigError,
            "--good must name one that does not; name one of model.fast with --path",
        ),
        ([{FAST: 6000.0}, None], RunError, "the good end made==1.1 could not be judged: raised"),
        ([None, {FAST: 0.0}], RunError, "the bad end made==1.0 could not be judged"),
    ],
)
def test_ends_that_are_not_what_they_were_said_to_be_are_an_error_in_one_line(
    rates: list[Rates | None], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        search(rates)
    assert "\n" not in str(caught.value)


def test_a_sweep_measures_all_and_places_every_change() -> None:
    rates: list[Rates | None] = [{FAST: 6000.0 * (n % 4 < 2)} for n in range(8)]
    line = make_line(8, good=0, bad=7)
    found = sweep_line(
        line.candidates, MockProber(rates), places=range(8), scenario="silence", command=[]
    )
    assert found.change is None
    assert [change.after for change in found.changes] == ["made==1.2", "made==1.4", "made==1.6"]


def test_findings_are_written_as_json(tmp_path: Path) -> None:
    found, _ = search([{FAST: 6000.0}, {FAST: 0.0}])
    write_findings(tmp_path / "bisect.json", found)
    data = json.loads((tmp_path / "bisect.json").read_text())
    assert data["schema"] == "leakbench.bisect/1"
    assert data["change"]["after"] == "made==1.1"
    assert data["probes"][0]["rates"][FAST]["bytes_per_audio_hour"] == 6000


def test_an_undecided_cell_is_skipped_but_not_for_a_path_it_decides() -> None:
    undecided = replace(make_metric(SLOW, 0.0), verdict="undecided")
    probe = make_probe(0, {})
    cell = make_cell("made==1.0", (make_metric(FAST, 0.0), undecided), verdict="undecided")
    probe = replace(probe, cell=cell)
    assert outcome_of(probe) is Outcome.SKIPPED
    assert outcome_of(probe, SLOW) is Outcome.SKIPPED
    assert outcome_of(probe, FAST) is Outcome.BOUNDED
    assert outcome_of(probe, "model.other") is Outcome.BOUNDED


def test_a_path_whose_growth_is_all_below_it_is_no_culprit() -> None:
    metrics = (
        make_metric("model", 6000.0, explained_by=FAST),
        make_metric(FAST, 6000.0),
        make_metric("total", 6000.0),
    )
    probe = replace(make_probe(0, {}), cell=make_cell("made==1.0", metrics))
    assert leaking_paths([probe]) == (FAST,)
