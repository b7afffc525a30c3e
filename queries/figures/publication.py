"""The figure for a publication: nine panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queries.figures.canvas import DOUBLE_COLUMN_INCH
from queries.figures.distributions import draw_boxes
from queries.figures.looks import short
from queries.figures.loss_bars import loss_names
from queries.figures.page import letter, start
from queries.figures.regions import draw_measure, draw_variation
from queries.figures.significance import draw_matrix, draw_table
from queries.figures.training import draw_curves, loss_handles
from queries.losses.result import LossComparison

if TYPE_CHECKING:
    from queries.figures.canvas import Figure

LETTERS_A_LINE = 135  # of a legend across the page
LETTERS_OF_LINE = 10  # as wide is the line before a name, with the room around it


def draw_publication(comparison: LossComparison) -> Figure:
    """Draw bars, boxes, variation, numbers, curves and tests on one page."""
    figure = start("publication", comparison, DOUBLE_COLUMN_INCH, 6.4)
    panels = figure.subplots(3, 3)
    draw_measure(panels[0][0], comparison, "defect_mae")
    draw_measure(panels[0][1], comparison, "bulk_mae")
    draw_measure(panels[0][2], comparison, "ratio")
    draw_boxes(panels[1][0], comparison)
    draw_variation(panels[1][1], comparison)
    draw_table(panels[1][2], comparison)
    draw_curves(panels[2][0], comparison, "train_loss")
    draw_curves(panels[2][1], comparison, "validation_loss")
    draw_matrix(panels[2][2], comparison)
    for name, panel in zip("abcdefghi", panels.flat, strict=True):
        letter(panel, name)
    losses = loss_names(comparison)
    names = [short(loss) for loss in losses]
    figure.legend(
        loss_handles(panels[0][0], losses),
        names,
        loc="outside upper center",
        ncols=max(1, LETTERS_A_LINE // (max(map(len, names), default=0) + LETTERS_OF_LINE)),
    )
    return figure
