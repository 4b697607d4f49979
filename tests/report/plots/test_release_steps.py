"""The step plot: what it marks, and that it draws whatever a search leaves."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from leakbench.bisect.bisection import bisect_line, sweep_line
from leakbench.bisect.findings import Findings
from leakbench.report.plots.figures import save_figure
from leakbench.report.plots.release_steps import describe_release_steps, plot_release_steps
from tests.bisect.mock_line import MockProber, make_line

Rates = Mapping[str, float]


def sweep(rates: list[Rates | None]) -> Findings:
    line = make_line(len(rates), good=0, bad=1)
    return sweep_line(
        line.candidates,
        MockProber(rates),
        places=range(len(rates)),
        scenario="silence",
        command=["leakbench"],
    )


def texts(figure: Figure) -> list[str]:
    (axes,) = figure.axes
    legend = figure.legends[0]
    return [
        *(text.get_text() for text in axes.texts),
        *(text.get_text() for text in figure.texts),
        *(text.get_text() for text in legend.get_texts()),
    ]


def test_each_change_stands_at_the_release_that_made_it() -> None:
    rates: list[Rates | None] = [
        {"fast": 6e6 * (n < 6), "also": 6e6 * (n < 6), "slow": 600.0 * (n >= 3)} for n in range(9)
    ]
    figure = plot_release_steps(sweep(rates))
    said = texts(figure)
    assert "1.6 first fixed: 2 paths" in said
    assert "1.3 first leaking: slow" in said
    # Paths with the same rates share a line.
    assert "also, fast" in said
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == [f"1.{n}" for n in range(9)]


def test_what_was_skipped_or_not_measured_is_marked() -> None:
    rates: list[Rates | None] = [{"fast": 6e6}] * 8 + [None, {"fast": 0.0}]
    line = make_line(10, good=9, bad=0)
    found = bisect_line(
        line, MockProber(rates), pattern=None, jobs=1, scenario="silence", command=[]
    )
    said = texts(plot_release_steps(found))
    assert {"skipped", "not measured", "1.7 to 1.9 first fixed: fast"} <= set(said)
    assert "1 skipped" in describe_release_steps(found)


@pytest.mark.parametrize(
    "rates",
    [
        [{}, {}],
        [None, None],
        [{"fast": 1e-3}, {"fast": 1e12}],
        [{f"path{i}": 10.0**i for i in range(9)}] * 3,
        [{"a $path$ with_math": 6.0}] * 200,
    ],
    ids=["flat", "nothing measured", "wide range", "many paths", "many releases"],
)
def test_whatever_was_found_is_drawn(rates: list[Rates | None], tmp_path: Path) -> None:
    png, svg = save_figure(plot_release_steps(sweep(rates)), tmp_path / "sweep")
    assert png.stat().st_size > 5000
    assert "<svg" in svg.read_text()
