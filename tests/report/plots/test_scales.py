import numpy as np
import pytest
from matplotlib.figure import Figure

from leakbench.report.plots.scales import (
    axis_unit,
    log_ticks,
    needs_log,
    padded_limits,
    plain_ticks,
    time_unit,
)


@pytest.mark.parametrize(
    ("metric", "top", "unit"),
    [
        ("storage_bytes", 0, "B"),
        ("storage_bytes", 40_672, "KiB"),
        ("storage_bytes", 59.5e6, "MiB"),
        ("rss_bytes", 5e9, "GiB"),
        ("elements", 41, "elements"),
        ("elements", 64_000, "thousand elements"),
        ("elements", 14_880_000, "million elements"),
        ("chunk_seconds", 0.045, "ms"),
    ],
)
def test_units_scale_with_the_largest_value(metric: str, top: float, unit: str) -> None:
    assert axis_unit(metric, top)[1] == unit  # type: ignore[arg-type]


def test_audio_time_is_in_seconds_minutes_or_hours() -> None:
    assert [time_unit(s)[1] for s in (42, 600, 7_200, 36_000)] == ["s", "min", "min", "h"]


def test_only_a_series_that_dwarfs_another_needs_logarithms() -> None:
    assert needs_log([59.5e6, 40_672])
    assert not needs_log([59.5e6, 30e6])
    assert not needs_log([59.5e6, 0.0])
    assert not needs_log([59.5e6])


def test_flat_looks_flat_whatever_its_jitter() -> None:
    jitter = 545e6 + np.array([0.0, 4_096.0, -4_096.0])
    low, high = padded_limits(jitter, least_span=0.05 * 545e6, include_zero=False)
    assert high - low >= 0.05 * 545e6


def test_limits_hold_every_value_and_start_at_zero_where_asked() -> None:
    values = np.array([3.0, 50.0])
    low, high = padded_limits(values, least_span=1.0, include_zero=True)
    assert low == 0.0
    assert high > 50.0
    low, high = padded_limits(np.array([0.0, 0.0]), least_span=1.0, include_zero=True)
    assert low == 0.0
    assert high > 0.0


def labels_of(figure: Figure) -> list[str]:
    figure.canvas.draw()
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_ticks_are_written_out_without_offset_or_powers() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([0, 1], [1_000_000.0, 1_000_000.5])
    plain_ticks(axes)
    assert all("e" not in label and "+" not in label for label in labels_of(figure))
    assert axes.yaxis.get_offset_text().get_text() == ""


def test_logarithmic_ticks_are_named_in_bytes() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([0, 1], [40_672, 59.5e6])
    log_ticks(axes, "storage_bytes", 40_672, 59.5e6)
    labels = labels_of(figure)
    assert "32 KiB" in labels
    assert all(label.endswith(("B", "KiB", "MiB")) for label in labels)
    low, high = axes.get_ylim()
    assert low < 40_672
    assert high > 59.5e6
