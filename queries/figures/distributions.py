"""The figure of how errors are distributed over atoms and over structures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from queries.figures.bars import name_places
from queries.figures.canvas import DOUBLE_COLUMN_INCH, SHORT_AXIS, number_log_axis
from queries.figures.looks import REGIONS, looks_of, short
from queries.figures.loss_bars import ERROR_UNIT, MEV, loss_names
from queries.figures.page import start
from queries.losses.result import LossComparison

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

COLUMNS = 3
DECADES_OF_LOWEST = 0.05  # what is drawn of the lowest bin, which begins at zero
SHARE_LEFT_OUT = 1e-3  # of the atoms on either side: one outlier must not squeeze all others
WHISKERS = (5, 95)


def draw_distributions(comparison: LossComparison) -> Figure:
    """Draw defect against bulk atoms, a panel per loss."""
    losses = loss_names(comparison)
    n_columns = min(COLUMNS, max(len(losses), 1))
    n_rows = math.ceil(len(losses) / n_columns)
    figure = start("error_distributions", comparison, DOUBLE_COLUMN_INCH, 0.4 + 1.75 * n_rows)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    for panel, loss in zip(panels.flat, losses, strict=False):
        draw_loss(panel, comparison, loss)
    for panel in panels.flat[len(losses) :]:
        panel.set_axis_off()
    for column in range(n_columns):
        below = panels[max(i for i in range(n_rows) if i * n_columns + column < len(losses))]
        below[column].set_xlabel(f"Norm of the force error ({ERROR_UNIT})")
        below[column].tick_params(labelbottom=True)
    for row in panels:
        row[0].set_ylabel("Share of atoms per decade")
    _bound(panels[0][0], comparison)
    lowest, highest = panels[0][0].get_xlim()
    for panel in panels.flat[: len(losses)]:
        number_log_axis(panel.xaxis, is_short=highest / lowest < SHORT_AXIS)
    return figure


def draw_loss(panel: Axes, comparison: LossComparison, loss: str) -> None:
    """Draw the distributions of one loss."""
    panel.set_title(short(loss, 40))
    scheme = comparison.selection.two_regions
    for region in ("defect", "bulk"):
        bins = comparison.tables["error_histogram"].filter(loss=loss, scheme=scheme, region=region)
        medians = comparison.tables["error_quantiles"].filter(
            loss=loss, scheme=scheme, region=region
        )["q50"]
        look = REGIONS[region]
        n_atoms = int(bins["n_atoms"].sum() or 0)
        if n_atoms == 0:
            panel.plot([], [], " ", label=f"{region}: no atoms")
            continue
        edges, shares = density(bins)
        panel.stairs(
            shares,
            edges * MEV,
            color=look.colour,
            linestyle=look.line_style,
            linewidth=1.2,
            fill=False,
            label=f"{region}: {n_atoms:,} atoms",
        )
        for median in medians.drop_nulls():
            panel.axvline(
                median * MEV, color=look.colour, linestyle=look.line_style, linewidth=0.8, zorder=1
            )
    panel.legend(loc="upper left", fontsize=6, handlelength=1.8)
    panel.set_xscale("log")
    panel.grid(visible=True)


def density(bins: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Edges in eV/Å and the share of atoms per decade between them; no atoms, no share.

    Parameters
    ----------
    bins
        ``low``, ``high`` and ``n_atoms`` of the bins that have atoms; bins of none are missing.
    """
    rows = bins.sort("low")
    high = rows["high"].to_numpy()
    low = rows["low"].to_numpy()
    low = np.where(low > 0, low, high / 10**DECADES_OF_LOWEST)
    shares = rows["n_atoms"].to_numpy() / rows["n_atoms"].sum() / np.log10(high / low)
    edges, values = [low[0]], []
    for left, right, share in zip(low, high, shares, strict=True):
        if not math.isclose(left, edges[-1], rel_tol=1e-9):  # bins of no atoms in between
            edges.append(left)
            values.append(0.0)
        edges.append(right)
        values.append(share)
    return np.array(edges), np.array(values)


def draw_boxes(panel: Axes, comparison: LossComparison) -> None:
    """Draw the errors at the defect over structures and seeds, a box per loss."""
    losses = loss_names(comparison)
    looks = looks_of(losses)
    rows = comparison.tables["detailed_results"].select("model", "defect_mae").drop_nulls()
    named = rows.join(comparison.models.select("model", "loss"), on="model")
    for place, loss in enumerate(losses):
        values = named.filter(loss=loss)["defect_mae"].to_numpy() * MEV
        if not len(values):
            panel.annotate("no atoms", (place, 0), rotation=90, ha="center", fontsize=6)
            continue
        panel.boxplot(
            [values],
            positions=[place],
            widths=0.6,
            whis=WHISKERS,
            showfliers=False,
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": looks[loss].colour, "linewidth": 0.6},
            medianprops={"color": "white", "linewidth": 1.2},
            whiskerprops={"linewidth": 0.7},
            capprops={"linewidth": 0.7},
        )
    name_places(panel, losses)
    panel.set_ylim(bottom=0)
    panel.set_ylabel(f"Error at the\ndefect ({ERROR_UNIT})")
    panel.grid(visible=True, axis="y")


def _bound(panel: Axes, comparison: LossComparison) -> None:
    """Show where the atoms are, all but a very few, and leave room for the legend."""
    bins = comparison.tables["error_histogram"].filter(
        pl.col("region").is_in(["defect", "bulk"]),
        scheme=comparison.selection.two_regions,
    )
    if bins.is_empty():
        return
    counted = bins.group_by("high").agg(pl.sum("n_atoms")).sort("high")
    share = counted["n_atoms"].cum_sum() / counted["n_atoms"].sum()
    shown = counted.filter(
        (share > SHARE_LEFT_OUT) & (share.shift(1, fill_value=0) < 1 - SHARE_LEFT_OUT)
    )
    lowest, highest = shown["high"][0] / 10**DECADES_OF_LOWEST * MEV, shown["high"][-1] * MEV
    aside = max(1.0, math.sqrt(10 * lowest / highest))  # a decade at least
    panel.set_xlim(lowest / aside, highest * aside)
    panel.set_ylim(0, panel.get_ylim()[1] * 1.3)
