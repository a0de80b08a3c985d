"""What all plots have in common: colors of trackers, style, SVG text."""

import io
import warnings
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vot_integration.regions.drawing import Color

COLORS: tuple[Color, ...] = (
    (230, 97, 0),
    (0, 114, 178),
    (204, 121, 167),
    (0, 158, 115),
    (86, 60, 92),
    (213, 170, 0),
)
"""Of trackers, in their order: colors that color-blind people can tell apart."""

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "arvot",
    "font.family": "sans-serif",
    # Names of sequences may have dollar signs.
    "text.parse_math": False,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "path.simplify_threshold": 0.5,
}
"""Settings of matplotlib."""


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of one plot; width and height in inches."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots()


def svg(figure: Figure) -> str:
    """A figure as SVG text."""
    target = io.StringIO()
    with warnings.catch_warnings():
        # Text is drawn by the browser, which has fonts for other scripts, too.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        # The date would make equal results give different files.
        figure.savefig(target, format="svg", bbox_inches="tight", metadata={"Date": None})
    return target.getvalue()


def rgb(color: Color) -> tuple[float, float, float]:
    """A color as matplotlib takes it, 0..1."""
    red, green, blue = color
    return red / 255, green / 255, blue / 255
