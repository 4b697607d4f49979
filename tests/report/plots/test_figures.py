import re
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

from leakbench.report.plots import style
from leakbench.report.plots.figures import inline_svg, save_figure


def make_figure(text: str = "stats.decibel") -> Figure:
    figure = Figure(figsize=(3, 2))
    axes = figure.add_axes((0.2, 0.2, 0.7, 0.6))
    axes.plot([0, 1], [0, 1], color=style.VERMILLION)
    axes.set_title(text, parse_math=False, color=style.INK)
    return figure


def test_a_figure_is_saved_as_png_and_svg(tmp_path: Path) -> None:
    png, svg = save_figure(make_figure(), tmp_path / "cell.600ms")
    assert png.name == "cell.600ms.png"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text().count("<svg") == 1


def test_the_same_figure_is_the_same_bytes(tmp_path: Path) -> None:
    first = save_figure(make_figure(), tmp_path / "first")
    second = save_figure(make_figure(), tmp_path / "second")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert b"dc:date" not in first[1].read_bytes()


def test_a_users_settings_of_matplotlib_change_nothing(tmp_path: Path) -> None:
    plain = save_figure(make_figure(), tmp_path / "plain")[1].read_bytes()
    with matplotlib.rc_context({"svg.hashsalt": "other", "svg.fonttype": "none"}):
        assert save_figure(make_figure(), tmp_path / "set")[1].read_bytes() == plain


def test_pictures_in_one_page_share_no_id() -> None:
    one, other = (inline_svg(make_figure(), name, "x") for name in ("a1", "a2"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_every_reference_in_a_picture_has_its_target() -> None:
    svg = inline_svg(make_figure(), "a1", "x")
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    targets = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    assert targets
    assert targets <= ids


def test_ink_and_series_follow_the_theme_of_the_page() -> None:
    svg = inline_svg(make_figure(), "a1", "x")
    assert "var(--vermillion)" in svg
    assert "var(--ink)" in svg
    assert style.VERMILLION not in svg


def test_a_colour_in_a_name_stays_as_it_is() -> None:
    assert f">{style.VERMILLION}<" in inline_svg(make_figure(style.VERMILLION), "a1", "x")


def test_text_is_shown_not_read_as_markup_or_mathematics() -> None:
    svg = inline_svg(make_figure("<b>$x_1^{2$</b>"), "a1", 'say "<hello>" & go')
    assert "&lt;b&gt;$x_1^{2$&lt;/b&gt;" in svg
    assert 'aria-label="say &quot;&lt;hello&gt;&quot; &amp; go"' in svg


def test_a_picture_in_a_page_has_no_size_of_its_own_and_no_prologue() -> None:
    svg = inline_svg(make_figure(), "a1", "x")
    assert svg.startswith("<svg")
    assert not re.search(r'<svg[^>]*\s(width|height)="', svg)
    assert "viewBox" in svg
    assert "<!--" not in svg


def test_a_name_in_a_script_without_a_font_warns_nobody(tmp_path: Path) -> None:
    # Warnings are errors here: drawing boxes for missing glyphs must stay silent.
    saved = save_figure(make_figure("夜间 🎧 \U00012000"), tmp_path / "names")
    assert all(path.stat().st_size for path in saved)


@pytest.mark.parametrize("verdict", ["leak", "flat", "undecided", "error"])
def test_words_stand_out_from_paper(verdict: str) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    # WCAG 2.1, 1.4.3: text needs a contrast of 4.5 at least.
    ink = luminance(style.VERDICT_INKS[verdict])  # type: ignore[index]
    assert (luminance(style.PAPER) + 0.05) / (ink + 0.05) >= 4.5
