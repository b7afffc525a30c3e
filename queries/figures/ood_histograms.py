"""The figure of how scores are distributed, a panel per set, with the cut-offs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from queries.figures.bars import three_digits
from queries.figures.canvas import SHORT_AXIS, SINGLE_COLUMN_INCH, number_log_axis
from queries.figures.looks import DASHES, Look, short
from queries.figures.ood_captions import LONGEST_CONDITION, axis_of, ood_caption
from queries.figures.ood_points import scale_axis, set_looks, spans_decades, with_power
from queries.figures.page import say, start_with
from queries.ood.result import OodScores

if TYPE_CHECKING:
    from queries.figures.canvas import Axes, Figure

PANEL_INCH = 1.35
N_BINS = 50
LEAST_COUNT = 0.5  # where the logarithmic axis of counts begins: below a single structure
SHARE_OF_COUNTS = 0.62  # of the height; the rest is for the cut-offs


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
    values = result.scores[result.score] * factor
    scale_axis(panels[-1], values, "x")
    panels[-1].set_xlabel(with_power(label, values))
    panels[-1].tick_params(labelbottom=True)
    scale_counts(panels[0], result)
    return figure


def scale_counts(panel: Axes, result: OodScores) -> None:
    """Make the axis of counts, which all panels share, logarithmic and tall enough for all sets.

    The cut-offs stand above the fullest bin.
    """
    sets = [each.name for each in result.selection.sets]
    most = max((bins_of(result, name)[1].max() for name in sets), default=1)
    share = SHARE_OF_COUNTS if result.cut_offs else 1.0
    panel.set_yscale("log")
    panel.set_ylim(LEAST_COUNT, LEAST_COUNT * (1.2 * max(most, 1) / LEAST_COUNT) ** (1 / share))
    number_log_axis(panel.yaxis, is_short=most < SHORT_AXIS)


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
    panel.stairs(
        counts, edges * factor, fill=True, color=look.colour, alpha=0.45, baseline=LEAST_COUNT
    )
    panel.stairs(counts, edges * factor, color=look.colour, linewidth=0.8, baseline=LEAST_COUNT)
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
    panel.set_ylabel("Structures")
    if result.cut_offs:
        panel.legend(loc="upper right", fontsize=6, frameon=True, edgecolor="none", framealpha=0.9)
