import dataclasses
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from leakbench.report.groups import overlay_groups, overlay_name
from leakbench.report.plots.figures import save_figure
from leakbench.report.plots.plots import describe_panel, plot_cell, plot_overlay
from leakbench.report.run_folder import RunFolder, read_run
from leakbench.report.series import CellTraces, Panel
from tests.report.run_folders import fixed_cell, leaking_cell, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    cells = [
        fixed_cell(),
        leaking_cell(),
        leaking_cell("$night_1^{2$", id="other", replicates=1, audio_seconds=300.0),
    ]
    return read_run(write_run(tmp_path_factory.mktemp("plots") / "run", cells))


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [axes.get_title(loc="left"), *(text.get_text() for text in axes.texts)]
        found += [axes.get_xlabel(), axes.get_ylabel()]
    return found


def panel_named(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


def test_a_leak_says_so_with_its_slope_and_each_panel_has_units(run: RunFolder) -> None:
    figure = plot_cell(run.cells[1])
    shown = texts(figure)
    assert "LEAK  +384,000 elements/h" in shown
    assert any(text.startswith("LEAK: stats.scores grows") for text in shown)
    assert all("audio driven (min)" in axes.get_xlabel() for axes in figure.axes)
    assert {axes.get_ylabel() for axes in figure.axes} == {"thousand elements", "MiB", "ms"}


def test_a_title_that_is_too_long_is_cut_in_its_middle(run: RunFolder) -> None:
    leak = run.cells[0]
    name = f"/home/somebody/{'deep/' * 30}detectors.py:Detector"
    figure = plot_cell(dataclasses.replace(leak, cell=dataclasses.replace(leak.cell, subject=name)))
    head = figure.texts[0]
    assert "…" in head.get_text()
    assert f"{leak.cell.chunk_ms} ms chunks" in head.get_text()
    renderer = FigureCanvasAgg(figure).get_renderer()
    assert head.get_window_extent(renderer).x1 <= figure.get_size_inches()[0] * figure.dpi


def test_a_flat_cell_says_flat_and_its_lines_are_level(run: RunFolder) -> None:
    figure = plot_cell(run.cells[0])
    assert "flat  0 elements/h" in texts(figure)
    decibel = panel_named(figure, "stats.decibel · elements")
    low, high = decibel.get_ylim()
    for line in decibel.get_lines():
        assert np.ptp(np.asarray(line.get_ydata(), float)) <= 0.01 * (high - low)


def test_the_slope_drawn_is_the_verdicts(run: RunFolder) -> None:
    axes = panel_named(plot_cell(run.cells[1]), "stats.decibel · elements")
    slope = next(line for line in axes.get_lines() if line.get_label() == "slope")
    minutes, thousands = (np.asarray(data, float) for data in slope.get_data())
    assert np.diff(thousands)[0] / np.diff(minutes)[0] == pytest.approx(384 / 60)


def test_the_budget_drawn_is_the_verdicts_and_starts_after_the_warm_up(run: RunFolder) -> None:
    axes = panel_named(plot_cell(run.cells[1]), "heap in use")
    budget = next(line for line in axes.get_lines() if line.get_label() == "budget")
    minutes, mebibytes = (np.asarray(data, float) for data in budget.get_data())
    assert minutes[0] == pytest.approx(2.0)
    assert np.diff(mebibytes)[0] == pytest.approx(64 / 1024 * 8 / 60)


def test_every_replicate_has_its_line(run: RunFolder) -> None:
    axes = panel_named(plot_cell(run.cells[1]), "RSS")
    assert len([line for line in axes.get_lines() if len(line.get_xdata()) > 2]) == 3


def test_where_a_leak_dwarfs_the_flat_line_the_scale_is_logarithmic(run: RunFolder) -> None:
    figure = plot_overlay(run.cells[1], run.cells[0])
    scores = panel_named(figure, "stats.scores · storage")
    assert scores.get_yscale() == "log"
    assert any("log scale" in text.get_text() for text in scores.texts)
    for title in ("all objects · storage", "heap in use", "RSS", "time a chunk"):
        assert panel_named(figure, title).get_yscale() == "linear"


def test_an_overlay_of_equals_stays_linear(run: RunFolder) -> None:
    figure = plot_overlay(run.cells[0], run.cells[0])
    assert {axes.get_yscale() for axes in figure.axes} == {"linear"}


def test_an_overlay_shows_both_slopes_and_both_levels(run: RunFolder) -> None:
    axes = panel_named(plot_overlay(run.cells[1], run.cells[0]), "stats.decibel · elements")
    shown = [text.get_text() for text in axes.texts]
    assert "+384,000 → 0 elements/h  (log scale)" in shown
    assert {"64,000", "41"} <= set(shown)


@pytest.mark.parametrize("others", [1, 2, 6])
@pytest.mark.parametrize("name", ["fixed", "/home/somebody/work/speech/detectors.py:Detector"])
def test_the_words_of_an_overlay_stay_on_the_canvas_and_off_each_other(
    run: RunFolder, others: int, name: str
) -> None:
    flat, leak, _ = run.cells
    after = [
        dataclasses.replace(flat, cell=dataclasses.replace(flat.cell, subject=f"{name}{n}"))
        for n in range(others)
    ]
    figure = plot_overlay(leak, *after)
    renderer = FigureCanvasAgg(figure).get_renderer()
    (legend,) = figure.legends
    boxes = [item.get_window_extent(renderer) for item in (*figure.texts, legend)]
    boxes += [axes.get_tightbbox(renderer) for axes in figure.axes]
    width, height = figure.get_size_inches() * figure.dpi
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    assert len(legend.get_texts()) >= 1 + others


def test_a_line_that_ends_early_has_its_level_at_its_own_end(run: RunFolder) -> None:
    axes = panel_named(plot_overlay(run.cells[2], run.cells[0]), "stats.decibel · elements")
    level = next(text for text in axes.texts if text.get_text() == "32,000")
    assert level.get_position()[0] == pytest.approx(0.52)


def test_lines_differ_by_more_than_colour(run: RunFolder) -> None:
    axes = panel_named(plot_overlay(run.cells[1], run.cells[0]), "RSS")
    assert len({str(line.get_linestyle()) for line in axes.get_lines()}) > 1


def test_dollars_in_names_are_not_mathematics(run: RunFolder, tmp_path: Path) -> None:
    figure = plot_cell(run.cells[2])
    assert any("$night_1^{2$" in text for text in texts(figure))
    assert save_figure(figure, tmp_path / "dollars")


def test_a_cell_without_a_verdict_shows_its_trends_and_says_so(run: RunFolder) -> None:
    bare = leaking_cell(metrics=(), verdict="error", endings=("running",))
    figure = plot_cell(CellTraces(cell=bare, traces=run.cells[1].traces, pending=True))
    assert "no verdict yet" in texts(figure)
    assert len(figure.axes) == 8


def test_a_cell_without_samples_is_an_empty_picture(tmp_path: Path) -> None:
    figure = plot_cell(CellTraces(cell=leaking_cell(), traces=()))
    assert figure.axes == []
    assert save_figure(figure, tmp_path / "empty")


def test_cells_driven_alike_are_laid_over_each_other_the_leaking_one_first(run: RunFolder) -> None:
    (group,) = overlay_groups(run.cells)
    assert [member.cell.subject for member in group] == ["original", "fixed"]
    assert overlay_name(group) == "overlay--silence--600ms"


def test_flat_over_flat_is_shown_only_where_nothing_leaks(run: RunFolder) -> None:
    flat = run.cells[0]
    assert len(overlay_groups([flat, flat])) == 1


def test_what_ended_in_an_error_is_laid_over_nothing(run: RunFolder) -> None:
    failed = CellTraces(cell=fixed_cell(verdict="error"), traces=run.cells[0].traces)
    assert overlay_groups([run.cells[1], failed]) == []


def test_a_picture_is_described_in_words(run: RunFolder) -> None:
    words = describe_panel(Panel("stats.decibel", "elements"), [run.cells[1], run.cells[0]])
    assert words == "stats.decibel · elements over audio time: original and fixed on silence"


def test_drawing_needs_no_pyplot() -> None:
    code = (
        "import sys, leakbench.report.folder, leakbench.report.history.plot, "
        "leakbench.report.comparison.folder; "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_text_reports_need_no_matplotlib() -> None:
    code = (
        "import sys, leakbench.report.summary, leakbench.report.junit, "
        "leakbench.report.comparison.text; "
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
