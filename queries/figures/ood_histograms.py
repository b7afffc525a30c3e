"""The figure of how scores are distributed, a panel per set, with the cut-offs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from queries.figures.bars import three_digits
from queries.figures.canvas import SINGLE_COLUMN_INCH
from queries.figures.looks import DASHES, Look, short
from queries.figures.ood_captions import LONGEST_CONDITION, axis_of, ood_caption
from queries.figures.ood_points import set_looks
from queries.figures.page import say, start_with
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

PANEL_INCH = 1.35


def draw_histograms(result: OodScores) -> Figure:
    """Draw the histogram of the score that ranks, for every set."""
    footnote = ood_caption("ood_histograms", result, longest_condition=LONGEST_CONDITION)
    looks = set_looks(result)
    figure = start_with(footnote, SINGLE_COLUMN_INCH, 0.5 + PANEL_INCH * len(looks))
    panels = figure.subplots(len(looks), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for panel, (name, look) in zip(panels, looks.items(), strict=True):
        draw_set(panel, result, name, look)
    label, _ = axis_of(result.score)
    panels[-1].set_xlabel(label)
    panels[-1].tick_params(labelbottom=True)
    return figure


def draw_set(panel: Axes, result: OodScores, name: str, look: Look) -> None:
    """Draw one set, and the cut-offs with how much of it lies above."""
    bins = result.histogram.filter(set=name, score=result.score).sort("bin")
    values = result.scores.filter(set=name)[result.score].drop_nulls()
    if bins.is_empty() or values.is_empty():
        say(panel, f"{short(name)}: no structure has this score.")
        return
    _, factor = axis_of(result.score)
    edges = np.append(bins["low"].to_numpy(), bins["high"][-1]) * factor
    panel.stairs(
        bins["n_structures"], edges, fill=True, color=look.colour, alpha=0.45, baseline=0.5
    )
    panel.stairs(bins["n_structures"], edges, color=look.colour, linewidth=0.8, baseline=0.5)
    is_baseline = name == result.selection.baseline
    panel.set_title(
        f"{short(name, 30)}{', the baseline' if is_baseline else ''}: n = {len(values):,}"
    )
    for place, (what, cut) in enumerate(result.cut_offs.items()):
        n_above = int((values > cut).sum())
        dashes = DASHES[place % len(DASHES)]
        panel.axvline(
            cut * factor,
            color="black",
            linestyle=(0, dashes) if dashes else "-",
            linewidth=0.8,
            label=f"{short(what)} = {three_digits(cut * factor)}: {n_above:,} above",
        )
    panel.set_yscale("log")
    panel.set_ylim(bottom=0.5)
    panel.yaxis.set_major_formatter("{x:g}")
    panel.set_ylabel("Structures")
    if result.cut_offs:
        panel.legend(loc="upper right", fontsize=6)


def n_above(result: OodScores, name: str, cut: float) -> int:
    """How many structures of a set score strictly above a cut-off."""
    return result.scores.filter(pl.col("set") == name, pl.col(result.score) > cut).height
