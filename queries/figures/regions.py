"""Figures of errors by region: ensemble comparison, three regions, variation over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queries.figures.bars import draw_bars, draw_groups
from queries.figures.canvas import DOUBLE_COLUMN_INCH, SINGLE_COLUMN_INCH
from queries.figures.captions import seeds_of
from queries.figures.looks import REGIONS, looks_of
from queries.figures.loss_bars import (
    ERROR_UNIT,
    ensemble_bars,
    loss_names,
    ratio_bars,
    region_bars,
    variation_bars,
)
from queries.figures.page import say, start
from queries.losses.result import LossComparison

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

MEASURES = {
    "defect_mae": f"Error at the\ndefect ({ERROR_UNIT})",
    "bulk_mae": f"Error in the\nbulk ({ERROR_UNIT})",
    "ratio": "Error ratio,\ndefect / bulk",
}  # long names of losses leave less than a line beside a panel
THREE = ("core", "shell", "bulk")
VARIATIONS = {"defect_mae": "defect", "bulk_mae": "bulk", "ratio": "ratio"}
ONE_SEED = "One seed per loss: its spread over seeds is not known."


def draw_ensemble(comparison: LossComparison) -> Figure:
    """Draw errors at the defect and in the bulk, and their ratio, per loss."""
    figure = start("ensemble_comparison", comparison, DOUBLE_COLUMN_INCH, 2.3)
    for panel, measure in zip(figure.subplots(1, 3), MEASURES, strict=True):
        draw_measure(panel, comparison, measure)
    return figure


def draw_measure(panel: Axes, comparison: LossComparison, measure: str) -> None:
    """Draw one measure, a bar per loss."""
    bars = ensemble_bars(comparison, measure, **({"factor": 1.0} if measure == "ratio" else {}))
    looks = looks_of(loss_names(comparison))
    draw_bars(panel, bars, [looks[bar.name] for bar in bars])
    panel.set_ylabel(MEASURES[measure])


def draw_three_regions(comparison: LossComparison) -> Figure:
    """Draw errors in core, shell and bulk, and core against bulk, per loss."""
    figure = start("three_regions", comparison, DOUBLE_COLUMN_INCH, 2.5)
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1))
    by_region = {region: region_bars(comparison, region) for region in THREE}
    losses = loss_names(comparison)
    groups = {loss: [by_region[region][loss] for region in THREE] for loss in losses}
    draw_groups(left, groups, [REGIONS[region] for region in THREE], THREE)
    left.set_ylabel(f"Force error ({ERROR_UNIT})")
    looks = looks_of(losses)
    draw_bars(right, ratio_bars(comparison, "core/bulk"), [looks[loss] for loss in losses])
    right.set_ylabel("Error ratio,\ncore / bulk")
    return figure


def draw_reproducibility(comparison: LossComparison) -> Figure:
    """Draw the coefficient of variation over seeds, per loss."""
    figure = start("reproducibility", comparison, SINGLE_COLUMN_INCH, 2.4)
    draw_variation(figure.subplots(), comparison)
    return figure


def draw_variation(panel: Axes, comparison: LossComparison) -> None:
    """Draw the coefficients of variation into a panel."""
    if seeds_of(comparison)[1] < 2:
        say(panel, ONE_SEED)
        return
    groups = variation_bars(comparison, tuple(VARIATIONS))
    looks = [REGIONS[look] for look in VARIATIONS.values()]
    draw_groups(panel, groups, looks, tuple(VARIATIONS.values()))
    panel.set_ylabel("Variation\nover seeds (%)")
