"""A figure with its footnote, and the small things that all panels share."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from queries.figures.canvas import new_figure
from queries.figures.captions import footnote_of
from queries.losses.result import LossComparison

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

FOOTNOTE_POINTS = 6
POINTS_A_LETTER = 3.2  # on average, names with digits among the words, at six points
LINE_INCH = 0.105


def start(figure: str, comparison: LossComparison, width_inch: float, height_inch: float) -> Figure:
    """An empty figure with its footnote; the height is that of the panels alone."""
    return start_with(footnote_of(figure, comparison), width_inch, height_inch)


def start_with(footnote: str, width_inch: float, height_inch: float) -> Figure:
    """An empty figure with a text below; the height is that of the panels alone."""
    letters = int((width_inch - 0.1) * 72 / POINTS_A_LETTER)
    lines = textwrap.wrap(footnote, letters)
    page = new_figure(width_inch, height_inch + LINE_INCH * len(lines))
    page.supxlabel(
        "\n".join(lines), x=0.01, ha="left", fontsize=FOOTNOTE_POINTS, color="0.25", linespacing=1.1
    )
    return page


def letter(panel: Axes, name: str) -> None:
    """Write the letter of a panel beside its upper left corner."""
    panel.annotate(
        name,
        (0, 1),
        (-24, 6),
        xycoords="axes fraction",
        textcoords="offset points",
        fontweight="bold",
        fontsize=8,
        va="bottom",
        annotation_clip=False,
    )


def say(panel: Axes, text: str) -> None:
    """Say in an empty panel why it is empty."""
    panel.set_axis_off()
    panel.text(
        0.5,
        0.5,
        textwrap.fill(text, 30),
        transform=panel.transAxes,
        ha="center",
        va="center",
        color="0.35",
    )
