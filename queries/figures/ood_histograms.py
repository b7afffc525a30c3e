"""The figure of how scores are distributed, a panel per set, with the cut-offs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from queries.figures.bars import three_digits
from queries.figures.canvas import SINGLE_COLUMN_INCH
from queries.figures.looks import DASHES, Look, short
from queries.figures.ood_captions import LONGEST_CONDITION, axis_of, ood_caption
from queries.figures.ood_points import scale_axis, set_looks, spans_decades
from queries.figures.page import say, start_with
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

PANEL_INCH = 1.35
N_BINS = 50


def draw_histograms(result: OodScores) -> Figure:
    """Draw the histogram of the score that ranks, for every set."""
    footnote = ood_caption(
        "ood_histograms", result, bins_note(result), longest_condition=LONGEST_CONDITION
    )
    looks = set_looks(result)
    figure = start_with(footnote, SINGLE_COLUMN_INCH, 0.5 + PANEL_INCH * len(looks))
    panels = figure.subplots(len(looks), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for panel, (name, look) in zip(panels, looks.items(), strict=True):
        draw_set(panel, result, name, look)
    label, factor = axis_of(result.score)
    scale_axis(panels[-1], result.scores[result.score] * factor, "x")
    panels[-1].set_xlabel(label)
    panels[-1].tick_params(labelbottom=True)
    return figure


def bins_of(result: OodScores, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Edges of bins, the same for all sets, and the structures of one set in each.

    They are those of the result, but where scores span decades: of equal width they would put
    nearly all structures into the first.
    """
    scores = result.scores[result.score].drop_nulls()
    if spans_decades(scores):
        known = scores.to_numpy()
        edges = np.geomspace(known.min(), known.max(), N_BINS + 1)
        edges[0], edges[-1] = known.min(), known.max()  # not a rounding inside them
        values = result.scores.filter(set=name)[result.score].drop_nulls().to_numpy()
        return edges, np.histogram(values, edges)[0]
    bins = result.histogram.filter(set=name, score=result.score).sort("bin")
    return np.append(bins["low"].to_numpy(), bins["high"][-1]), bins["n_structures"].to_numpy()


def bins_note(result: OodScores) -> str:
    """Which bins are drawn."""
    is_wide = spans_decades(result.scores[result.score])
    return f"{N_BINS} bins of equal {'ratio' if is_wide else 'width'} over all sets together."


def draw_set(panel: Axes, result: OodScores, name: str, look: Look) -> None:
    """Draw one set, and the cut-offs with how much of it lies above."""
    values = result.scores.filter(set=name)[result.score].drop_nulls()
    if values.is_empty():
        say(panel, f"{short(name)}: no structure has this score.")
        return
    _, factor = axis_of(result.score)
    edges, counts = bins_of(result, name)
    panel.stairs(counts, edges * factor, fill=True, color=look.colour, alpha=0.45, baseline=0.5)
    panel.stairs(counts, edges * factor, color=look.colour, linewidth=0.8, baseline=0.5)
    role = ", the baseline" if name == result.selection.baseline else ""
    panel.set_title(f"{short(name, 30)}{role}: n = {len(values):,}")
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
