"""Figures as files and as text: the same bytes each time, no date, no display."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Final

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

from leakbench.report.plots import style
from leakbench.text import printable

PNG_DPI: Final = 144
_SALT: Final = "leakbench"
_NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}

_UNSEEN: Final = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_REFERENCE: Final = re.compile(r'(\bid="|href="#|url\(#)')
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}\b")


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write `figure` as ``stem.png`` and ``stem.svg`` and return both.

    Text of the SVG is drawn as outlines, so that it looks the same wherever it is pasted.
    """
    _make_printable(figure)
    png, svg = (stem.with_name(stem.name + suffix) for suffix in (".png", ".svg"))
    with _settings(text="path"):
        _print_png(figure, png)
        svg.write_text(_render_svg(figure), encoding="utf-8")
    return [png, svg]


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """Return `figure` as an ``<svg>`` element to stand in a page among others.

    Parameters
    ----------
    name
        Unique in the page, of letters, digits, ``-`` and ``_``: put before every id, since
        matplotlib gives equal parts of different figures equal ids.
    description
        Read out where the picture is not seen; escaped here.

    Notes
    -----
    Text stays text: small, searchable, and in the page's font. Ink, grid and series colours
    become CSS variables, so that the page's theme may replace them.
    """
    _make_printable(figure)
    with _settings(text="none"):
        svg = _render_svg(figure)
    svg = _UNSEEN.sub("", svg[svg.index("<svg") :])
    svg = _TAG.sub(lambda tag: _themed(_REFERENCE.sub(rf"\g<1>{name}-", tag[0])), svg)
    opening, rest = svg.split(">", 1)
    opening = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-label="{escape(printable(description))}">{rest}'


def _make_printable(figure: Figure) -> None:
    """Make whatever is anybody's text safe to draw: no font has half characters or escapes."""
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_text("\n".join(map(printable, text.get_text().split("\n"))))


def _themed(tag: str) -> str:
    def variable(match: re.Match[str]) -> str:
        name = style.THEME_VARIABLES.get(match[0])
        return f"var({name})" if name else match[0]

    return _COLOUR.sub(variable, tag)


def _print_png(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    figure.savefig(path, format="png", dpi=PNG_DPI, metadata={"Software": None})


def _render_svg(figure: Figure) -> str:
    buffer = io.StringIO()
    FigureCanvasSVG(figure)
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    return buffer.getvalue()


@contextmanager
def _settings(*, text: str) -> Iterator[None]:
    """Render alike everywhere, whatever a user's matplotlibrc says of fonts and ids.

    A name in a script that no installed font covers is drawn as boxes in files, and well in
    the page; matplotlib's warning about it would only add noise to a run's output.
    """
    with (
        warnings.catch_warnings(),
        matplotlib.rc_context(
            {
                "svg.hashsalt": _SALT,
                "svg.fonttype": text,
                "font.family": style.font_families(),
                "axes.unicode_minus": True,
            }
        ),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield
