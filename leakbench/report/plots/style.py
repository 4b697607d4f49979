"""Colours and type of every picture, chosen once.

The series colours are Okabe and Ito's, which people with the common colour vision
deficiencies tell apart (Okabe and Ito 2008, "Color Universal Design"). No picture rests on
colour alone: line styles, markers and words say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from matplotlib import font_manager

from leakbench.record.result import Outcome

BLACK: Final = "#000000"
ORANGE: Final = "#e69f00"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
BLUE: Final = "#0072b2"
VERMILLION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"

INK: Final = "#1c2127"
MUTED: Final = "#59636e"
GRID: Final = "#d9dfe5"
SHADE: Final = "#eceff2"
PAPER: Final = "#ffffff"

BEFORE_COLOUR: Final = VERMILLION
AFTER_COLOURS: Final = (BLUE, GREEN, PURPLE, ORANGE, SKY, INK, MUTED)
"""As many as a gate lays over each other: an original, two releases, four fixes and one more.
Not a multiple of the line styles, so that the next ones differ by their dashes."""
Dashes: TypeAlias = Literal["-"] | tuple[float, tuple[float, ...]]
LINE_STYLES: Final[tuple[Dashes, ...]] = (
    "-",
    (0, (6, 2)),
    (0, (1.5, 1.5)),
    (0, (6, 2, 1.5, 2)),
    (0, (3, 1)),
)

VERDICT_COLOURS: Final[Mapping[Outcome, str]] = {
    "leak": VERMILLION,
    "flat": BLUE,
    "undecided": ORANGE,
    "error": PURPLE,
}
VERDICT_INKS: Final[Mapping[Outcome, str]] = {
    "leak": "#a64500",
    "flat": "#005a8c",
    "undecided": "#8a5d00",
    "error": "#97396c",
}
"""The verdict colours darkened to a contrast of at least 4.5 on white, for words."""
VERDICT_WORDS: Final[Mapping[Outcome, str]] = {
    "leak": "LEAK",
    "flat": "flat",
    "undecided": "undecided",
    "error": "error",
}

THEME_VARIABLES: Final[Mapping[str, str]] = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    SHADE: "--shade",
    BLUE: "--blue",
    VERMILLION: "--vermillion",
    ORANGE: "--orange",
    PURPLE: "--purple",
    GREEN: "--green",
    SKY: "--sky",
    **{VERDICT_INKS[outcome]: f"--{outcome}-ink" for outcome in VERDICT_INKS},
}
"""Colours that a page's style sheet may replace, so that one picture suits light and dark."""

_OTHER_SCRIPTS: Final = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
)


def font_families() -> list[str]:
    """Return DejaVu Sans, which matplotlib brings, and fonts for Chinese names where installed."""
    installed = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in _OTHER_SCRIPTS if name in installed)]
